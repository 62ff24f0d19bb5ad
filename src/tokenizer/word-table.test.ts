import fc from "fast-check"
import { expect, it } from "vitest"
import { WordTable } from "./word-table.ts"

it("numbers distinct words as they come, and gives them back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom("a", "b", "ab", "", "__proto__"), fc.string({ unit: "binary" })), {
        maxLength: 60,
      }),
      (list) => {
        const table = new WordTable()
        const expected = new Map<string, number>()
        for (const word of list) {
          if (!expected.has(word)) expected.set(word, expected.size)
          const text = `<${word}>`
          expect(table.numberOf(text, 1, text.length - 1)).toBe(expected.get(word))
        }
        expect(table.size).toBe(expected.size)
        for (const [word, number] of expected) expect(table.word(number)).toBe(word)
      },
    ),
  )
})

it("keeps a hundred thousand words apart", () => {
  const table = new WordTable()
  const numbers = () => Array.from({ length: 100_000 }, (_, i) => table.numberOf(`${i}`, 0, `${i}`.length))
  const expected = Array.from({ length: 100_000 }, (_, i) => i)
  expect(numbers()).toEqual(expected)
  expect(numbers()).toEqual(expected)
})
