// Interpolated modified Kneser-Ney: the strongest n-gram model without tuning, and the one to beat. One trie of counts
// answers for several orders at once, so that choosing an order costs one build and one pass over the held-out symbols.
import { ConfigError, DataError, log } from "../../core/index.ts"
import { buildTrie, checkOrder, findChild, type TrieLevel } from "./ngram-trie.ts"
import { inSlices, runToEnd, type Sliced } from "./slices.ts"
import { checkIds, checkVocabSize, type SymbolArray } from "./symbols.ts"

export interface KneserNeyOptions {
  readonly order: number
  readonly vocabSize: number
  /** Where documents begin, ascending; contexts do not cross. Default: one document. */
  readonly starts?: ArrayLike<number>
}

export interface KneserNeyModel {
  readonly order: number
  readonly vocabSize: number
  /** Bytes of all tables, as they lie in memory. */
  readonly tableBytes: number
  /** `ln p(next | context)`; only the last `order - 1` symbols of the context matter. */
  logProbability(context: ArrayLike<number>, next: number): number
  /** Sum of `-ln p` over `ids`, each given those before it in its document, in nats. */
  scoreNats(ids: ArrayLike<number>, options?: { readonly starts?: ArrayLike<number> }): number
  /** {@link KneserNeyModel.scoreNats} with pauses. */
  scoreNatsSliced(ids: ArrayLike<number>, options?: { readonly starts?: ArrayLike<number> }): Sliced<number>
}

/**
 * Trains interpolated modified Kneser-Ney. For a context `c` and the context `c'` one symbol shorter
 *
 *   p(w | c) = (a(c w) - D(a(c w)) + (D₁ N₁(c) + D₂ N₂(c) + D₃ N₃₊(c)) · p(w | c')) / Σ_v a(c v)
 *
 * where `a` counts occurrences at the highest order and distinct left neighbors below it, `N_j(c)` is how many symbols
 * follow `c` with `a = j`, and the recursion ends at `1 / V`. The start of a document is one more left neighbor.
 *
 * @param ids  symbols in `0..vocabSize-1`
 * @throws ConfigError  if the order is not in `1..32`
 * @throws DataError  if an id is not below `vocabSize`
 * @see Chen & Goodman 1998, TR-10-98, section 3; discounts from the counts of counts of each order
 */
export function trainKneserNey(ids: SymbolArray, options: KneserNeyOptions): KneserNeyModel {
  return runToEnd(trainKneserNeySliced(ids, options))
}

/** {@link trainKneserNey} with pauses. */
export function* trainKneserNeySliced(ids: SymbolArray, options: KneserNeyOptions): Sliced<KneserNeyModel> {
  const { order, vocabSize } = options
  const tables = yield* buildTables(ids, [order], options)
  function* scoreNatsSliced(scored: ArrayLike<number>, { starts = [] }: { starts?: ArrayLike<number> } = {}) {
    return (yield* scoreOrders(tables, scored, starts))[order]
  }
  return {
    order,
    vocabSize,
    tableBytes: measureBytes(tables),
    logProbability: (context, next) => logProbability(tables, order, context, next),
    scoreNats: (scored, scoring) => runToEnd(scoreNatsSliced(scored, scoring)),
    scoreNatsSliced,
  }
}

export interface OrderChoice {
  /** The order with the fewest nats on the carve-out; the lower one where two tie. */
  readonly order: number
  /** Mean nats per symbol of the carve-out, by order, in the order asked. */
  readonly candidates: readonly { readonly order: number; readonly natsPerSymbol: number }[]
  readonly tableBytes: number
}

export interface OrderChoiceOptions {
  readonly orders: readonly number[]
  readonly vocabSize: number
  /** Part of the symbols, at the end, that is scored and not counted. Default 0.1. */
  readonly carveOut?: number
}

/**
 * Chooses the order on the last part of the training symbols; the caller then trains on all of them.
 *
 * @throws ConfigError  if there is no order to choose from or the carve-out is not in (0, 1)
 * @throws DataError  if there are fewer than two symbols
 */
export function chooseKneserNeyOrder(ids: SymbolArray, options: OrderChoiceOptions): OrderChoice {
  return runToEnd(chooseKneserNeyOrderSliced(ids, options))
}

/** {@link chooseKneserNeyOrder} with pauses. */
export function* chooseKneserNeyOrderSliced(ids: SymbolArray, options: OrderChoiceOptions): Sliced<OrderChoice> {
  const { orders, vocabSize, carveOut = 0.1 } = options
  if (orders.length === 0) throw new ConfigError("orders must name at least one order, got none")
  if (!(carveOut > 0 && carveOut < 1)) throw new ConfigError(`carveOut must be between 0 and 1, got ${carveOut}`)
  if (ids.length < 2) throw new DataError(`choosing an order takes at least 2 symbols, got ${ids.length}`)
  const kept = Math.min(ids.length - 1, Math.max(1, Math.round(ids.length * (1 - carveOut))))
  const tables = yield* buildTables(ids.subarray(0, kept), orders, { vocabSize })
  const nats = yield* scoreOrders(tables, ids.subarray(kept), [])
  const candidates = orders.map((order) => ({ order, natsPerSymbol: nats[order] / (ids.length - kept) }))
  const best = candidates.reduce((a, b) => (comesBefore(b, a) ? b : a))
  return { order: best.order, candidates, tableBytes: measureBytes(tables) }
}

