import fc from "fast-check"
import { expect, it } from "vitest"
import { WordCounts, type WordList } from "./word-counts.ts"

/** Words with their counts, as a map. */
function mapOf({ bytes, starts, counts }: WordList): Map<string, number> {
  const words = counts.map((_, i) => new TextDecoder().decode(bytes.subarray(starts[i], starts[i + 1])))
  return new Map(words.map((word, i) => [word, counts[i]!]))
}
function countsOf(texts: readonly string[]): WordCounts {
  const counts = new WordCounts()
  for (const text of texts) counts.add(text)
  return counts
}

it("counts each word of each text", () => {
  const { counts } = countsOf(["the cat, the cat", "the"]).list()
  expect(counts).toHaveLength(4)
  expect(mapOf(countsOf(["the cat, the cat", "the"]).list())).toEqual(
    new Map([
      ["the", 2],
      [" cat", 2],
      [",", 1],
      [" the", 1],
    ]),
  )
})

it("the counts of two, merged, are the counts of one", () => {
  const texts = fc.array(fc.oneof(fc.constantFrom("the cat ", "it's\n\n "), fc.string({ unit: "grapheme" })))
  fc.assert(
    fc.property(texts, texts, (mine, yours) => {
      const merged = countsOf(mine)
      merged.merge(countsOf(yours).list())
      expect(mapOf(merged.list())).toEqual(mapOf(countsOf([...mine, ...yours]).list()))
    }),
  )
})
