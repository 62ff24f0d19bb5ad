// What is compared: a model with what it scored and what it cost. Plain numbers; what is not known is absent.
import type { TextResult } from "../findings/findings.ts"

export interface Contestant {
  /** Unique among those compared. */
  readonly name: string
  /** The same for runs that differ in their seed only. */
  readonly group?: string
  readonly seed?: number
  readonly result: TextResult
  readonly parameters: number
  /** Of the weights as stored. */
  readonly bytes: number
  /** Of the whole training. */
  readonly trainingFlops?: number
  readonly trainingSeconds?: number
  readonly trainingTokens?: number
  /** While training, of the median step. */
  readonly tokensPerSecond?: number
  /** Of training, planned. */
  readonly memoryBytes?: number
  /** Tokens. */
  readonly contextLength?: number
}

/** Evaluated text, bytes a second: unlike tokens it means the same for every tokenizer. */
export const evaluatedBytesPerSecond = ({ result }: Contestant): number | undefined =>
  result.seconds > 0 ? result.bytes / result.seconds : undefined
