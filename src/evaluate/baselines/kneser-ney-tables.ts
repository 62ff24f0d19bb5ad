// What Kneser-Ney stores and how it is read: a trie of counts and, for each context, the sums that smoothing needs. One trie
// answers for several orders at once.
import { log } from "../../core/index.ts"
import { buildTrie, findChild, type TrieLevel, type TriePlan } from "./ngram-trie.ts"
import { inSlices, type Sliced } from "./slices.ts"
import { checkIds } from "./symbols.ts"
import { countsOfFollowers } from "./table-size.ts"

/** The trie and, for each length k, the smoothing of its counts as the highest order and as a lower one. */
export interface Tables {
  readonly vocabSize: number
  readonly levels: readonly TrieLevel[]
  readonly highest: readonly (Smoothing | undefined)[]
  readonly lower: readonly (Smoothing | undefined)[]
}

/** What `p(w | c)` needs beside the count of `c w`: sums over the children of each context. */
interface Smoothing {
  /** `a` of each k-gram, `[nodes of level k]`. */
  readonly counts: Uint32Array
  /** `Σ_v a(c v)`, `[nodes of level k - 1]`. */
  readonly totals: Uint32Array
  /** `N₁(c)` and `N₂(c)`, `[nodes of level k - 1]`; `N₃₊` is the rest of the children. */
  readonly ones: Uint16Array | Uint32Array
  readonly twos: Uint16Array | Uint32Array
  readonly discounts: Discounts
}

/** `D₁, D₂, D₃₊` at their count; `D₀ = 0`. */
type Discounts = readonly [0, number, number, number]

/** Tables for models of each of `orders`, none above the plan's. */
export function* buildTables(plan: TriePlan, orders: readonly number[], vocabSize: number): Sliced<Tables> {
  const order = Math.max(...orders)
  const levels = yield* buildTrie(plan, { order, occurrencesAt: orders })
  const highest: (Smoothing | undefined)[] = [undefined]
  const lower: (Smoothing | undefined)[] = [undefined]
  for (let k = 1; k <= order; k++) {
    const { occurrences, continuations } = levels[k]
    highest.push(orders.includes(k) ? yield* smoothCounts(levels[k - 1], occurrences, vocabSize) : undefined)
    lower.push(k < order ? yield* smoothCounts(levels[k - 1], continuations, vocabSize) : undefined)
  }
  return { vocabSize, levels, highest, lower }
}

function* smoothCounts(parents: TrieLevel, counts: Uint32Array, vocabSize: number): Sliced<Smoothing> {
  const contexts = parents.firstChild.length - 1
  const Narrow = countsOfFollowers(vocabSize)
  const totals = new Uint32Array(contexts)
  const [ones, twos] = [new Narrow(contexts), new Narrow(contexts)]
  const countsOfCounts = new Float64Array(5)
  yield* inSlices(contexts, (from, to) => {
    for (let context = from; context < to; context++)
      for (let node = parents.firstChild[context]; node < parents.firstChild[context + 1]; node++) {
        const count = counts[node]
        totals[context] += count
        if (count === 1) ones[context]++
        if (count === 2) twos[context]++
        if (count <= 4) countsOfCounts[count]++
      }
  })
  return { counts, totals, ones, twos, discounts: estimateDiscounts(countsOfCounts) }
}

/**
 * `D_j = j - (j + 1) · Y · n_{j+1} / n_j` with `Y = n₁ / (n₁ + 2 n₂)`, `n_j` the number of n-grams with count j.
 *
 * Where a count of counts is empty (every byte follows many others, a toy corpus) or a discount leaves (0, j], there is
 * nothing to estimate from and ½, 1, 1½ are used, as KenLM does when asked for a fallback.
 */
export function estimateDiscounts(countsOfCounts: ArrayLike<number>): Discounts {
  const [n1, n2, n3, n4] = [1, 2, 3, 4].map((count) => countsOfCounts[count])
  const y = n1 / (n1 + 2 * n2)
  const discounts = [0, 1 - (2 * y * n2) / n1, 2 - (3 * y * n3) / n2, 3 - (4 * y * n4) / n3] as const
  const usable = discounts.every((discount, count) => count === 0 || (discount > 0 && discount <= count))
  return usable && n4 > 0 ? discounts : [0, 0.5, 1, 1.5]
}

/** `p(w | c)` from the node of `c` (`-1`: never seen), the node of `c w` and `p(w | c')`. */
function interpolate(parents: TrieLevel, smoothing: Smoothing, context: number, node: number, shorter: number): number {
  const total = smoothing.totals[context]
  if (total === 0) return shorter
  const { discounts } = smoothing
  const n1 = smoothing.ones[context]
  const n2 = smoothing.twos[context]
  const n3 = parents.firstChild[context + 1] - parents.firstChild[context] - n1 - n2
  const count = node < 0 ? 0 : smoothing.counts[node]
  const kept = count - discounts[count < 3 ? count : 3]
  return (kept + (discounts[1] * n1 + discounts[2] * n2 + discounts[3] * n3) * shorter) / total
}

/**
 * Where a reader stands: `nodes[k]` is the node of the last k symbols, -1 where they were never seen together.
 *
 * The node that gives the probability of a symbol is the context of the next one, so a symbol costs one search a level.
 */
export function startReader(tables: Tables): Int32Array {
  const nodes = new Int32Array(tables.levels.length).fill(-1)
  nodes[0] = 0
  return nodes
}

/** Reads `symbol`; with `probabilities` given, `probabilities[k] = p(symbol | the k - 1 symbols before)` by the model of order k. */
export function readSymbol(tables: Tables, nodes: Int32Array, symbol: number, probabilities?: Float64Array): void {
  const { levels, highest, lower } = tables
  let shorter = 1 / tables.vocabSize
  let context = nodes[0]
  for (let k = 1; k < levels.length; k++) {
    const node = context < 0 ? -1 : findChild(levels[k - 1], levels[k], context, symbol)
    if (probabilities !== undefined) {
      const [top, below] = [highest[k], lower[k]]
      if (top !== undefined)
        probabilities[k] = context < 0 ? shorter : interpolate(levels[k - 1], top, context, node, shorter)
      if (below !== undefined && context >= 0) shorter = interpolate(levels[k - 1], below, context, node, shorter)
    }
    context = nodes[k]
    nodes[k] = node
  }
}

/** Work of one symbol and level while scoring, in passes of the sort; an order that is scored counts as one level more. */
export const SCORE_COST = 6

/** Sum of `-ln p` by order, `[order + 1]`; orders without a table of their own stay 0. */
export function* scoreOrders(tables: Tables, ids: ArrayLike<number>, starts: ArrayLike<number>): Sliced<Float64Array> {
  const { levels, highest, vocabSize } = tables
  const nats = new Float64Array(levels.length)
  const probabilities = new Float64Array(levels.length)
  const orders = [...highest.keys()].filter((k) => highest[k] !== undefined)
  const nodes = startReader(tables)
  let document = 0
  const score = (from: number, to: number): void => {
    checkIds(ids, vocabSize, from, to)
    for (let at = from; at < to; at++) {
      if (document < starts.length && starts[document] === at) {
        nodes.fill(-1, 1)
        document++
      }
      readSymbol(tables, nodes, ids[at], probabilities)
      for (const k of orders) nats[k] -= log(probabilities[k])
    }
  }
  yield* inSlices(ids.length, score, SCORE_COST * (levels.length + orders.length))
  return nats
}
