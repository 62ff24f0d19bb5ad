// What a generalization report has measured, as plain facts: the table and the sentence are made of them.
import type { CapacityRatio } from "./capacity-ratio.ts"
import type { Contamination } from "./contamination.ts"
import type { CopiedNgrams } from "./copied-ngrams.ts"
import type { Extraction } from "./extraction.ts"
import type { Membership } from "./membership.ts"
import type { OverfittingCurve } from "./overfitting-curve.ts"
import type { StrippedScore } from "./stripped.ts"
import type { TrainTestGap } from "./train-test-gap.ts"

/** Memorizing, as far as it can be measured from outside: one text held against another. */
export interface Memorization {
  readonly gap: TrainTestGap
  readonly extraction: Extraction
  readonly membership: Membership
  /** Of the held-out passages to one who knows only how often each token occurs: a model above it has learned nothing yet. */
  readonly unigramBitsPerByte: number
}

/** The parts of a report. */
export interface GeneralizationMeasures {
  readonly contamination: Contamination
  /** The score of the test text without what the training text holds of it; only where scores were given. */
  readonly stripped?: StrippedScore
  /** Training text against the control; absent where the training text holds all of the test and no control was given. */
  readonly training?: Memorization
  /**
   * Test text against the control; only where a control was given. Its reference has read the rest of the test's documents,
   * which the model may never have seen: where these are few, only clear memory shows.
   */
  readonly test?: Memorization
  readonly overfitting?: OverfittingCurve
  readonly capacity?: CapacityRatio
  readonly copied?: CopiedNgrams
  /** What the control was, and how much of it. */
  readonly control: string
}
