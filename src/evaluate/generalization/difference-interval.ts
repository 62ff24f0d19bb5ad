// The interval of a difference from those of its two sides.
import type { Interval } from "../statistics/index.ts"

/** A number with its interval, where there can be one. */
export interface Estimate {
  readonly value: number
  readonly interval: Interval | undefined
}

/**
 * 95 % interval of `a - b` for independent sides: each end lies as far from the difference as the two ends that could have
 * made it, `low = d - √((a - a.low)² + (b.high - b)²)`, `high = d + √((a.high - a)² + (b - b.low)²)`.
 *
 * Skewed intervals stay skewed, and sides that are all 0 or all 1 keep the doubt of Wilson's.
 *
 * @returns undefined where a side has none
 * @see Newcombe 1998, method 10; Zou & Donner 2008, "Construction of confidence limits about effect measures"
 */
export function differenceInterval(a: Estimate, b: Estimate): Interval | undefined {
  if (a.interval === undefined || b.interval === undefined) return undefined
  const difference = a.value - b.value
  return {
    ...a.interval,
    low: difference - Math.hypot(a.value - a.interval.low, b.interval.high - b.value),
    high: difference + Math.hypot(a.interval.high - a.value, b.value - b.interval.low),
    units: a.interval.units + b.interval.units,
  }
}
