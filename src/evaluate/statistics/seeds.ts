// Runs that differ in their seed only.
import { DataError } from "../../core/index.ts"

export interface SeedSpread {
  readonly mean: number
  /** The least and the greatest of the seeds: a range, not an interval. */
  readonly low: number
  readonly high: number
  /** Of one seed, with n - 1 in the denominator; undefined for a single seed. */
  readonly standardDeviation: number | undefined
  readonly seeds: number
}

/**
 * Mean, range and standard deviation of one number over seeds.
 *
 * Reported apart from intervals over documents: these say how a result changes with the text, seeds how it changes with
 * luck.
 *
 * @throws DataError  if there are no values
 */
export function seedSpread(values: readonly number[]): SeedSpread {
  const seeds = values.length
  if (seeds === 0) throw new DataError("a spread over seeds needs one value or more, got none")
  const mean = values.reduce((sum, value) => sum + value, 0) / seeds
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const standardDeviation = seeds > 1 ? Math.sqrt(squares / (seeds - 1)) : undefined
  return { mean, low: Math.min(...values), high: Math.max(...values), standardDeviation, seeds }
}
