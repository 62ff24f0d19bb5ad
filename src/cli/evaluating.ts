// What every part of kinglet evaluate is given, and how a part that was interrupted ends.
import type { Model } from "../generate/index.ts"
import type { ModelFacts } from "./model-facts.ts"
import type { Output } from "./output.ts"

export interface Evaluating {
  readonly model: Model
  readonly facts: ModelFacts
  readonly output: Output
  readonly signal: AbortSignal
  readonly weights: "f32" | "f16"
  /** Counts and compressors of the same training text are measured, too. */
  readonly baselines: boolean
}
