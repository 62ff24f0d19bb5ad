// 95 % intervals of accuracies in closed form: no seed, and honest where everything or nothing was right.
import { type Interval, LEVEL, Z } from "../statistics/interval.ts"
import { wilson } from "../statistics/mean.ts"

/**
 * Wilson's score interval: all `p` that a test at 5 % would not refuse, given a share of `right` among `items`.
 *
 * Items with half a credit vary less than right and wrong ones, so that with ties it is a little wide.
 *
 * @see Wilson 1927, "Probable inference, the law of succession, and statistical inference"
 */
export function accuracyInterval(accuracy: number, items: number): Interval {
  return { ...wilson(accuracy, items), level: LEVEL, unit: "item", units: items }
}

/**
 * Interval of the unweighted mean of groups whose items are drawn within each group: `mean ± z · sqrt(Σ v_g) / G` with
 * `v_g = p̃ (1 - p̃) / (n + z²)` and `p̃ = (n p + z²/2) / (n + z²)`, Agresti and Coull's adjustment, without which a group that
 * is all right would claim to be certain.
 *
 * @see Agresti & Coull 1998, "Approximate is better than exact for interval estimation of binomial proportions"
 */
export function groupsInterval(groups: readonly { readonly accuracy: number; readonly items: number }[]): Interval {
  const mean = groups.reduce((sum, { accuracy }) => sum + accuracy, 0) / groups.length
  const variance = groups.reduce((sum, { accuracy, items }) => sum + adjustedVariance(accuracy, items), 0)
  const half = (Z * Math.sqrt(variance)) / groups.length
  return {
    low: Math.max(0, mean - half),
    high: Math.min(1, mean + half),
    level: LEVEL,
    unit: "item",
    units: groups.reduce((sum, { items }) => sum + items, 0),
    note: `covers other items of the same ${groups.length === 1 ? "group" : `${groups.length} groups`}, not other groups`,
  }
}

function adjustedVariance(accuracy: number, items: number): number {
  const adjusted = (items * accuracy + (Z * Z) / 2) / (items + Z * Z)
  return (adjusted * (1 - adjusted)) / (items + Z * Z)
}

/** `mean ± z · s / sqrt(n)` of any values. Undefined for fewer than two. */
export function meanValueInterval(values: readonly number[]): Interval | undefined {
  if (values.length < 2) return undefined
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const half = Z * Math.sqrt(squares / (values.length - 1) / values.length)
  return { low: mean - half, high: mean + half, level: LEVEL, unit: "item", units: values.length }
}
