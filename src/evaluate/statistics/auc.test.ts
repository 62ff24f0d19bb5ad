// Laws of the area under the curve: it counts pairs, and its interval covers what they would be in the long run.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { randomStream } from "../../core/index.ts"
import { areaUnderCurve } from "./auc.ts"

const values = fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 30 })

function byPairs(positives: readonly number[], negatives: readonly number[]): number {
  let wins = 0
  for (const p of positives) for (const n of negatives) wins += p > n ? 1 : p === n ? 0.5 : 0
  return wins / positives.length / negatives.length
}

describe("areaUnderCurve", () => {
  it("equals the share of pairs in the right order, ties counting one half", () => {
    fc.assert(
      fc.property(values, values, (positives, negatives) => {
        const { auc } = areaUnderCurve(positives, negatives)
        expect(auc).toBeCloseTo(byPairs(positives, negatives), 12)
        expect(areaUnderCurve(negatives, positives).auc).toBeCloseTo(1 - auc, 12)
      }),
    )
  })

  it("the interval holds the area, within 0 to 1, and turns over with it", () => {
    const many = fc.array(fc.nat({ max: 8 }), { minLength: 10, maxLength: 40 })
    fc.assert(
      fc.property(many, many, (positives, negatives) => {
        const { auc, interval } = areaUnderCurve(positives, negatives)
        const turned = areaUnderCurve(negatives, positives).interval!
        expect(interval!.low).toBeGreaterThanOrEqual(0)
        expect(interval!.low).toBeLessThanOrEqual(auc + 1e-12)
        expect(interval!.high).toBeGreaterThanOrEqual(auc - 1e-12)
        expect(interval!.high).toBeLessThanOrEqual(1)
        expect(turned.low).toBeCloseTo(1 - interval!.high, 9)
      }),
    )
  })

  // Areas of two normal distributions: Φ(shift / √(1 + spread²)).
  it.each([
    { shift: 0, spread: 1, truth: 0.5 },
    { shift: 0.7, spread: 1, truth: 0.68969 },
    { shift: 1.5, spread: 1.5, truth: 0.79731 },
    { shift: 3, spread: 1, truth: 0.98305 },
  ])("covers an area of $truth in 91 % of 1,000 draws or more", ({ shift, spread, truth }) => {
    const stream = randomStream(1, shift)
    let covered = 0
    for (let draw = 0; draw < 1000; draw++) {
      const positives = Array.from({ length: 50 }, () => shift + spread * stream.normal())
      const negatives = Array.from({ length: 50 }, () => stream.normal())
      const { low, high } = areaUnderCurve(positives, negatives).interval!
      if (low <= truth && truth <= high) covered++
    }
    expect(covered).toBeGreaterThanOrEqual(910)
  })

  it("groups that do not overlap are not told apart for certain", () => {
    const above = Array.from({ length: 20 }, (_, i) => 100 + i)
    const below = Array.from({ length: 20 }, (_, i) => i)
    const { auc, interval } = areaUnderCurve(above, below)
    expect(auc).toBe(1)
    expect(interval).toMatchObject({ high: 1, unit: "item", units: 40 })
    expect(interval!.low).toBeGreaterThan(0.8)
    expect(interval!.low).toBeLessThan(0.95)
    expect(areaUnderCurve(below, above).interval!.high).toBeCloseTo(1 - interval!.low, 12)
  })

  it("an infinite loss is the greatest value; nothing or NaN gives no area, few values no interval", () => {
    expect(areaUnderCurve([Infinity, 2], [1, 2])).toEqual({ auc: 0.875, interval: undefined })
    expect(areaUnderCurve([], [1]).auc).toBeNaN()
    expect(areaUnderCurve([1, NaN], [1]).auc).toBeNaN()
  })

  it("equal values everywhere tell nothing: 0.5, with room on both sides", () => {
    const { auc, interval } = areaUnderCurve(new Array(20).fill(1), new Array(20).fill(1))
    expect(auc).toBe(0.5)
    expect(interval!.low).toBeLessThan(0.5)
    expect(interval!.high).toBeGreaterThan(0.5)
  })
})
