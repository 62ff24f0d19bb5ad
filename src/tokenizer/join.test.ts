import fc from "fast-check"
import { expect, it } from "vitest"
import { createJoiner, type Join } from "./join.ts"

/** The rule as it is stated: lowest rank first, leftmost of equals, until no learned pair is left. */
function joinSlowly(ids: readonly number[], merges: readonly Join[]): number[] {
  const word = [...ids]
  const rankAt = (i: number) => merges.findIndex(({ left, right }) => left === word[i] && right === word[i + 1])
  for (;;) {
    const ranks = word.slice(1).map((_, i) => rankAt(i))
    const best = Math.min(...ranks.filter((rank) => rank >= 0))
    if (best === Infinity) return word
    word.splice(ranks.indexOf(best), 2, merges[best]!.joined)
  }
}

function join(merges: readonly Join[], word: Int32Array): Int32Array {
  return word.subarray(0, createJoiner(merges)(word, word.length))
}

/** Joins of ids that exist by then, in any order of ranks: a foreign file may rank a join before the parts it needs. */
const someMerges = fc
  .tuple(fc.array(fc.tuple(fc.nat(1e6), fc.nat(1e6)), { minLength: 1, maxLength: 12 }), fc.nat())
  .map(([picks, rotation]) => {
    const merges = picks.map(([a, b], i) => ({ left: a % (3 + i), right: b % (3 + i), joined: 3 + i }))
    const start = rotation % merges.length
    return [...merges.slice(start), ...merges.slice(0, start)]
  })

// Words around the length from which on a heap takes over from rescanning, and words of few different ids.
const words = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 120, max: 136 }), fc.constant(300)),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([length, kinds]) => fc.array(fc.nat(kinds - 1), { minLength: length, maxLength: length }))

it("short and long words are joined by one rule", () => {
  fc.assert(
    fc.property(someMerges, words, (merges, word) => {
      expect([...join(merges, Int32Array.from(word))]).toEqual(joinSlowly(word, merges))
    }),
    { numRuns: 1000 },
  )
})

it("a million equal letters are joined without rescanning", () => {
  const merges = Array.from({ length: 10 }, (_, i) => ({ left: i, right: i, joined: i + 1 }))
  expect(join(merges, new Int32Array(2 ** 20))).toEqual(new Int32Array(2 ** 10).fill(10))
})
