// Every measure of a generalization report as a line of a table: value, control, interval, and what it means.
import { BLOCK_BYTES } from "../score/document-score.ts"
import type { Interval } from "../statistics/index.ts"
import { CONTAMINATED_SHARE, type Contamination } from "./contamination.ts"
import type { CopiedNgrams } from "./copied-ngrams.ts"
import type { Extraction } from "./extraction.ts"
import type { GeneralizationMeasures, Memorization } from "./generalization-measures.ts"
import { MEMBERSHIP_MARGIN, type Membership } from "./membership.ts"
import { LOST_PART, type OverfittingCurve } from "./overfitting-curve.ts"
import type { StrippedScore } from "./stripped.ts"
import type { TrainTestGap } from "./train-test-gap.ts"

/** One line. */
export interface GeneralizationPart {
  readonly name: string
  readonly value: number
  /** After the number, with its space: `" bits/byte"`, or `"%"` for a value in percent. */
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
  const { contamination, stripped, training, test, overfitting, capacity, copied } = measures
  return [
    contaminationPart(contamination),
    ...(stripped ? strippedPart(stripped) : []),
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

/** No line where nothing clean is left: there is no score. */
function strippedPart(stripped: StrippedScore): GeneralizationPart[] {
  const { bitsPerByte, wholeBitsPerByte, interval, noInterval, bytes, strippedBytes } = stripped
  if (bitsPerByte === undefined) return []
  const share = percent(strippedBytes / (bytes + strippedBytes))
  return [
    {
      name: "score without contaminated text",
      value: bitsPerByte,
      unit: " bits/byte",
      ...(interval && { interval }),
      fires: false,
      because: `${wholeBitsPerByte.toFixed(3)} with it; ${share} of the bytes are left out, in blocks of ${BLOCK_BYTES / 1000} kB that share a run with the training text${noInterval === undefined ? "" : `; ${noInterval}`}`,
    },
  ]
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

function gapPart({
  train,
  heldOut,
  difference,
  reference,
  interval,
  passages,
  note,
}: TrainTestGap): GeneralizationPart {
  return {
    name: "train-test gap",
    value: difference,
    unit: " bits/byte",
    ...(interval && { interval }),
    control: reference,
    fires: false,
    because: `${train.toFixed(3)} on training and ${heldOut.toFixed(3)} on held-out text, ${passages} passages each; the control is the gap of a count model that has not read them${note ? `; ${note}` : ""}`,
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
  const some = train.matched[1] ?? { tokens: suffixTokens, rate: train.rate }
  return {
    name: "extraction",
    value: 100 * train.rate,
    unit: "%",
    ...(interval && { interval: { ...interval, low: 100 * interval.low, high: 100 * interval.high } }),
    control: 100 * heldOut.rate,
    fires,
    because: `passages of which ${suffixTokens} tokens are written exactly after ${prefixTokens}; ${some.tokens} tokens of ${percent(some.rate)}, of the control ${percent(heldOut.matched[1]?.rate ?? heldOut.rate)}; the interval is of the difference and fires above 0`,
  }
}

function membershipPart({
  byLoss,
  byCalibratedLoss,
  byReference,
  difference,
  interval,
  ...found
}: Membership): GeneralizationPart {
  const { unit, note, fires } = found
  const range = interval ? `, ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)}` : ""
  return {
    name: "membership AUC",
    value: byLoss.auc,
    ...(byLoss.interval && { interval: byLoss.interval }),
    control: byReference.auc,
    fires,
    because: `how often a ${unit} costs less than a held-out one; the control is a count model that has not read them; apart by ${difference.toFixed(2)}${range}, fires above ${MEMBERSHIP_MARGIN}; by loss over compressed size ${byCalibratedLoss.auc.toFixed(2)}${note ? `; ${note}` : ""}`,
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

function overfittingPart(curve: OverfittingCurve): GeneralizationPart {
  return {
    name: "lost after the minimum",
    value: curve.lostNats,
    unit: " nats/token",
    fires: curve.fires,
    because: `${curveInWords(curve)}; fires above ${100 * LOST_PART} % of the lowest loss`,
  }
}

/** Where the held-out loss was lowest, what came after it, and where on this curve the measured model stands. */
export function curveInWords({ minimum, last, measuredStep, lostNats, isFallingAtEnd }: OverfittingCurve): string {
  const isLast = measuredStep >= last.step
  const measured = isLast ? "" : `, and this is the model of step ${measuredStep}`
  if (isFallingAtEnd) return `the held-out loss was lowest at the end, step ${last.step}${measured}`
  const rose = (last.nats - minimum.nats).toFixed(2)
  const lost = isLast || measuredStep <= minimum.step ? "" : `, which lost ${lostNats.toFixed(2)} of it`
  return `the held-out loss rose by ${rose} nats a token from step ${minimum.step} to step ${last.step}${measured}${lost}`
}

/** A share in percent with as many digits as say something. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`
}
