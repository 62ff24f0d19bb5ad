// Interpolated modified Kneser-Ney: the strongest n-gram model without tuning, and the one to beat. Its order is chosen on a
// carve-out of the training symbols; one sort of the text serves the choice and the model.
import { ConfigError, DataError, log } from "../../core/index.ts"
import type { CountModel, CountReader } from "./count-model.ts"
import { buildTables, readSymbol, SCORE_COST, scoreOrders, startReader, type Tables } from "./kneser-ney-tables.ts"
import { checkOrder, planTrie, type SortedText, sortText, type TriePlan } from "./ngram-trie.ts"
import { inSlices, runToEnd, type Sliced } from "./slices.ts"
import { checkIds, type SymbolArray } from "./symbols.ts"
import { bytesOfTables } from "./table-size.ts"

export interface KneserNeyOptions {
  readonly order: number
  readonly vocabSize: number
  /** Where documents begin, ascending; contexts do not cross. Default: one document. */
  readonly starts?: ArrayLike<number>
}

export interface KneserNeyModel extends CountModel {
  readonly order: number
  readonly vocabSize: number
  /** `ln p(next | context)`; only the last `order - 1` symbols of the context matter. */
  logProbability(context: ArrayLike<number>, next: number): number
  /** Sum of `-ln p` over `ids`, each given those before it in its document, in nats. */
  scoreNats(ids: ArrayLike<number>, options?: { readonly starts?: ArrayLike<number> }): number
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

function* trainKneserNeySliced(ids: SymbolArray, options: KneserNeyOptions): Sliced<KneserNeyModel> {
  const text = yield* sortText(ids, options)
  return yield* modelOf(text, options.order, options.vocabSize)
}

function* modelOf(text: SortedText, order: number, vocabSize: number): Sliced<KneserNeyModel> {
  const plan = yield* planTrie(text, order)
  const tables = yield* buildTables(plan, [order], vocabSize)
  return {
    order,
    vocabSize,
    tableBytes: bytesOfTables({ ...plan, orders: [order], vocabSize }),
    logProbability: (context, next) => logProbability(tables, order, context, next),
    scoreNats: (ids, { starts = [] } = {}) => runToEnd(scoreOrders(tables, ids, starts))[order],
    startReading: () => readerOf(tables, order),
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

function readerOf(tables: Tables, order: number): CountReader {
  const nodes = startReader(tables)
  const probabilities = new Float64Array(order + 1)
  return {
    *read(ids, nats) {
      const read = (from: number, to: number): void => {
        checkIds(ids, tables.vocabSize, from, to)
        for (let at = from; at < to; at++) {
          readSymbol(tables, nodes, ids[at], probabilities)
          nats[at] = -log(probabilities[order])
        }
      }
      yield* inSlices(ids.length, read, SCORE_COST * (order + 1))
    },
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
  /** Symbol that ends a document: the carve-out begins after one, where one is near. */
  readonly endOfDocument?: number | undefined
}

/**
 * Chooses the order on the last part of the training symbols; the caller then trains on all of them.
 *
 * @throws ConfigError  if there is no order to choose from or the carve-out is not in (0, 1)
 * @throws DataError  if there are fewer than two symbols
 */
export function chooseKneserNeyOrder(ids: SymbolArray, options: OrderChoiceOptions): OrderChoice {
  const { orders, vocabSize } = checkChoice(ids, options)
  const text = runToEnd(sortText(ids, { order: Math.max(...orders), vocabSize }))
  return runToEnd(chooseOrder(text, ids, options))
}

/** To choose from, over bytes and over tokens: of prose 6 tokens are as good as 9; characters and code want more. */
export const DEFAULT_ORDERS: readonly number[] = [2, 3, 4, 5, 6, 7, 8, 9]

export interface FittingOptions extends OrderChoiceOptions {
  /** Told how many bytes the tables take before they are allocated. */
  readonly onTables?: (bytes: number) => void
  /** Tables may take so much: higher orders are left out of the choice where they would not fit. */
  readonly tableBytes?: number
}

/** Chooses the order on the carve-out, then trains on all symbols. */
export function* fitKneserNey(
  ids: SymbolArray,
  options: FittingOptions,
): Sliced<KneserNeyModel & { choice: OrderChoice }> {
  const { orders, vocabSize } = checkChoice(ids, options)
  const text = yield* sortText(ids, { order: Math.max(...orders), vocabSize })
  const choice = yield* chooseOrder(text, ids, options)
  return { ...(yield* modelOf(text, choice.order, vocabSize)), choice }
}

function checkChoice(ids: SymbolArray, options: OrderChoiceOptions): OrderChoiceOptions {
  const { orders, carveOut = 0.1 } = options
  if (orders.length === 0) throw new ConfigError("orders must name at least one order, got none")
  orders.forEach(checkOrder)
  if (!(carveOut > 0 && carveOut < 1)) throw new ConfigError(`carveOut must be between 0 and 1, got ${carveOut}`)
  if (ids.length < 2) throw new DataError(`choosing an order takes at least 2 symbols, got ${ids.length}`)
  return options
}

function* chooseOrder(text: SortedText, ids: SymbolArray, options: FittingOptions): Sliced<OrderChoice> {
  const { vocabSize, onTables } = options
  const kept = carve(ids, options)
  const plan = yield* planTrie(text, Math.max(...options.orders), kept)
  const orders = fitting(plan, options)
  const tableBytes = bytesOfTables({ ...plan, orders, vocabSize })
  onTables?.(tableBytes)
  const tables = yield* buildTables(plan, orders, vocabSize)
  const nats = yield* scoreOrders(tables, ids.subarray(kept), [])
  const candidates = orders.map((order) => ({ order, natsPerSymbol: nats[order] / (ids.length - kept) }))
  const best = candidates.reduce((a, b) => (comesBefore(b, a) ? b : a))
  return { order: best.order, candidates, tableBytes }
}

/** The orders whose tables fit together, without the highest ones; the lowest in any case. */
function fitting(
  { nodesPerLevel }: TriePlan,
  { orders, vocabSize, tableBytes = Infinity }: FittingOptions,
): readonly number[] {
  const upTo = (order: number) => orders.filter((one) => one <= order)
  const fits = (order: number) => bytesOfTables({ nodesPerLevel, orders: upTo(order), vocabSize }) <= tableBytes
  return upTo(Math.max(...orders.filter(fits), Math.min(...orders)))
}

/** How far from its place the carve-out may begin, as a part of all symbols, so that it begins with a document. */
const NEAR = 0.05

/** Symbols before the carve-out: at least one, not all. */
function carve(ids: SymbolArray, { carveOut = 0.1, endOfDocument }: OrderChoiceOptions): number {
  const kept = Math.min(ids.length - 1, Math.max(1, Math.round(ids.length * (1 - carveOut))))
  if (endOfDocument === undefined) return kept
  const near = Math.floor(ids.length * Math.min(NEAR, carveOut / 2))
  const after = ids.indexOf(endOfDocument, kept - 1)
  const before = ids.lastIndexOf(endOfDocument, kept - 1)
  const distance = (end: number): number => (end < 0 ? Infinity : Math.abs(end + 1 - kept))
  const nearest = distance(before) <= distance(after) ? before : after
  return distance(nearest) <= near && nearest + 1 < ids.length ? nearest + 1 : kept
}

type Candidate = OrderChoice["candidates"][number]

const comesBefore = (a: Candidate, b: Candidate): boolean =>
  a.natsPerSymbol < b.natsPerSymbol || (a.natsPerSymbol === b.natsPerSymbol && a.order < b.order)
