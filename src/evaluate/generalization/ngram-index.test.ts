// Laws of the index: it finds an n-gram wherever it stands, and nothing else.
import fc from "fast-check"
import { expect, it } from "vitest"
import { createNgramIndex } from "./ngram-index.ts"

const texts = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 40 })

const ngrams = (symbols: readonly number[], length: number): string[] =>
  Array.from({ length: Math.max(0, symbols.length - length + 1) }, (_, i) => symbols.slice(i, i + length).join(" "))

it("equal n-grams of several texts have one number, different ones different numbers", () => {
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 4 }), fc.integer({ min: 1, max: 5 }), (added, length) => {
      const index = createNgramIndex(length, 200)
      const names = new Map<number, string>()
      for (const symbols of added) {
        const numbers = index.add(Uint32Array.from(symbols))
        expect(numbers).toHaveLength(ngrams(symbols, length).length)
        for (const [i, name] of ngrams(symbols, length).entries()) {
          expect(names.get(numbers[i]!) ?? name).toBe(name)
          names.set(numbers[i]!, name)
        }
      }
      expect(index.size).toBe(new Set(added.flatMap((symbols) => ngrams(symbols, length))).size)
    }),
  )
})

it("reading another text tells at each symbol the n-gram that ends there, or -1", () => {
  fc.assert(
    fc.property(texts, texts, fc.integer({ min: 1, max: 5 }), (known, other, length) => {
      const index = createNgramIndex(length, known.length)
      const numbers = index.add(Uint32Array.from(known))
      const names = ngrams(known, length)
      const found = other.map(index.reader())
      for (const [i, name] of ngrams(other, length).entries()) {
        const place = names.indexOf(name)
        expect(found[i + length - 1]).toBe(place < 0 ? -1 : numbers[place])
      }
      expect(found.slice(0, length - 1).every((number) => number === -1)).toBe(true)
    }),
  )
})
