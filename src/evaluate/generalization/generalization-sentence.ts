// One sentence on whether a model generalizes or memorizes, by rules.

import { MIN_UNITS } from "../statistics/units.ts"
import type { GeneralizationMeasures, Memorization } from "./generalization-measures.ts"
import { curveInWords, percent } from "./generalization-parts.ts"
import { LOST_PART, type OverfittingCurve } from "./overfitting-curve.ts"

/**
 * The sentence of a report. The first that holds decides how it begins:
 *
 * 1. a control was given, and extraction or membership of the test text fires beside it: "It has seen the test text"
 * 2. extraction or copying of training text fires: "It has memorized training text"
 * 3. membership fires alone: "It leans on having read the training text"
 * 4. the held-out loss rose by more than 2 % until this model's step: "It was trained too long"
 * 5. nothing is left as a control, or there are fewer than 20 passages of a side, or the gap has no interval: "It cannot be told
 *    whether it generalizes"
 * 6. held-out text costs it no less than one who knows only how often each token occurs: "It has learned too little to tell"
 * 7. else: "It generalizes"
 *
 * The evidence follows with its control; contamination and capacity are said wherever they matter.
 */
export function generalizationSentence(measures: GeneralizationMeasures): string {
  const clauses = [...evidence(measures), ...warnings(measures)]
  return `${opening(measures)}: ${clauses.join("; ")}; control: ${measures.control}.`
}

function opening({ training, test, copied, overfitting }: GeneralizationMeasures): string {
  if (test && (test.extraction.fires || test.membership.fires)) return "It has seen the test text"
  if (training?.extraction.fires === true || copied?.fires === true) return "It has memorized training text"
  if (training?.membership.fires === true) return "It leans on having read the training text"
  if (overfitting?.fires === true) return "It was trained too long"
  if (training === undefined || isTooFew(training)) return "It cannot be told whether it generalizes"
  return isUnlearned(training) ? "It has learned too little to tell" : "It generalizes"
}

const isTooFew = ({ gap }: Memorization): boolean => gap.passages < MIN_UNITS || gap.interval === undefined

/** Also where its loss is no number. */
const isUnlearned = ({ gap, unigramBitsPerByte }: Memorization): boolean => !(gap.heldOut < unigramBitsPerByte)

function evidence({ training, test, copied }: GeneralizationMeasures): string[] {
  return [
    ...(test && (test.extraction.fires || test.membership.fires) ? [traces(test, "test")] : []),
    ...(training ? [gapClause(training), traces(training, "training")] : []),
    ...(copied?.fires === true
      ? [`${percent(copied.lengths.at(-1)!.share)} of what it writes is copied in long runs`]
      : []),
  ]
}

function gapClause({ gap }: Memorization): string {
  const amount = Math.abs(gap.difference).toFixed(3)
  const isClear = gap.interval !== undefined && (gap.interval.low > 0 || gap.interval.high < 0)
  if (!isClear) return `training text costs it no measurably different number of bits per byte (${amount} apart)`
  return `training text costs it ${amount} bits per byte ${gap.difference > 0 ? "less" : "more"} than held-out text`
}

function traces({ extraction, membership }: Memorization, what: string): string {
  const { train, heldOut } = extraction
  const { byLoss, byReference, fires } = membership
  const told = fires ? "tells them apart by memory" : "tells them apart no better than their authors do"
  return `it continues ${train.exact} of ${train.passages} ${what} passages word for word and ${heldOut.exact} of ${heldOut.passages} of the control, and its loss ${told} (AUC ${byLoss.auc.toFixed(2)}, without memory ${byReference.auc.toFixed(2)})`
}

/** Why it cannot be told, or not yet. */
function doubts(training: Memorization): string[] {
  const { gap, unigramBitsPerByte } = training
  return [
    ...(gap.passages < MIN_UNITS
      ? [`${gap.passages} passages of each side are too few to tell, it takes ${MIN_UNITS}`]
      : []),
    ...(isUnlearned(training)
      ? [
          `held-out text costs it ${gap.heldOut.toFixed(2)} bits per byte and ${unigramBitsPerByte.toFixed(2)} who only knows how often each token occurs`,
        ]
      : []),
  ]
}

function contaminationClause({ contamination, stripped }: GeneralizationMeasures): string {
  const score =
    stripped?.bitsPerByte === undefined
      ? ""
      : ` (${stripped.bitsPerByte.toFixed(3)} bits per byte, ${stripped.wholeBitsPerByte.toFixed(3)} of the whole)`
  return `${percent(contamination.share)} of the test text stands in the training text, so only its clean part counts${score}`
}

function warnings(measures: GeneralizationMeasures): string[] {
  const { training, contamination, overfitting, capacity } = measures
  return [
    ...(training ? doubts(training) : []),
    ...(contamination.fires ? [contaminationClause(measures)] : []),
    ...(overfitting && hasRisen(overfitting) ? [curveInWords(overfitting)] : []),
    ...(capacity !== undefined && capacity.ratio > 1
      ? [`it is large enough to know ${capacity.ratio.toFixed(1)} times its training text by heart`]
      : []),
  ]
}

const hasRisen = ({ minimum, last, fires }: OverfittingCurve): boolean =>
  fires || last.nats - minimum.nats > LOST_PART * minimum.nats
