// Laws of pooling: sums are kept, columns stay together, and intervals over pooled units are those over all of them.
import { describe, expect, it } from "vitest"
import { randomStream } from "../../core/index.ts"
import { bitsPerByteInterval, ratioInterval } from "./bootstrap.ts"
import { meanInterval } from "./mean.ts"
import { pairedDifference } from "./paired.ts"
import { MOST_UNITS, pooled } from "./pooled.ts"
import { drawDocuments } from "./testing.ts"
import { unitsOf } from "./units.ts"

const COUNT = 10_000
const draw = (seed: number) => drawDocuments(randomStream(seed), COUNT, { sigma: 1, tau: 0.15, rho: 0.3 })

describe("pooled units", () => {
  it("are as they were if there are few", () => {
    const column = Float64Array.from({ length: MOST_UNITS }, (_, i) => i)
    expect(pooled([column], randomStream(1))).toEqual([column])
  })

  it("hold each unit once, as many as any other, the same in every column", () => {
    const ones = new Float64Array(COUNT).fill(1)
    const places = Float64Array.from({ length: COUNT }, (_, i) => i)
    const [counts, sums, twice] = pooled([ones, places, places.map((place) => 2 * place)], randomStream(2))
    expect(counts!.length).toBe(MOST_UNITS)
    expect(new Set(counts)).toEqual(new Set([Math.floor(COUNT / MOST_UNITS), Math.ceil(COUNT / MOST_UNITS)]))
    expect(sums!.reduce((a, b) => a + b)).toBe((COUNT * (COUNT - 1)) / 2)
    expect(twice).toEqual(sums!.map((sum) => 2 * sum))
  })

  it("give the interval of the formula, however the values were sorted", () => {
    const stream = randomStream(3)
    const values = Float64Array.from({ length: COUNT }, () => 3 + stream.normal())
    const mean = values.reduce((a, b) => a + b) / COUNT
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (COUNT - 1) / COUNT)
    const ends = [meanInterval(values)!, ratioInterval(values.toSorted(), new Float64Array(COUNT).fill(1), {})!]
    for (const { low, high } of ends) {
      expect(Math.abs((high - mean) / error / 1.96 - 1)).toBeLessThan(0.12)
      expect(Math.abs((mean - low) / error / 1.96 - 1)).toBeLessThan(0.12)
    }
  })

  it("give a paired interval as wide as the formula's, of all the documents", () => {
    const stream = randomStream(4)
    const a = draw(4)
    const b = a.map((one) => ({ ...one, nats: one.nats + (0.001 + 0.05 * stream.normal()) * one.bytes }))
    const { interval, difference } = pairedDifference(a, b)
    const bytes = a.reduce((sum, one) => sum + one.bytes, 0)
    const squares = a.reduce((sum, one, i) => {
      return sum + (one.nats - b[i]!.nats - difference * Math.LN2 * one.bytes) ** 2
    }, 0)
    const width = (2 * 1.96 * Math.sqrt(squares)) / bytes / Math.LN2
    expect(Math.abs((interval!.high - interval!.low) / width - 1)).toBeLessThan(0.1)
    expect(interval!.units).toBe(COUNT)
  })

  it("give one interval whatever the order of the documents, and it counts them all", () => {
    const documents = draw(5)
    const interval = bitsPerByteInterval(unitsOf(documents))!
    expect(interval.units).toBe(COUNT)
    expect(interval).toEqual(bitsPerByteInterval(unitsOf([...documents].reverse())))
  })
})
