// Every measure of a generalization report as a line of a table: value, control, interval, and what it means.
import type { Interval } from "../statistics/index.ts"
import { CONTAMINATED_SHARE, type Contamination } from "./contamination.ts"
import type { CopiedNgrams } from "./copied-ngrams.ts"
import type { Extraction } from "./extraction.ts"
import type { GeneralizationMeasures, Memorization } from "./generalization-measures.ts"
import { MEMBERSHIP_MARGIN, type Membership } from "./membership.ts"
import { LOST_PART, type OverfittingCurve } from "./overfitting-curve.ts"
import type { TrainTestGap } from "./train-test-gap.ts"

/** One line. */
export interface GeneralizationPart {
  readonly name: string
  readonly value: number
  /** After the number, with its space. */
  readonly unit?: string
  readonly interval?: Interval
  /** The same measure where nothing can have been memorized. */
  readonly control?: number
  /** It shows memorizing, contamination or too long a training. */
  readonly fires: boolean
  /** What it means, and when it fires. */
  readonly because: string
}

/** The measures that were made, in the order of a report. */
export function partsOf(measures: GeneralizationMeasures): GeneralizationPart[] {
  const { contamination, training, test, overfitting, capacity, copied } = measures
  return [
    contaminationPart(contamination),
    ...(training ? memorizationParts(training, "training") : []),
    ...(test ? memorizationParts(test, "test") : []),
    ...(copied ? [copiedPart(copied)] : []),
    ...(overfitting ? [overfittingPart(overfitting)] : []),
    ...(capacity
      ? [
          {
            name: "capacity ratio",
            value: capacity.ratio,
            fires: false,
            because:
              "3.6 bits a parameter over the bits of the training text: above 1 all of it could be known by heart",
          },
        ]
      : []),
  ]
}

function contaminationPart({ share, touched, testDocuments, words, fires }: Contamination): GeneralizationPart {
  return {
    name: "contamination",
    value: 100 * share,
    unit: "%",
    fires,
    because: `words of the test in runs of ${words} that the training text has too, in ${touched.length} of ${testDocuments} documents; texts share up to ${100 * CONTAMINATED_SHARE} % by nature`,
  }
}

/** @param what  the text that may have been memorized */
function memorizationParts(
  { gap, extraction, membership }: Memorization,
  what: "training" | "test",
): GeneralizationPart[] {
  const suffix = what === "training" ? "" : " of the test text"
  return [
    ...(what === "training" ? [gapPart(gap)] : []),
    { ...extractionPart(extraction), name: `extraction${suffix}` },
    { ...membershipPart(membership), name: `membership AUC${suffix}` },
  ]
}

function gapPart({ train, heldOut, difference, interval, passages, note }: TrainTestGap): GeneralizationPart {
  return {
    name: "train-test gap",
    value: difference,
    unit: " bits/byte",
    ...(interval && { interval }),
    control: 0,
    fires: false,
    because: `${train.toFixed(3)} on training and ${heldOut.toFixed(3)} on held-out text, ${passages} passages each${note ? `; ${note}` : ""}`,
  }
}

function extractionPart({
  train,
  heldOut,
  interval,
  prefixTokens,
  suffixTokens,
  fires,
}: Extraction): GeneralizationPart {
  return {
    name: "extraction",
    value: 100 * train.rate,
    unit: "%",
    ...(interval && { interval: { ...interval, low: 100 * interval.low, high: 100 * interval.high } }),
    control: 100 * heldOut.rate,
    fires,
    because: `passages of which ${suffixTokens} tokens are written exactly after ${prefixTokens}; on average ${train.meanMatchedTokens.toFixed(1)} tokens are right, of the control ${heldOut.meanMatchedTokens.toFixed(1)}; the interval is of the difference and fires above 0`,
  }
}

function membershipPart({ byLoss, byCalibratedLoss, unit, note, fires }: Membership): GeneralizationPart {
  const { interval } = byLoss
  return {
    name: "membership AUC",
    value: byLoss.auc,
    ...(interval && { interval }),
    control: 0.5,
    fires,
    because: `how often a ${unit} costs less than one of the control; ${byCalibratedLoss.auc.toFixed(2)} beside its compressed size; fires if both lie above ${0.5 + MEMBERSHIP_MARGIN}${note ? `; ${note}` : ""}`,
  }
}

function copiedPart({ lengths, unit, samples, fires }: CopiedNgrams): GeneralizationPart {
  const { length, share, control, interval } = lengths.at(-1)!
  const shorter = lengths
    .slice(0, -1)
    .map((of) => `${percent(of.share)} of ${of.length} (control ${percent(of.control)})`)
  return {
    name: "copied text",
    value: 100 * share,
    unit: "%",
    ...(interval && { interval: { ...interval, low: 100 * interval.low, high: 100 * interval.high } }),
    control: 100 * control,
    fires,
    because: `runs of ${length} ${unit} in ${samples} samples that the training text has, beside what people wrote there; ${shorter.join(", ")}; the interval is of the difference and fires above 0`,
  }
}

function overfittingPart({ minimum, last, lostNats, isFallingAtEnd, fires }: OverfittingCurve): GeneralizationPart {
  const fact = isFallingAtEnd
    ? `the held-out loss was lowest at the end, step ${last.step}`
    : `the held-out loss was lowest at step ${minimum.step} and rose until step ${last.step}`
  return {
    name: "lost after the minimum",
    value: lostNats,
    unit: " nats/token",
    fires,
    because: `${fact}; fires above ${100 * LOST_PART} % of the lowest loss`,
  }
}

/** A share in percent with as many digits as say something. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`
}
