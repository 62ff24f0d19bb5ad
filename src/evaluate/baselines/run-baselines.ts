// Every baseline on one split, without holding up timers and signals. The models see the training bytes and nothing else;
// what is chosen (the order of the n-grams) is chosen on a part of the training bytes.
import { platform } from "#platform"
import { DataError, formatBytes } from "../../core/index.ts"
import { compressionBaseline } from "./compression.ts"
import { chooseKneserNeyOrderSliced, trainKneserNeySliced } from "./kneser-ney.ts"
import { runSliced, type Sliced } from "./slices.ts"
import type { SymbolArray } from "./symbols.ts"
import { scoreUnigramSliced, trainUnigramSliced } from "./unigram.ts"

/** Kneser-Ney needs about 15 bytes of memory a training byte while it is built, brotli more: half a gigabyte. */
const MAX_TRAIN_BYTES = 32e6

const DEFAULT_BYTE_ORDERS = [3, 4, 5, 6, 7, 8]
const DEFAULT_TOKEN_ORDERS = [2, 3, 4, 5, 6]

/** In the order in which they run: the quick ones first. */
export const BASELINE_NAMES = [
  "unigram-tokens",
  "unigram-bytes",
  "kneser-ney-tokens",
  "kneser-ney-bytes",
  "brotli",
  "xz",
] as const

export type BaselineName = (typeof BASELINE_NAMES)[number]

export interface BaselineOptions {
  readonly trainText: Uint8Array
  readonly validText: Uint8Array
  /** The same texts as the model reads them. */
  readonly trainIds: SymbolArray
  readonly validIds: SymbolArray
  readonly vocabSize: number
  /** UTF-8 bytes that `validIds` stand for: the denominator of the token baselines, as of the model. */
  readonly bytes: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BaselineProgress) => void
  /** Which baselines; default all. */
  readonly only?: readonly BaselineName[]
  readonly byteOrders?: readonly number[]
  readonly tokenOrders?: readonly number[]
  /** Training bytes beyond this, at the front, are left out and `note` says so. Default 32 MB. */
  readonly maxTrainBytes?: number
}

export interface BaselineProgress {
  readonly name: BaselineName
  /** Baselines finished before this one. */
  readonly done: number
  readonly total: number
}

export interface BaselineResult {
  readonly name: BaselineName
  readonly unit: "token" | "byte"
  /** Undefined where the baseline could not run; `note` says why. */
  readonly bitsPerByte: number | undefined
  /** Nats per token or per byte. */
  readonly natsPerUnit: number | undefined
  readonly order?: number
  readonly tableBytes?: number
  readonly seconds: number
  readonly note?: string
}

/**
 * Runs the baselines one after another: unigram and Kneser-Ney over the model's tokens and over bytes, brotli and xz.
 *
 * All are in bits per byte of the held-out text. Unlike a model with a window, an n-gram model here reads the held-out
 * text as one stream, so no symbol lacks its context.
 *
 * @throws DataError  if the training or the held-out part is empty
 * @throws the signal's reason  if it is aborted
 */
export async function runBaselines(options: BaselineOptions): Promise<BaselineResult[]> {
  checkParts(options)
  const { parts, note } = truncateTraining(options)
  const names = BASELINE_NAMES.filter((name) => options.only?.includes(name) ?? true)
  const results: BaselineResult[] = []
  for (const name of names) {
    options.signal?.throwIfAborted()
    options.onProgress?.({ name, done: results.length, total: names.length })
    const start = platform.now()
    const measured = await measure(name, parts)
    const notes = [measured.note, note].filter((text) => text !== undefined)
    const noted = notes.length > 0 ? { note: notes.join("; ") } : {}
    results.push({ name, ...measured, seconds: (platform.now() - start) / 1000, ...noted })
  }
  return results
}

type Measured = Omit<BaselineResult, "name" | "seconds">

