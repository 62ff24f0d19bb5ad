// Laws of the interval of a mean: it stays honest where a bootstrap would see no spread.
import { describe, expect, it } from "vitest"
import { randomStream } from "../../core/index.ts"
import { meanInterval } from "./mean.ts"

const rightOf = (right: number, total: number) => Array.from({ length: total }, (_, i) => (i < right ? 1 : 0))

describe("meanInterval", () => {
  it("right and wrong items give Wilson's interval: published values", () => {
    // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const published = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const
    for (const [right, total, low, high] of published) {
      const interval = meanInterval(rightOf(right, total))!
      expect(interval.low).toBeCloseTo(low, 4)
      expect(interval.high).toBeCloseTo(high, 4)
    }
  })

  it("all right is not certain: 20 of 20 may be 84 %, and all wrong is its mirror image", () => {
    const { low, high } = meanInterval(rightOf(20, 20))!
    expect(low).toBeCloseTo(0.8389, 4)
    expect(high).toBe(1)
    const mirror = meanInterval(rightOf(0, 20))!
    expect(mirror.low).toBe(0)
    expect(mirror.high).toBeCloseTo(1 - low, 12)
  })

  it.each([
    { items: 20, accuracy: 0.9, ties: 0.3 },
    { items: 100, accuracy: 0.7, ties: 0.2 },
    { items: 1000, accuracy: 0.95, ties: 0 },
  ])("covers the truth in 93 % of 2,000 draws or more: $items items, accuracy $accuracy, ties $ties", (law) => {
    const { items, accuracy, ties } = law
    const stream = randomStream(1, items)
    const truth = ties / 2 + (1 - ties) * accuracy
    const draw = () => (stream.uniform() < ties ? 0.5 : stream.uniform() < accuracy ? 1 : 0)
    let covered = 0
    for (let k = 0; k < 2000; k++) {
      const { low, high } = meanInterval(Array.from({ length: items }, draw))!
      if (low <= truth && truth <= high) covered++
    }
    expect(covered / 2000).toBeGreaterThanOrEqual(0.93)
  })

  it("means of clusters cover the truth in 91 to 97 % of 1,000 draws", () => {
    const stream = randomStream(2)
    const cluster = () => 1 - stream.uniform() ** 2 // mean 2/3, skewed
    let covered = 0
    for (let draw = 0; draw < 1000; draw++) {
      const values = Array.from({ length: 67 }, cluster)
      const { low, high } = meanInterval(values, { seed: draw, resamples: 1000, unit: "document" })!
      if (low <= 2 / 3 && 2 / 3 <= high) covered++
    }
    expect(covered).toBeGreaterThanOrEqual(910)
    expect(covered).toBeLessThanOrEqual(970)
  })

  it("shares stay within 0 to 1, other numbers need not; order does not matter", () => {
    const shares = Array.from({ length: 20 }, (_, i) => (i === 0 ? 0.1 : 0.99 + i / 10_000))
    const interval = meanInterval(shares)!
    expect(interval.high).toBeLessThanOrEqual(1)
    expect(meanInterval([...shares].reverse())).toEqual(interval)
    expect(meanInterval(shares.map((share) => 100 * share))!.high).toBeGreaterThan(1)
  })

  it("says its unit; nothing, too few graded values, or one that is not finite have none", () => {
    expect(meanInterval([1])).toMatchObject({ unit: "item", units: 1, level: 0.95 })
    expect(meanInterval([1, 0], { unit: "document" })).toMatchObject({ unit: "document" })
    expect(meanInterval([])).toBeUndefined()
    expect(meanInterval([0.3, 0.4])).toBeUndefined()
    expect(meanInterval([1, NaN])).toBeUndefined()
  })
})
