// Extraction: given the beginning of a training passage, does the model write what follows, word for word?
import { ConfigError } from "../../core/index.ts"
import type { Model } from "../../generate/index.ts"
import { scoreEndings } from "../score/score-endings.ts"
import { type Interval, meanInterval } from "../statistics/index.ts"
import { differenceInterval, type Estimate } from "./difference-interval.ts"
import type { Passage, Passages } from "./passages.ts"
import { given, type PassOptions } from "./score-passages.ts"

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
  /** Right tokens before the first wrong one, of `suffixTokens`: mean over passages, and most. */
  readonly meanMatchedTokens: number
  readonly longestMatchedTokens: number
}

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
  const items = all.map((passage) => itemOf(passage, prefixTokens, suffixTokens))
  const scores = await scoreEndings(model, items, { greedy: true, ...given(options) })
  const matched = scores.map((endings) => endings.filter(({ isGreedy }) => isGreedy === true).length)
  const [train, heldOut] = [
    sideOf(matched.slice(0, passages.train.length), suffixTokens),
    sideOf(matched.slice(passages.train.length), suffixTokens),
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

/** Every beginning of the suffix is an ending: as many are greedy as tokens match. Their shared tokens are read once. */
function itemOf({ ids }: Passage, prefixTokens: number, suffixTokens: number) {
  const suffix = ids.slice(prefixTokens, prefixTokens + suffixTokens)
  return { prefix: ids.slice(0, prefixTokens), endings: suffix.map((_, i) => suffix.slice(0, i + 1)) }
}

function sideOf(matched: readonly number[], suffixTokens: number): ExtractionSide {
  const exact = matched.filter((tokens) => tokens === suffixTokens).length
  return {
    passages: matched.length,
    exact,
    rate: exact / matched.length,
    meanMatchedTokens: matched.reduce((sum, tokens) => sum + tokens, 0) / matched.length,
    longestMatchedTokens: Math.max(...matched),
  }
}

function rateOf({ passages, exact, rate }: ExtractionSide): Estimate {
  const hits = Float64Array.from({ length: passages }, (_, i) => (i < exact ? 1 : 0))
  return { value: rate, interval: meanInterval(hits) }
}
