// Many units put together at random into fewer, so that resampling them costs no more than a few tenths of a second.
import type { RandomStream } from "../../core/index.ts"

/** Units that are resampled at most: 2,000 resamples take 0.1-0.2 s then, 10,000 halves 0.3-0.5 s, on a busy machine. */
export const MOST_UNITS = 2048

/**
 * Columns of at most {@link MOST_UNITS} sums: units are dealt at random, in the same way in every column, so that each sum is of
 * as many as any other, give or take one. Sums of independent units are independent, and vary as the units do.
 *
 * @param columns  one number a unit in each, `[n]`; returned as they are where they are short enough
 * @see Wolter 2007, "Introduction to Variance Estimation", chapter 2 (the random group method)
 */
export function pooled(columns: readonly Float64Array[], stream: RandomStream): Float64Array[] {
  const n = columns[0]!.length
  if (n <= MOST_UNITS) return [...columns]
  const order = Uint32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = stream.below(i + 1)
    const other = order[j]!
    order[j] = order[i]!
    order[i] = other
  }
  return columns.map((column) => {
    const sums = new Float64Array(MOST_UNITS)
    for (let i = 0; i < n; i++) sums[i % MOST_UNITS]! += column[order[i]!]!
    return sums
  })
}
