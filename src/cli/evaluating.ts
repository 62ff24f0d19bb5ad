// What every part of kinglet evaluate is given.
import type { Model } from "../generate/index.ts"
import type { MeasuringOptions } from "./measure-text.ts"
import type { ModelFacts } from "./model-facts.ts"

export interface Evaluating extends MeasuringOptions {
  readonly model: Model
  readonly facts: ModelFacts
  /** Counts and compressors of the same training text are measured, too. */
  readonly baselines: boolean
}
