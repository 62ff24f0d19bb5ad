import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataError } from "../core/index.ts"
import { endOfWord } from "./pre-tokenize.ts"
import { batchesOf, piecesOf, wholeWordPieces } from "./text-batches.ts"

function wordsOf(text: string): string[] {
  const utf8 = new TextEncoder().encode(text)
  const words: string[] = []
  for (let at = 0, end = 0; at < utf8.length; at = end) {
    end = endOfWord(utf8, at)
    words.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(utf8.subarray(at, end)))
  }
  return words
}

async function collect(texts: Iterable<string>): Promise<(readonly string[])[]> {
  const batches: (readonly string[])[] = []
  for await (const batch of batchesOf(texts)) batches.push(batch)
  return batches
}

describe("a long text in pieces", () => {
  const blanks = fc.constantFrom(" ", " ", "\n", "  ", "\n\n", " \n", " \u0085  ", "\n\u3000  ", " \ufeff ", " \t ")
  const visible = fc.constantFrom("a", "it's", "'s", "9", ",", "漢", "😀", "’")

  it("has the words of the whole where blanks are frequent", () => {
    const texts = fc.array(fc.tuple(visible, blanks), { maxLength: 60 }).map((parts) => parts.flat().join(""))
    fc.assert(
      fc.property(texts, (text) => {
        expect([...piecesOf(text, 24)].flatMap(wordsOf)).toEqual(wordsOf(text))
      }),
      { numRuns: 2000 },
    )
  })

  it("has the words of the whole in any text, if a stretch without blanks stays one piece", () => {
    const part = fc.oneof(visible, blanks, fc.string({ unit: "binary", maxLength: 3 }))
    const texts = fc.array(part, { maxLength: 80 }).map((parts) => parts.join("").toWellFormed())
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 12 }), (text, most) => {
        expect([...wholeWordPieces(text, most)].flatMap(wordsOf)).toEqual(wordsOf(text))
      }),
      { numRuns: 2000 },
    )
  })

  it("without a blank in a million characters is cut anyway, between two of them", () => {
    for (const text of ["x".repeat(3_000_000), "😀".repeat(1_500_000), `a${"😀".repeat(1_500_000)}`]) {
      const pieces = [...wholeWordPieces(text, 1 << 15)]
      expect(pieces.join("")).toBe(text)
      expect(pieces.length).toBe(3)
      expect(pieces.every((piece) => piece.isWellFormed())).toBe(true)
    }
  })

  it("is whole again when they are joined, each well-formed and neither too long nor short", () => {
    const texts = fc.array(fc.oneof(visible, blanks), { maxLength: 80 }).map((parts) => parts.join(""))
    fc.assert(
      fc.property(fc.oneof(texts, fc.string({ unit: "binary" })), fc.integer({ min: 2, max: 12 }), (text, half) => {
        const pieces = [...piecesOf(text, 2 * half)]
        expect(pieces.join("")).toBe(text)
        for (const piece of pieces) expect(piece.isWellFormed() && piece.length <= 2 * half).toBe(true)
        for (const piece of pieces.slice(0, -1)) expect(piece.length).toBeGreaterThanOrEqual(half)
      }),
    )
  })
})

describe("texts in batches", () => {
  it("hold all texts in their order, short ones together, long ones in pieces, and no empty one", async () => {
    const long = "word ".repeat(100_000)
    const batches = await collect(["a", "", "b", long, "c"])
    expect(batches.flat().join("")).toBe(`ab${long}c`)
    expect(batches.length).toBeGreaterThan(2)
    expect(batches[0]!.slice(0, 2)).toEqual(["a", "b"])
    expect(await collect(["", ""])).toEqual([])
  })

  it("refuse half of a surrogate pair with its place in the text", async () => {
    await expect(collect(["ok", "a\udc00"])).rejects.toThrow(DataError)
    await expect(collect(["ok", `${"word ".repeat(100_000)}\udc00`])).rejects.toThrow(/position 500000/)
  })
})
