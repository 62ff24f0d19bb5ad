// Laws of the intervals: the published formula, and coverage of the truth in draws where it is known.
import { describe, expect, it } from "vitest"
import { randomStream } from "../../core/index.ts"
import { accuracyInterval, groupsInterval, meanValueInterval } from "./accuracy-interval.ts"

const DRAWS = 1000

/** Share of draws whose interval covers `truth`. */
function coverage(
  truth: number,
  draw: (stream: ReturnType<typeof randomStream>) => { low: number; high: number },
): number {
  let covered = 0
  for (let index = 0; index < DRAWS; index++) {
    const { low, high } = draw(randomStream(11, "coverage", index))
    if (low <= truth && truth <= high) covered++
  }
  return covered / DRAWS
}

/** Share of `items` that come out right with probability `p`. */
const shareRight = (stream: ReturnType<typeof randomStream>, items: number, p: number): number =>
  Array.from({ length: items }, () => (stream.uniform() < p ? 1 : 0) as number).reduce((a, b) => a + b, 0) / items

describe("accuracyInterval", () => {
  it("is Wilson's: 81 of 263 gives 0.2553 to 0.3662 (Newcombe 1998, table I)", () => {
    const { low, high } = accuracyInterval(81 / 263, 263)
    expect([low, high].map((each) => each.toFixed(4))).toEqual(["0.2553", "0.3662"])
  })

  it("is certain of nothing: all right of 10 gives 0.72 to 1, none right 0 to 0.28", () => {
    expect(accuracyInterval(1, 10).low).toBeCloseTo(0.7225, 4)
    expect(accuracyInterval(1, 10).high).toBe(1)
    expect(accuracyInterval(0, 10)).toMatchObject({ low: 0, units: 10, unit: "item" })
  })

  it("holds the accuracy that was measured, of all right and none right too, whatever rounding does", () => {
    for (let items = 1; items <= 1000; items++)
      for (const accuracy of [0, 1, 1 / items]) {
        const { low, high } = accuracyInterval(accuracy, items)
        expect(low <= accuracy && accuracy <= high, `${accuracy} of ${items}: ${low} to ${high}`).toBe(true)
      }
  })

  it.each([0.5, 0.8, 0.97])("covers a true accuracy of %d in 91-97 %% of draws of 200 items", (p) => {
    const share = coverage(p, (stream) => accuracyInterval(shareRight(stream, 200, p), 200))
    expect(share).toBeGreaterThan(0.91)
    expect(share).toBeLessThan(0.975)
  })
})

describe("groupsInterval", () => {
  const truths = [0.3, 0.5, 0.9, 0.99, 0.7, 0.6]
  const mean = truths.reduce((a, b) => a + b, 0) / truths.length

  it("covers the true mean over groups of different size in 91-97 % of draws", () => {
    const share = coverage(mean, (stream) =>
      groupsInterval(truths.map((p, at) => ({ accuracy: shareRight(stream, 40 * (at + 1), p), items: 40 * (at + 1) }))),
    )
    expect(share).toBeGreaterThan(0.91)
    expect(share).toBeLessThan(0.975)
  })

  it("is narrower than that of pooled items where groups differ in difficulty", () => {
    const groups = [0.05, 0.95].map((accuracy) => ({ accuracy, items: 500 }))
    const [stratified, pooled] = [groupsInterval(groups), accuracyInterval(0.5, 1000)]
    expect(stratified.high - stratified.low).toBeLessThan(0.5 * (pooled.high - pooled.low))
  })

  it("has a width also where every group is all right", () => {
    expect(groupsInterval([{ accuracy: 1, items: 20 }]).low).toBeLessThan(0.98)
  })
})

describe("meanValueInterval", () => {
  it("is the mean of two values, 1.96 standard errors to each side; of one value there is none", () => {
    const { low, high } = meanValueInterval([1, 3])!
    expect([low, high]).toEqual([expect.closeTo(2 - 1.959964, 6), expect.closeTo(2 + 1.959964, 6)])
    expect(meanValueInterval([1])).toBeUndefined()
  })
})