type Candidate = OrderChoice["candidates"][number]

const comesBefore = (a: Candidate, b: Candidate): boolean =>
  a.natsPerSymbol < b.natsPerSymbol || (a.natsPerSymbol === b.natsPerSymbol && a.order < b.order)

/** The trie and, for each length k, the smoothing of its counts as the highest order and as a lower one. */
interface Tables {
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

function* buildTables(
  ids: SymbolArray,
  orders: readonly number[],
  options: { readonly vocabSize: number; readonly starts?: ArrayLike<number> },
): Sliced<Tables> {
  orders.forEach(checkOrder)
  const order = Math.max(...orders)
  const levels = yield* buildTrie(ids, { ...options, order, occurrencesAt: orders })
  const highest: (Smoothing | undefined)[] = [undefined]
  const lower: (Smoothing | undefined)[] = [undefined]
  for (let k = 1; k <= order; k++) {
    const { occurrences, continuations } = levels[k]
    highest.push(orders.includes(k) ? yield* smoothCounts(levels[k - 1], occurrences, options.vocabSize) : undefined)
    lower.push(k < order ? yield* smoothCounts(levels[k - 1], continuations, options.vocabSize) : undefined)
  }
  return { vocabSize: options.vocabSize, levels, highest, lower }
}

function* smoothCounts(parents: TrieLevel, counts: Uint32Array, vocabSize: number): Sliced<Smoothing> {
  const contexts = parents.firstChild.length - 1
  const Narrow = vocabSize <= 0xffff ? Uint16Array : Uint32Array
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
  if (context < 0) return shorter
  const total = smoothing.totals[context]
  if (total === 0) return shorter
  const [, d1, d2, d3] = smoothing.discounts
  const [n1, n2] = [smoothing.ones[context], smoothing.twos[context]]
  const n3 = parents.firstChild[context + 1] - parents.firstChild[context] - n1 - n2
  const count = node < 0 ? 0 : smoothing.counts[node]
  const kept = count - smoothing.discounts[Math.min(count, 3)]
  return (kept + (d1 * n1 + d2 * n2 + d3 * n3) * shorter) / total
}

/**
 * Where a reader stands: `nodes[k]` is the node of the last k symbols, -1 where they were never seen together.
 *
 * The node that gives the probability of a symbol is the context of the next one, so a symbol costs one search a level.
 */
function startReader(tables: Tables): Int32Array {
  const nodes = new Int32Array(tables.levels.length).fill(-1)
  nodes[0] = 0
  return nodes
}

/** Reads `symbol`; with `probabilities` given, `probabilities[k] = p(symbol | the k - 1 symbols before)` by the model of order k. */
function readSymbol(tables: Tables, nodes: Int32Array, symbol: number, probabilities?: Float64Array): void {
  const { levels, highest, lower } = tables
  let shorter = 1 / tables.vocabSize
  let context = nodes[0]
  for (let k = 1; k < levels.length; k++) {
    const node = context < 0 ? -1 : findChild(levels[k - 1], levels[k], context, symbol)
    if (probabilities !== undefined) {
      const [top, below] = [highest[k], lower[k]]
      if (top !== undefined) probabilities[k] = interpolate(levels[k - 1], top, context, node, shorter)
      if (below !== undefined) shorter = interpolate(levels[k - 1], below, context, node, shorter)
    }
    context = nodes[k]
    nodes[k] = node
  }
}

function logProbability(tables: Tables, order: number, context: ArrayLike<number>, next: number): number {
  const nodes = startReader(tables)
  const probabilities = new Float64Array(order + 1)
  for (let at = Math.max(0, context.length - order + 1); at < context.length; at++)
    readSymbol(tables, nodes, context[at])
  readSymbol(tables, nodes, next, probabilities)
  return log(probabilities[order])
}

/** Sum of `-ln p` by order, `[order + 1]`; orders without a table of their own stay 0. */
function* scoreOrders(tables: Tables, ids: ArrayLike<number>, starts: ArrayLike<number>): Sliced<Float64Array> {
  const { levels, highest, vocabSize } = tables
  checkVocabSize(vocabSize)
  const nats = new Float64Array(levels.length)
  const probabilities = new Float64Array(levels.length)
  const scoredOrders = [...highest.keys()].filter((k) => highest[k] !== undefined)
  const nodes = startReader(tables)
  let document = 0
  yield* inSlices(ids.length, (from, to) => {
    checkIds(ids, vocabSize, from, to)
    for (let at = from; at < to; at++) {
      if (document < starts.length && starts[document] === at) {
        nodes.fill(-1, 1)
        document++
      }
      readSymbol(tables, nodes, ids[at], probabilities)
      for (const k of scoredOrders) nats[k] -= log(probabilities[k])
    }
  })
  return nats
}

function measureBytes({ levels, highest, lower }: Tables): number {
  const arrays = [
    ...levels.flatMap((level) => [level.symbols, level.firstChild, level.occurrences, level.continuations]),
    ...[...highest, ...lower].flatMap((table) => (table ? [table.totals, table.ones, table.twos] : [])),
  ]
  return arrays.reduce((sum, array) => sum + array.byteLength, 0)
}
