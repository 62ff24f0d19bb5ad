// The baselines that count: unigrams and Kneser-Ney, over tokens or bytes, trained and scored with their work told as it is done.
import { formatBytes } from "../../core/index.ts"
import type { DocumentScore } from "../score/document-score.ts"
import { type BaselineText, lastSymbols, type SymbolUnit } from "./baseline-text.ts"
import { scoreDocuments } from "./document-scores.ts"
import { fitKneserNey, type OrderChoice } from "./kneser-ney.ts"
import { SCORE_COST } from "./kneser-ney-tables.ts"
import { type Meter, workCounter } from "./meter.ts"
import { sortPasses, TRIE_COST } from "./ngram-trie.ts"
import { runSliced } from "./slices.ts"
import { bytesOfTables, type PredictedTrie, predictTrie } from "./table-size.ts"
import { countSymbols, startCounting, unigramOf } from "./unigram.ts"

export interface CountingOptions {
  readonly meter: Meter
  readonly signal?: AbortSignal | undefined
}

export interface CountingResult {
  readonly unit: "token" | "byte"
  readonly bitsPerByte: number
  readonly natsPerUnit: number
  readonly tableBytes: number
  readonly documents: readonly DocumentScore[]
  readonly order?: number
  readonly note?: string
}

/** How often each symbol occurs in the training text, on the held-out text. */
export async function measureUnigram(
  text: BaselineText,
  unit: SymbolUnit,
  { meter, signal }: CountingOptions,
): Promise<CountingResult> {
  meter.begin()
  const onWork = workCounter(meter, unit.trainLength + unit.heldOutLength)
  const counts = startCounting(unit.vocabSize)
  for await (const piece of unit.training(signal)) await runSliced(countSymbols(counts, piece), signal, onWork)
  const model = unigramOf(counts)
  const documents = await scoreDocuments(model, text, unit, { signal, onWork })
  return { ...summarize(documents, unit), tableBytes: model.tableBytes }
}

export interface KneserNeyMeasuring extends CountingOptions {
  /** To choose from. */
  readonly orders: readonly number[]
  /** Memory that the symbols, their sort and the tables may take together. */
  readonly memoryBytes: number
}

/** Kneser-Ney of the order that is best on a carve-out of the training text, on the held-out text. */
export async function measureKneserNey(
  text: BaselineText,
  unit: SymbolUnit,
  options: KneserNeyMeasuring,
): Promise<CountingResult> {
  const { orders, memoryBytes, meter, signal } = options
  const { vocabSize, endOfDocument } = unit
  meter.begin()
  const room = roomFor(unit, memoryBytes)
  const symbols = await lastSymbols(unit, room.symbols, signal)
  const predicted = await runSliced(predictTrie(symbols, Math.max(...orders), vocabSize), signal)
  meter.sizeTables(Math.round(bytesOfTables({ ...predicted, orders, vocabSize })))
  const onWork = workCounter(meter, workOf(predicted, room.symbols, unit.heldOutLength, orders))
  const fitting = { orders, vocabSize, endOfDocument, tableBytes: room.tableBytes, onTables: meter.sizeTables }
  const model = await runSliced(fitKneserNey(symbols, fitting), signal, onWork)
  const documents = await scoreDocuments(model, text, unit, { signal, onWork })
  const note = noteOnRoom(room.symbols / unit.trainLength, text, orders, model.choice)
  const { order, tableBytes } = model
  return { ...summarize(documents, unit), order, tableBytes, ...(note === undefined ? {} : { note }) }
}

/** Symbols that can be sorted in `memoryBytes`, and what is then left for tables. */
export function roomFor(
  { vocabSize, trainLength }: Pick<SymbolUnit, "vocabSize" | "trainLength">,
  memoryBytes: number,
): { symbols: number; tableBytes: number } {
  const width = vocabSize <= 0x100 ? 1 : vocabSize <= 0x10000 ? 2 : 4
  const sortBytes = 2 * width + 8 // the symbols, their ranks, positions before and after a pass
  const planBytes = 3 * width + 6 // the symbols, their ranks, those before them, positions, prefixes and spans
  const least = Math.max(sortBytes, planBytes + LEAST_TABLE_BYTES)
  const symbols = Math.min(trainLength, Math.max(2, Math.floor(memoryBytes / least)))
  return { symbols, tableBytes: memoryBytes - symbols * planBytes }
}

/** Bytes of table a symbol that are left for the tables when the text must be shortened: those of order 9 over prose. */
const LEAST_TABLE_BYTES = 10

/** Passes of the sort, of a whole measurement: what a {@link workCounter} counts to. */
function workOf(predicted: PredictedTrie, symbols: number, heldOut: number, orders: readonly number[]): number {
  const order = Math.max(...orders)
  const contexts = predicted.nodesPerLevel.reduce((sum, nodes) => sum + nodes, 0) - predicted.nodesPerLevel[order]
  const tables = 2 * (TRIE_COST.neighbors + TRIE_COST.level * order) * symbols + 3 * contexts
  const carved = 0.1 * symbols * SCORE_COST * (order + 1 + orders.length)
  return sortPasses(order, predicted.alphabetSize) * symbols + tables + carved + heldOut * SCORE_COST * (order + 1)
}

/** What memory did not hold: some of the training text, the higher orders. */
export function noteOnRoom(
  part: number,
  text: Pick<BaselineText, "trainBytes">,
  orders: readonly number[],
  { candidates }: OrderChoice,
): string | undefined {
  const notes = [noteOnText(part, text), noteOnOrders(orders, candidates)].filter((one) => one !== undefined)
  return notes.length === 0 ? undefined : notes.join("; ")
}

const noteOnText = (part: number, { trainBytes }: Pick<BaselineText, "trainBytes">): string | undefined =>
  part < 1
    ? `saw the last ${formatBytes(Math.round(part * trainBytes))} of ${formatBytes(trainBytes)} of training text: memory holds no more`
    : undefined

function noteOnOrders(asked: readonly number[], candidates: readonly { readonly order: number }[]): string | undefined {
  const highest = Math.max(...candidates.map(({ order }) => order))
  return highest < Math.max(...asked) ? `orders above ${highest} were left out: memory holds no more` : undefined
}

function summarize(documents: readonly DocumentScore[], { name }: SymbolUnit) {
  const sum = (key: "nats" | "bytes" | "tokens") => documents.reduce((total, document) => total + document[key], 0)
  const nats = sum("nats")
  return { unit: name, bitsPerByte: nats / Math.LN2 / sum("bytes"), natsPerUnit: nats / sum("tokens"), documents }
}
