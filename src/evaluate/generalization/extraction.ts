// Extraction: given the beginning of a training passage, does the model write what follows, word for word?
import { ConfigError } from "../../core/index.ts"
import type { Model } from "../../generate/index.ts"
import { scoreEndings } from "../score/score-endings.ts"
import { type Interval, meanInterval } from "../statistics/index.ts"
import { differenceInterval, type Estimate } from "./difference-interval.ts"
import type { Passages } from "./passages.ts"
import { given, type PassOptions } from "./score-passages.ts"

/** How much is given, and how much must follow. */
export interface ExtractionOptions extends PassOptions {
  /** Tokens that are given. Default 32, at most half a passage. */
  readonly prefixTokens?: number
  /** Tokens that must follow. Default 50, at most the rest of a passage. */
  readonly suffixTokens?: number
}

/** What greedy decoding made of one side. */
export interface ExtractionSide {
  readonly passages: number
  /** Passages that were continued exactly. */
  readonly exact: number
  /** `exact / passages`. */
  readonly rate: number
  /** Share of passages of which at least so many tokens are right before the first wrong one. */
  readonly matched: readonly { readonly tokens: number; readonly rate: number }[]
}

/** How often training passages are continued exactly, beside held-out ones. */
export interface Extraction {
  readonly prefixTokens: number
  readonly suffixTokens: number
  readonly train: ExtractionSide
  readonly heldOut: ExtractionSide
  /** Of the rates: training minus held-out. */
  readonly difference: number
  readonly interval: Interval | undefined
  /** The interval of the difference lies above 0. */
  readonly fires: boolean
}

/** Parts of the suffix whose rates are told, and the whole. */
const MARKS = [0.1, 0.2, 0.5, 1]

/**
 * Share of passages whose `suffixTokens` (50) greedy decoding writes exactly after `prefixTokens` (32), training against held-out.
 *
 * Common phrases are continued exactly wherever they stand; the held-out side says how often. Nothing is generated: greedy
 * decoding writes a suffix exactly if each of its tokens is the likeliest after the true ones before it, and one pass tells.
 *
 * @throws ConfigError  unless both numbers are positive integers
 * @see Carlini et al. 2023, "Quantifying memorization", arXiv:2202.07646
 */
export async function extraction(
  model: Model,
  passages: Passages,
  options: ExtractionOptions = {},
): Promise<Extraction> {
  const { prefixTokens, suffixTokens } = lengthsOf(passages.tokens, options)
  const all = [...passages.train, ...passages.heldOut]
  const lengths = [...new Set(MARKS.map((part) => Math.ceil(part * suffixTokens)))]
  const items = all.map(({ ids }) => itemOf(ids, prefixTokens, lengths))
  const scores = await scoreEndings(model, items, { greedy: true, ...given(options) })
  const greedy = scores.map((endings) => endings.map(({ isGreedy }) => isGreedy === true))
  const [train, heldOut] = [
    sideOf(greedy.slice(0, passages.train.length), lengths),
    sideOf(greedy.slice(passages.train.length), lengths),
  ]
  const interval = differenceInterval(rateOf(train), rateOf(heldOut))
  return {
    prefixTokens,
    suffixTokens,
    train,
    heldOut,
    difference: train.rate - heldOut.rate,
    interval,
    fires: interval !== undefined && interval.low > 0,
  }
}

function lengthsOf(tokens: number, { prefixTokens = 32, suffixTokens = 50 }: ExtractionOptions) {
  for (const [name, value] of Object.entries({ prefixTokens, suffixTokens }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new ConfigError(`${name} must be a positive whole number, got ${value}`)
  const prefix = Math.min(prefixTokens, Math.floor(tokens / 2))
  return { prefixTokens: prefix, suffixTokens: Math.min(suffixTokens, tokens - prefix) }
}

/** The suffix and some of its beginnings; what they share is read once. */
function itemOf(ids: readonly number[], prefixTokens: number, lengths: readonly number[]) {
  return {
    prefix: ids.slice(0, prefixTokens),
    endings: lengths.map((length) => ids.slice(prefixTokens, prefixTokens + length)),
  }
}

/** @param greedy  for each passage and length whether it was continued exactly so far */
function sideOf(greedy: readonly (readonly boolean[])[], lengths: readonly number[]): ExtractionSide {
  const passages = greedy.length
  const counts = lengths.map((_, k) => greedy.filter((hits) => hits[k]).length)
  const exact = counts.at(-1)!
  return {
    passages,
    exact,
    rate: exact / passages,
    matched: lengths.map((tokens, k) => ({ tokens, rate: counts[k]! / passages })),
  }
}

function rateOf({ passages, exact, rate }: ExtractionSide): Estimate {
  const hits = Float64Array.from({ length: passages }, (_, i) => (i < exact ? 1 : 0))
  return { value: rate, interval: meanInterval(hits) }
}
