import fc from "fast-check"
import { expect, it } from "vitest"
import { hashOf, WordTable } from "./word-table.ts"

const encoder = new TextEncoder()
const numberOf = (table: WordTable, word: string): number => {
  const bytes = encoder.encode(`<${word}>`)
  return table.numberOf(bytes, 1, bytes.length - 1)
}
/** All words of a table by their numbers. */
function wordsOf(table: WordTable): string[] {
  const { bytes, starts } = table.list()
  return Array.from({ length: table.size }, (_, i) =>
    new TextDecoder().decode(bytes.subarray(starts[i], starts[i + 1])),
  )
}

it("numbers distinct words as they come, and gives them back", () => {
  const word = fc.oneof(fc.constantFrom("a", "b", "ab", "", "__proto__"), fc.string({ unit: "grapheme" }))
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (list) => {
      const table = new WordTable()
      const expected = [...new Set(list)]
      for (const each of list) expect(numberOf(table, each)).toBe(expected.indexOf(each))
      expect(wordsOf(table)).toEqual(expected)
    }),
  )
})

it("keeps a hundred thousand words apart", () => {
  const table = new WordTable()
  const numbers = () => Array.from({ length: 100_000 }, (_, i) => numberOf(table, `${i}`))
  const expected = Array.from({ length: 100_000 }, (_, i) => i)
  expect(numbers()).toEqual(expected)
  expect(numbers()).toEqual(expected)
})

it("a word that meets a flood of others at its place is numbered anew instead of following them all", () => {
  const flood: string[] = []
  for (let i = 0; flood.length < 300; i++) {
    const bytes = encoder.encode(`${i}`)
    if ((hashOf(bytes, 0, bytes.length) & 0x7ff) === 0) flood.push(`${i}`)
  }
  const table = new WordTable()
  const first = flood.map((word) => numberOf(table, word))
  const second = flood.map((word) => numberOf(table, word))
  expect(first).toEqual(flood.map((_, i) => i))
  expect(second.filter((number, i) => number === i).length).toBe(64)
  expect(wordsOf(table)).toEqual([...flood, ...flood.slice(64)])
})
