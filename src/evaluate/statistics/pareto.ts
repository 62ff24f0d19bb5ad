// Which of many runs are worth having: those that no other beats on every axis.

export interface Axis<T> {
  readonly of: (item: T) => number | undefined
  readonly better: "less" | "more"
}

/**
 * The items that no other dominates, in their order. One dominates another if it is as good on every axis and better on
 * one; equal items are both kept.
 *
 * A value that is undefined or NaN is worse than any number: such an item never is on the front by that axis, and still
 * may be by another. An item without any value is never on it.
 */
export function paretoFront<T>(items: readonly T[], axes: readonly Axis<T>[]): T[] {
  const costs = items.map((item) => axes.map((axis) => cost(axis, item)))
  return items.filter((_, i) => {
    const mine = costs[i]!
    return mine.some((value) => value !== undefined) && !costs.some((other) => dominates(other, mine))
  })
}

/** Less is better; undefined is worst of all, even beside Infinity. */
function cost<T>({ of, better }: Axis<T>, item: T): number | undefined {
  const value = of(item)
  if (value === undefined || Number.isNaN(value)) return undefined
  return better === "less" ? value : -value
}

function dominates(a: readonly (number | undefined)[], b: readonly (number | undefined)[]): boolean {
  return a.every((value, axis) => !isLess(b[axis], value)) && a.some((value, axis) => isLess(value, b[axis]))
}

function isLess(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && (b === undefined || a < b)
}