function measure(name: BaselineName, parts: BaselineOptions): Promise<Measured> {
  const tokens = { train: parts.trainIds, valid: parts.validIds, vocabSize: parts.vocabSize, bytes: parts.bytes }
  const bytes = { train: parts.trainText, valid: parts.validText, vocabSize: 256, bytes: parts.validText.length }
  const { signal, tokenOrders = DEFAULT_TOKEN_ORDERS, byteOrders = DEFAULT_BYTE_ORDERS } = parts
  switch (name) {
    case "unigram-tokens":
      return runSliced(measureUnigram("token", tokens), signal)
    case "unigram-bytes":
      return runSliced(measureUnigram("byte", bytes), signal)
    case "kneser-ney-tokens":
      return runSliced(measureKneserNey("token", tokens, tokenOrders), signal)
    case "kneser-ney-bytes":
      return runSliced(measureKneserNey("byte", bytes, byteOrders), signal)
    case "brotli":
    case "xz":
      return measureCompression(name, parts)
  }
}

/** One sequence pair for a count model; `bytes` is the denominator of bits per byte. */
interface SymbolSplit {
  readonly train: SymbolArray
  readonly valid: SymbolArray
  readonly vocabSize: number
  readonly bytes: number
}

function* measureUnigram(unit: "token" | "byte", split: SymbolSplit): Sliced<Measured> {
  const model = yield* trainUnigramSliced(split.train, split.vocabSize)
  const nats = yield* scoreUnigramSliced(model, split.valid)
  return { unit, ...perUnit(nats, split), tableBytes: model.tableBytes }
}

function* measureKneserNey(unit: "token" | "byte", split: SymbolSplit, orders: readonly number[]): Sliced<Measured> {
  const { vocabSize } = split
  const { order } = yield* chooseKneserNeyOrderSliced(split.train, { orders, vocabSize })
  const model = yield* trainKneserNeySliced(split.train, { order, vocabSize })
  const nats = yield* model.scoreNatsSliced(split.valid)
  return { unit, order, ...perUnit(nats, split), tableBytes: model.tableBytes }
}

async function measureCompression(program: "brotli" | "xz", parts: BaselineOptions): Promise<Measured> {
  const { bitsPerByte } = await unlessAborted(
    compressionBaseline(program, parts.trainText, parts.validText),
    parts.signal,
  )
  if (bitsPerByte === undefined)
    return { unit: "byte", bitsPerByte, natsPerUnit: undefined, note: `${program} was not found on this machine` }
  return { unit: "byte", bitsPerByte, natsPerUnit: bitsPerByte * Math.LN2 }
}

const perUnit = (nats: number, { valid, bytes }: SymbolSplit) => ({
  bitsPerByte: nats / Math.LN2 / bytes,
  natsPerUnit: nats / valid.length,
})

/** Settles as `work` does, or rejects as soon as the signal is aborted; the work itself cannot be called back. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const stop = new AbortController()
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: stop.signal }),
  )
  try {
    return await Promise.race([work, aborted])
  } finally {
    stop.abort()
  }
}

function checkParts({ trainText, validText, trainIds, validIds, bytes }: BaselineOptions): void {
  const lengths = { trainText, validText, trainIds, validIds }
  for (const [name, part] of Object.entries(lengths))
    if (part.length < 2)
      throw new DataError(`${name} must hold at least 2 symbols for the baselines, got ${part.length}`)
  if (!(bytes > 0)) throw new DataError(`bytes must be the positive size of the held-out text, got ${bytes}`)
}

/** The last part of the training text, and the same part of its tokens, where all of it would not fit. */
function truncateTraining(options: BaselineOptions): { parts: BaselineOptions; note?: string } {
  const { trainText, trainIds, maxTrainBytes = MAX_TRAIN_BYTES } = options
  if (trainText.length <= maxTrainBytes) return { parts: options }
  const dropped = 1 - maxTrainBytes / trainText.length
  return {
    parts: {
      ...options,
      trainText: trainText.subarray(trainText.length - maxTrainBytes),
      trainIds: trainIds.subarray(Math.round(trainIds.length * dropped)),
    },
    note: `saw the last ${formatBytes(maxTrainBytes)} of ${formatBytes(trainText.length)} of training text`,
  }
}
