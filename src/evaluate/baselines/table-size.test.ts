// Laws of the size that is said first: exact once n-grams are counted, and before that never far too small.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { randomStream } from "../../core/index.ts"
import { buildTables } from "./kneser-ney-tables.ts"
import { planTrie, sortText } from "./ngram-trie.ts"
import { runToEnd } from "./slices.ts"
import { bytesOfTables, predictTrie } from "./table-size.ts"

const orders = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })

function countsAndBytes(ids: Int32Array | Uint8Array, orders: readonly number[], vocabSize: number) {
  const plan = runToEnd(
    planTrie(runToEnd(sortText(ids, { order: Math.max(...orders), vocabSize })), Math.max(...orders)),
  )
  const { levels, highest, lower } = runToEnd(buildTables(plan, orders, vocabSize))
  const arrays = [
    ...levels.flatMap((level) => [level.symbols, level.firstChild, level.occurrences, level.continuations]),
    ...[...highest, ...lower].flatMap((table) => (table ? [table.totals, table.ones, table.twos] : [])),
  ]
  return { nodesPerLevel: plan.nodesPerLevel, bytes: arrays.reduce((sum, array) => sum + array.byteLength, 0) }
}

describe("bytesOfTables", () => {
  it("is what the tables take, byte for byte, for any orders and vocabulary", () => {
    const text = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 50 })
    const vocabulary = fc.constantFrom(6, 300, 70_000)
    fc.assert(
      fc.property(text, orders, vocabulary, (text, orders, vocabSize) => {
        const { nodesPerLevel, bytes } = countsAndBytes(Int32Array.from(text), orders, vocabSize)
        expect(bytesOfTables({ nodesPerLevel, orders, vocabSize })).toBe(bytes)
      }),
    )
  })
})

describe("predictTrie", () => {
  it("is what there is for a text of a few symbols, however long the n-grams", () => {
    const text = fc.array(fc.nat({ max: 5 }), { minLength: 3, maxLength: 40 })
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 12 }), (text, order) => {
        const ids = Uint8Array.from(text)
        const { nodesPerLevel } = runToEnd(predictTrie(ids, order, 6))
        expect([...nodesPerLevel]).toEqual([...countsAndBytes(ids, [order], 6).nodesPerLevel])
        expect(bytesOfTables({ nodesPerLevel, orders: [order], vocabSize: 6 })).toBeGreaterThan(0)
      }),
    )
  })

  it("counts a short text, and errs on the high side for a long one, within a factor of three", () => {
    const stream = randomStream(1, "zipf")
    const words = Array.from({ length: 2000 }, () =>
      Array.from({ length: 2 + stream.below(6) }, () => stream.below(26)),
    )
    const ids = Uint8Array.from(
      Array.from({ length: 100_000 }, () => [...words[Math.floor(2000 ** stream.uniform()) - 1]!, 26]).flat(),
    )
    for (const length of [1000, ids.length]) {
      const exact = countsAndBytes(ids.subarray(0, length), [6], 256).nodesPerLevel
      const predicted = runToEnd(predictTrie(ids.subarray(0, length), 6, 256)).nodesPerLevel
      for (const [k, nodes] of predicted.entries())
        if (length === 1000) expect(nodes).toBe(exact[k])
        else {
          expect(nodes / exact[k]!).toBeGreaterThan(0.99)
          expect(nodes / exact[k]!).toBeLessThan(3)
        }
    }
  })
})
