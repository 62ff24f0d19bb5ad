// How well a model predicts a text: bits per byte, per character and per token, with the context protocol said.
import type { Model } from "../generate/index.ts"
import { bitRatios } from "./score/bit-ratios.ts"
import type { DocumentScore } from "./score/document-score.ts"
import type { Reliability } from "./score/reliability.ts"
import { type ScoreTextOptions, scoreText } from "./score/score-text.ts"
import { bitsPerByteInterval, type Interval, unitsOf } from "./statistics/index.ts"

export type EvaluateOptions = ScoreTextOptions

export interface Evaluation {
  /** Over the exact UTF-8 bytes of what was predicted. */
  readonly bitsPerByte: number
  readonly bitsPerCharacter: number
  readonly bitsPerToken: number
  readonly natsPerToken: number
  /** Predicted tokens: all but the first. */
  readonly tokens: number
  /** Of what was predicted, as are characters. */
  readonly bytes: number
  readonly characters: number
  readonly documents: number
  /** 95 % interval of `bitsPerByte`, documents or blocks of about 10 kB resampled; absent where there are too few of them. */
  readonly interval?: Interval
  /** Why there is no interval. */
  readonly noInterval?: string
  /** How much context each token had. */
  readonly protocol: string
  /** What each document cost, in their order. */
  readonly perDocument: readonly DocumentScore[]
  /** How well probabilities are meant, if that was asked for. */
  readonly reliability?: Reliability
}

/**
 * Predicts every token of `data` but the first, once, in windows of the model's context that do not overlap, or by a stride.
 *
 * `bitsPerByte = Σ -log2 p(token) / bytes`; end-of-text tokens between documents are predicted too and have no bytes.
 *
 * @throws ConfigError, DataError, the signal's reason  as {@link scoreText} does
 */
export async function evaluate(model: Model, options: EvaluateOptions): Promise<Evaluation> {
  const { documents, nats, tokens, bytes, characters, ...rest } = await scoreText(model, options)
  const units = unitsOf(documents)
  const interval = bitsPerByteInterval(units)
  return {
    ...bitRatios({ nats, tokens, bytes, characters }),
    tokens,
    bytes,
    characters,
    documents: documents.length,
    ...(interval
      ? { interval }
      : { noInterval: units.tooFew ?? "no interval: the bytes of one document outweigh all others" }),
    ...rest,
    perDocument: documents,
  }
}
