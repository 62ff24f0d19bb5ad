// Intervals of a mean: of right-or-wrong items by Wilson's formula, of any other values by the bootstrap.
import { type BootstrapOptions, ratioInterval } from "./bootstrap.ts"
import { type Interval, LEVEL, Z } from "./interval.ts"
import { MIN_UNITS } from "./units.ts"

/**
 * 95 % interval of the mean of independent `values`: an accuracy over items, or a mean over documents.
 *
 * Where each value is 0, 1/2 or 1 it is Wilson's score interval: a bootstrap of twenty right answers sees no doubt at
 * all. A tie varies less than Wilson assumes, so with many ties the interval is too wide rather than too narrow. Other
 * values (means of clusters, losses) get the studentized bootstrap, kept within 0..1 if they are, and need 20 of them.
 *
 * Measured: Wilson covers in 91-98 % of draws of 20 to 1,000 items at accuracies of 0.5 to 0.99 (90 % at worst with
 * 10), 96-100 % with ties; the bootstrap in 94-96 % for 20 to 300 skewed cluster means.
 *
 * @returns undefined where there are no values, one is not finite, or graded values are fewer than 20
 * @see Wilson 1927; Brown, Cai & DasGupta 2001, "Interval Estimation for a Binomial Proportion"
 */
export function meanInterval(
  values: ArrayLike<number>,
  options: BootstrapOptions & { readonly unit?: "item" | "document" } = {},
): Interval | undefined {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0 || !sorted.every(Number.isFinite)) return undefined
  const isScored = sorted.every((value) => value === 0 || value === 0.5 || value === 1)
  const ends = isScored ? wilson(mean(sorted), sorted.length) : gradedInterval(sorted, options)
  return ends && { ...ends, level: LEVEL, unit: options.unit ?? "item", units: sorted.length }
}

function gradedInterval(sorted: Float64Array, options: BootstrapOptions) {
  if (sorted.length < MIN_UNITS) return undefined
  const ends = ratioInterval(sorted, new Float64Array(sorted.length).fill(1), options)
  if (ends === undefined || sorted[0]! < 0 || sorted.at(-1)! > 1) return ends
  return { low: Math.max(0, ends.low), high: Math.min(1, ends.high) }
}

/**
 * Wilson's score interval of a share `p` of `n` items: all shares that a test at 5 % would not refuse.
 *
 * `(p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n)`: the `p'` whose own standard error reaches `p` with z of them.
 */
export function wilson(p: number, n: number): { readonly low: number; readonly high: number } {
  const z2 = Z * Z
  const center = p + z2 / (2 * n)
  const half = Z * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))
  const scale = 1 + z2 / n
  const [low, high] = [Math.min(p, (center - half) / scale), Math.max(p, (center + half) / scale)] // rounding must not part them
  return { low: Math.max(0, low), high: Math.min(1, high) }
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
