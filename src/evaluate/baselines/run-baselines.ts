// Every baseline on one split, on all cores, without holding up timers and signals. The models see the training bytes and
// nothing else; what is chosen (the order of the n-grams) is chosen on a part of the training bytes.
import { platform } from "#platform"
import type { DataInput, TokenSource } from "../../data/index.ts"
import type { Tokenizer } from "../../tokenizer/index.ts"
import type { DocumentScore } from "../score/document-score.ts"
import { type BaselineText, byteUnit, openText, tokenUnit } from "./baseline-text.ts"
import { measureCompression } from "./compression.ts"
import { measureKneserNey, measureUnigram } from "./counting.ts"
import { DEFAULT_ORDERS } from "./kneser-ney.ts"
import { createLanes, type InLane } from "./lanes.ts"
import { createMeter, type Meter } from "./meter.ts"

/** The quick ones first. */
export const BASELINE_NAMES = [
  "unigram-tokens",
  "unigram-bytes",
  "kneser-ney-tokens",
  "kneser-ney-bytes",
  "brotli",
  "xz",
] as const

export type BaselineName = (typeof BASELINE_NAMES)[number]

/** What people call them. */
const TITLES: { readonly [name in BaselineName]: string } = {
  "unigram-tokens": "unigram over tokens",
  "unigram-bytes": "unigram over bytes",
  "kneser-ney-tokens": "Kneser-Ney over tokens",
  "kneser-ney-bytes": "Kneser-Ney over bytes",
  brotli: "brotli",
  xz: "xz",
}

export interface BaselineOptions {
  /** What the model was trained on: its tokens, or the text. */
  readonly train: DataInput | TokenSource
  /** Held-out text; read anew for each baseline, one document in memory at a time. */
  readonly valid: DataInput
  /** The model's. Where it ends documents with a token, the baselines over bytes and the compressors pay for those ends too. */
  readonly tokenizer: Tokenizer
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BaselineProgress) => void
  /** Which baselines; default all. */
  readonly only?: readonly BaselineName[]
  /** Default 2 to 9. */
  readonly byteOrders?: readonly number[]
  /** Default 2 to 9. */
  readonly tokenOrders?: readonly number[]
  /**
   * Memory that tables and compressors may take; default half of what is free. Where it is too little, orders, training text
   * or windows shrink, and `note` says so.
   */
  readonly memoryBytes?: number
}

export interface BaselineProgress {
  /** The baseline that got on; compressors run beside the models of counts. */
  readonly name: BaselineName
  readonly title: string
  /** Baselines that are finished. */
  readonly done: number
  readonly total: number
  /** Part of this baseline's work that is done, 0 to 1. */
  readonly fraction: number
  /** Bytes of its tables: predicted before the text is sorted, exact before they are allocated. */
  readonly tableBytes?: number
  /** Seconds that it takes in all, at its speed so far; absent at the very beginning. */
  readonly predictedSeconds?: number
}

/** One result; a caller may add results of its own to the list, such as an equal-FLOP vanilla model's. */
export interface BaselineResult {
  readonly name: BaselineName | (string & {})
  /** What people call it: "Kneser-Ney over bytes". */
  readonly title: string
  readonly unit: "token" | "byte"
  /** Undefined where the baseline could not run; `note` says why. */
  readonly bitsPerByte: number | undefined
  /** Nats per token or per byte. */
  readonly natsPerUnit: number | undefined
  readonly order?: number
  readonly tableBytes?: number
  /** From its beginning to its end; others ran beside it. */
  readonly seconds: number
  readonly note?: string
  /** The score of each held-out document, to be paired with a model's; compressors have a total only. */
  readonly documents?: readonly DocumentScore[]
}

/**
 * Runs the baselines: unigram and Kneser-Ney over the model's tokens and over bytes one after another, brotli and xz beside
 * them on the other cores.
 *
 * All are in bits per byte of the held-out text. Unlike a model with a window, an n-gram model here reads the held-out
 * text as one stream, so no symbol lacks its context.
 *
 * @returns  results in the order of {@link BASELINE_NAMES}
 * @throws DataError  if the training or the held-out text is empty
 * @throws the signal's reason  if it is aborted
 */
export async function runBaselines(options: BaselineOptions): Promise<BaselineResult[]> {
  const { signal, only, memoryBytes = platform.memory().freeBytes / 2 } = options
  signal?.throwIfAborted()
  const stop = new AbortController() // one failure ends what runs beside it
  const anySignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const names = BASELINE_NAMES.filter((name) => only?.includes(name) ?? true)
  try {
    const text = await openText({ ...options, signal: anySignal })
    const running = { ...options, text, memoryBytes, signal: anySignal, inLane: createLanes(platform.cores()) }
    return await runAll(names, running)
  } catch (error) {
    stop.abort()
    signal?.throwIfAborted()
    throw error
  }
}

interface Running extends BaselineOptions {
  readonly text: BaselineText
  readonly memoryBytes: number
  readonly signal: AbortSignal
  readonly inLane: InLane
}

/** The models of counts in one lane, since they share a thread; compressors in any that is free. */
async function runAll(names: readonly BaselineName[], running: Running): Promise<BaselineResult[]> {
  const { onProgress, inLane } = running
  const results = new Map<BaselineName, BaselineResult>()
  const run = async (name: BaselineName): Promise<void> => {
    const title = TITLES[name]
    const meter = createMeter((facts) =>
      onProgress?.({ name, title, done: results.size, total: names.length, ...facts }),
    )
    const measured = await measure(name, running, meter)
    results.set(name, { name, title, ...measured, seconds: meter.seconds() })
  }
  const counting = async (): Promise<void> => {
    for (const name of names) if (!isCompressor(name)) await run(name)
  }
  await Promise.all([inLane(counting), ...names.filter(isCompressor).map(run)])
  return names.map((name) => results.get(name)!)
}

const isCompressor = (name: BaselineName): name is "brotli" | "xz" => name === "brotli" || name === "xz"

type Measured = Omit<BaselineResult, "name" | "title" | "seconds">

async function measure(name: BaselineName, running: Running, meter: Meter): Promise<Measured> {
  const { text, memoryBytes, inLane, signal, tokenOrders = DEFAULT_ORDERS, byteOrders = DEFAULT_ORDERS } = running
  const counting = { meter, signal, memoryBytes: memoryBytes / 2 } // the other half is the compressors'
  switch (name) {
    case "unigram-tokens":
      return measureUnigram(text, tokenUnit(text), counting)
    case "unigram-bytes":
      return measureUnigram(text, byteUnit(text), counting)
    case "kneser-ney-tokens":
      return measureKneserNey(text, tokenUnit(text), { ...counting, orders: tokenOrders })
    case "kneser-ney-bytes":
      return measureKneserNey(text, byteUnit(text), { ...counting, orders: byteOrders })
    case "brotli":
    case "xz": {
      const share = memoryBytes / 2 / platform.cores()
      const result = await measureCompression(name, text, { meter, inLane, signal, memoryBytes: share })
      const { bitsPerByte } = result
      return { unit: "byte", ...result, natsPerUnit: bitsPerByte === undefined ? undefined : bitsPerByte * Math.LN2 }
    }
  }
}
