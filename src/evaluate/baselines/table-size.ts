// How large the tables of n-grams will be: a prediction from a sample before the sort, and the exact number after it.
import { planTrie, sortText } from "./ngram-trie.ts"
import type { Sliced } from "./slices.ts"
import type { SymbolArray } from "./symbols.ts"

/** `N₁` and `N₂` are at most the vocabulary. */
export const countsOfFollowers = (vocabSize: number) => (vocabSize <= 0xffff ? Uint16Array : Uint32Array)

export interface TableShape {
  /** Distinct k-grams by length, one root. */
  readonly nodesPerLevel: ArrayLike<number>
  readonly orders: readonly number[]
  readonly vocabSize: number
}

/** Bytes of the tables for models of each of `orders`; exact where the numbers of distinct k-grams are. */
export function bytesOfTables({ nodesPerLevel, orders, vocabSize }: TableShape): number {
  const order = Math.max(...orders)
  const symbolBytes = vocabSize <= 0x100 ? 1 : vocabSize <= 0x10000 ? 2 : 4
  const sumsOfContext = 4 + 2 * countsOfFollowers(vocabSize).BYTES_PER_ELEMENT
  let bytes = 0
  for (let k = 1; k <= order; k++) {
    const countsOfNode = Number(orders.includes(k)) + Number(k < order)
    bytes += 4 * (nodesPerLevel[k - 1] + 1) // firstChild
    bytes += nodesPerLevel[k] * (symbolBytes + 4 * countsOfNode)
    bytes += nodesPerLevel[k - 1] * sumsOfContext * countsOfNode
  }
  return bytes
}

/** Symbols of the larger sample; the smaller one is a quarter of it. */
const SAMPLE = 1 << 17

export interface PredictedTrie {
  readonly nodesPerLevel: Float64Array
  /** Different symbols in the sample. */
  readonly alphabetSize: number
}

/**
 * Distinct k-grams of all `ids` from those of its beginning, by Heaps' law: `D(N) = D(n) · (N / n)^β`, `β = log₄ (D(n) / D(n/4))`.
 *
 * As a text grows β only falls, so the prediction errs on the high side; a text shorter than the sample is counted.
 */
export function* predictTrie(ids: SymbolArray, order: number, vocabSize: number): Sliced<PredictedTrie> {
  const size = Math.min(ids.length, SAMPLE)
  const text = yield* sortText(ids.subarray(0, size), { order, vocabSize })
  const whole = (yield* planTrie(text, order)).nodesPerLevel
  const alphabetSize = text.alphabet.length
  if (size === ids.length) return { nodesPerLevel: Float64Array.from(whole), alphabetSize }
  const quarter = (yield* planTrie(text, order, Math.ceil(size / 4))).nodesPerLevel
  const nodesPerLevel = Float64Array.from(whole, (nodes, k) => {
    const exponent = Math.log(nodes / quarter[k]) / Math.log(4)
    return k === 0 ? 1 : Math.min(ids.length, nodes * (ids.length / size) ** exponent)
  })
  return { nodesPerLevel, alphabetSize }
}
