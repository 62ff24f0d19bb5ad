// The train-test gap: how much cheaper training text is to the model than text it has not seen.
import { bitsPerByteInterval, type Interval, type Units } from "../statistics/index.ts"
import { MIN_UNITS } from "../statistics/units.ts"
import { differenceInterval, type Estimate } from "./difference-interval.ts"
import { passageUnits, type ScoredPassage, type ScoredPassages } from "./score-passages.ts"

/** How much cheaper training text is. */
export interface TrainTestGap {
  /** Bits per byte of passages of the training text, and of the held-out text. */
  readonly train: number
  readonly heldOut: number
  /** `heldOut - train`. */
  readonly difference: number
  /** The same difference of a count model that has not read the passages: what other authors make. */
  readonly reference: number
  /** Of the difference; both sides vary. */
  readonly interval: Interval | undefined
  /** Passages of each side. */
  readonly passages: number
  readonly note?: string
}

/**
 * Held-out minus training loss in bits per byte, both on as many passages of the same length, in evaluation mode.
 *
 * A gap is no proof of memorizing: other authors are harder for any model, and `reference` says about how much. It says how much
 * of a training loss can be believed.
 */
export function trainTestGap(scored: ScoredPassages): TrainTestGap {
  const units = passageUnits(scored)
  const [train, heldOut] = [estimate(units.train, units), estimate(units.heldOut, units)]
  const [ofTrain, ofHeldOut] = [scored.train, scored.heldOut].map((side) => bitsPerByte(side, "referenceNats"))
  return {
    train: train.value,
    heldOut: heldOut.value,
    difference: heldOut.value - train.value,
    reference: ofHeldOut! - ofTrain!,
    interval: differenceInterval(heldOut, train),
    passages: scored.train.length,
    ...(units.note !== undefined && { note: units.note }),
  }
}

function estimate(side: readonly (readonly ScoredPassage[])[], units: ReturnType<typeof passageUnits>): Estimate {
  const sums = side.map((passages, k) => ({
    key: String(k),
    nats: passages.reduce((sum, { nats }) => sum + nats, 0),
    bytes: passages.reduce((sum, { bytes }) => sum + bytes.length, 0),
  }))
  const resampled: Units = {
    unit: "document",
    units: sums,
    ...(units.note !== undefined && { note: units.note }),
    ...(sums.length < MIN_UNITS && { tooFew: `fewer than ${MIN_UNITS} passages` }),
  }
  const interval = bitsPerByteInterval(resampled)
  const named = interval && { ...interval, unit: units.byDocument ? ("document" as const) : ("item" as const) }
  return { value: bitsPerByte(side.flat(), "nats"), interval: named }
}

function bitsPerByte(passages: readonly ScoredPassage[], key: "nats" | "referenceNats"): number {
  const nats = passages.reduce((sum, passage) => sum + passage[key], 0)
  return nats / Math.LN2 / passages.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
