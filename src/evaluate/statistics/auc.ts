// How well a score tells two groups apart: the area under the ROC curve.
import { type Interval, LEVEL, Z } from "./interval.ts"

export interface AreaUnderCurve {
  /** Probability that a positive scores above a negative, ties counting one half; NaN without values. */
  readonly auc: number
  readonly interval: Interval | undefined
}

/** Fewer values than this in a group say too little about how much it varies. */
const MIN_VALUES = 10

/**
 * `AUC = P(positive > negative) + P(tie) / 2` (Mann-Whitney) in O(n log n), with a 95 % interval.
 *
 * The standard error is DeLong's, the interval symmetric in `logit AUC`, which stays within 0..1. Groups that do not
 * overlap at all have no spread to measure; their interval is the range of areas that would still give such a sample
 * (Hanley-McNeil variance). Several values from one document are not independent: give one a document, or expect a
 * narrow interval.
 *
 * Measured: it covers in 92-98 % of draws for areas of 0.5 to 0.98, equal and unequal spreads, 10 to 200 values a
 * group; DeLong's plain interval falls to 66 % near 1.
 *
 * @returns no interval where a value is not a number or a group has fewer than 10
 * @see DeLong, DeLong & Clarke-Pearson 1988; Newcombe 2006, "Confidence intervals for an effect size measure", part 2
 */
export function areaUnderCurve(positives: ArrayLike<number>, negatives: ArrayLike<number>): AreaUnderCurve {
  const [above, below] = [Float64Array.from(positives).sort(), Float64Array.from(negatives).sort()]
  const [m, n] = [above.length, below.length]
  if (m === 0 || n === 0 || hasNaN(above) || hasNaN(below)) return { auc: Number.NaN, interval: undefined }
  const wins = placements(above, below)
  const losses = placements(below, above).map((share) => 1 - share)
  const auc = mean(wins)
  if (Math.min(m, n) < MIN_VALUES) return { auc, interval: undefined }
  const ends =
    auc === 0 || auc === 1 ? separatedEnds(auc, m, n) : logitEnds(auc, variance(wins) / m + variance(losses) / n, m * n)
  return { auc, interval: { ...ends, level: LEVEL, unit: "item", units: m + n } }
}

/** For each of the sorted `values` the share of sorted `others` below it, ties counting one half. */
function placements(values: Float64Array, others: Float64Array): Float64Array {
  let [less, lessOrEqual] = [0, 0]
  return values.map((value) => {
    while (less < others.length && others[less]! < value) less++
    while (lessOrEqual < others.length && others[lessOrEqual]! <= value) lessOrEqual++
    return (less + lessOrEqual) / (2 * others.length)
  })
}

/** `logit⁻¹(logit A ± z·se / (A(1-A)))`; no smaller a variance than one pair of values in `pairs` could make. */
function logitEnds(auc: number, variance: number, pairs: number) {
  const slope = auc * (1 - auc)
  const reach = (Z * Math.sqrt(Math.max(variance, slope / pairs))) / slope
  const odds = auc / (1 - auc)
  const ofOdds = (odds: number) => odds / (1 + odds)
  return { low: ofOdds(odds * Math.exp(-reach)), high: ofOdds(odds * Math.exp(reach)) }
}

/** Areas A from which a sample without overlap is no more than z standard errors away. */
function separatedEnds(auc: number, m: number, n: number) {
  const balance = (m + n) / 2 - 1
  const isFar = (a: number) => {
    const variance = ((a * (1 - a)) / (m * n)) * (1 + (balance * (1 - a)) / (2 - a) + (balance * a) / (1 + a))
    return (1 - a) ** 2 > Z * Z * variance
  }
  let [far, near] = [0, 1]
  for (let step = 0; step < 60; step++) {
    const middle = (far + near) / 2
    if (isFar(middle)) far = middle
    else near = middle
  }
  return auc === 1 ? { low: far, high: 1 } : { low: 0, high: 1 - far }
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function variance(values: Float64Array): number {
  const center = mean(values)
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1)
}

function hasNaN(values: Float64Array): boolean {
  return values.some(Number.isNaN)
}
