// Laws of the bootstrap: it covers the truth as often as it says, and depends on the seed and the units alone.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type RandomStream, randomStream } from "../../core/index.ts"
import { bitsPerByteInterval, ratioInterval } from "./bootstrap.ts"
import { drawDocuments, type Population, scored, trueBitsPerByte } from "./testing.ts"
import { unitsOf } from "./units.ts"

const plain: Population = { sigma: 1, tau: 0.15, rho: 0 }

/** Share of draws whose interval covers the truth. */
function coverage(population: Population, documents: number, draws: number): number {
  const truth = trueBitsPerByte(population)
  const stream = randomStream(1, "coverage", documents, JSON.stringify(population))
  let covered = 0
  for (let draw = 0; draw < draws; draw++) {
    const units = unitsOf(drawDocuments(stream, documents, population))
    const { low, high } = bitsPerByteInterval(units, { seed: draw, resamples: 1000 })!
    if (low <= truth && truth <= high) covered++
  }
  return covered / draws
}

/** `R - t*·se` with every ratio and error computed afresh from the pairs (y, x). */
function slowInterval(pairs: readonly (readonly [number, number])[], stream: RandomStream, resamples: number) {
  const n = pairs.length
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  const ratio = (of: typeof pairs) => sum(of.map(([y]) => y)) / sum(of.map(([, x]) => x))
  const error = (of: typeof pairs) => {
    const squares = sum(of.map(([y, x]) => (y - ratio(of) * x) ** 2))
    return Math.sqrt((n / (n - 1)) * squares) / sum(of.map(([, x]) => x))
  }
  const drawn = Array.from({ length: resamples }, () =>
    pairs.map(() => pairs[Math.floor((stream.uint32() * n) / 2 ** 32)]!),
  )
  const ts = drawn.filter((of) => new Set(of).size > 1).map((of) => (ratio(of) - ratio(pairs)) / error(of))
  ts.sort((a, b) => a - b)
  const left = pairs.map((_, i) => ratio(pairs.filter((_, k) => k !== i)))
  const jackknife = Math.sqrt(((n - 1) / n) * sum(left.map((value) => (value - ratio(pairs)) ** 2)))
  const at = (q: number) => {
    const place = q * (ts.length - 1)
    const [below, above] = [ts[Math.floor(place)]!, ts[Math.ceil(place)]!]
    return below + (place % 1) * (above - below)
  }
  return { low: ratio(pairs) - at(0.975) * jackknife, high: ratio(pairs) - at(0.025) * jackknife }
}

describe("bitsPerByteInterval", () => {
  it.each<Population>([
    { sigma: 0.5, tau: 0.1, rho: 0 },
    plain,
    { sigma: 1, tau: 0.15, rho: 0.3 },
    { sigma: 1.5, tau: 0.15, rho: -0.3 },
  ])("with 100 documents it covers the truth in 91 to 97 % of 1,000 draws: %o", (population) => {
    const covered = coverage(population, 100, 1000)
    expect(covered).toBeGreaterThanOrEqual(0.91)
    expect(covered).toBeLessThanOrEqual(0.97)
  })

  it("holds the measured ratio, and four times the documents halve it", () => {
    const documents = drawDocuments(randomStream(2), 1600, { sigma: 0.5, tau: 0.1, rho: 0 })
    const nats = documents.reduce((sum, { nats }) => sum + nats, 0)
    const ratio = nats / documents.reduce((sum, { bytes }) => sum + bytes, 0) / Math.LN2
    const all = bitsPerByteInterval(unitsOf(documents))!
    const quarter = bitsPerByteInterval(unitsOf(documents.slice(0, 400)))!
    expect(all.low).toBeLessThan(ratio)
    expect(all.high).toBeGreaterThan(ratio)
    expect((quarter.high - quarter.low) / (all.high - all.low)).toBeCloseTo(2, 0)
  })

  it("the same seed gives the same interval whatever the order of documents, another seed nearly the same", () => {
    const documents = drawDocuments(randomStream(3), 100, plain)
    const interval = bitsPerByteInterval(unitsOf(documents))!
    expect(bitsPerByteInterval(unitsOf([...documents].reverse()))).toEqual(interval)
    const other = bitsPerByteInterval(unitsOf(documents), { seed: 2 })!
    expect(other.high).not.toBe(interval.high)
    expect(Math.abs(other.high - interval.high)).toBeLessThan(0.15 * (interval.high - interval.low))
  })

  it("says its level, its unit, how many there were, and what blocks do not cover", () => {
    const documents = unitsOf(drawDocuments(randomStream(4), 50, plain))
    expect(bitsPerByteInterval(documents)).toMatchObject({ level: 0.95, unit: "document", units: 50 })
    expect(bitsPerByteInterval(documents)).not.toHaveProperty("note")
    const book = scored(
      "book",
      7000 * 30,
      300_000,
      drawDocuments(randomStream(5), 30, plain).map(({ nats }) => nats),
    )
    expect(bitsPerByteInterval(unitsOf([book]))).toMatchObject({ unit: "block", units: 30, note: expect.any(String) })
  })

  it("there is none where there are too few units, or a loss is infinite", () => {
    const documents = drawDocuments(randomStream(6), 19, plain)
    expect(bitsPerByteInterval(unitsOf(documents))).toBeUndefined()
    expect(bitsPerByteInterval(unitsOf([]))).toBeUndefined()
    const infinite = [...documents, scored("x", Infinity, 10), scored("y", 1, 10)]
    expect(bitsPerByteInterval(unitsOf(infinite))).toBeUndefined()
  })

  it("never goes below 0 bits", () => {
    const documents = Array.from({ length: 25 }, (_, i) => scored(`d${i}`, i < 2 ? 300 * (i + 1) : 0.1 * i, 100))
    const { low, high } = bitsPerByteInterval(unitsOf(documents))!
    expect(low).toBeGreaterThanOrEqual(0)
    expect(high).toBeGreaterThan(0.52)
  })
})

describe("ratioInterval", () => {
  const column = (values: readonly number[]) => Float64Array.from(values)

  it("units of one rate give that rate: a uniform model has no spread", () => {
    const sizes = Array.from({ length: 30 }, (_, i) => 2 ** (i % 8))
    const { low, high } = ratioInterval(column(sizes.map((x) => 8 * x)), column(sizes), {})!
    expect([low, high]).toEqual([8, 8])
  })

  it("equals the formula on resampled pairs, without its five sums", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), (count, seed) => {
        const stream = randomStream(seed)
        const pairs = Array.from({ length: count }, () => [1 + stream.uniform(), 1 + 9 * stream.uniform()] as const)
        const { low, high } = ratioInterval(column(pairs.map(([y]) => y)), column(pairs.map(([, x]) => x)), {
          seed,
          resamples: 81,
        })!
        const slow = slowInterval(pairs, randomStream(seed, "bootstrap"), 81)
        expect(low).toBeCloseTo(slow.low, 8)
        expect(high).toBeCloseTo(slow.high, 8)
      }),
    )
  })

  it("values with a long tail upward reach further upward", () => {
    const stream = randomStream(8)
    const values = column(Array.from({ length: 40 }, () => Math.exp(stream.normal())))
    const mean = values.reduce((a, b) => a + b) / 40
    const { low, high } = ratioInterval(values, new Float64Array(40).fill(1), {})!
    expect(high - mean).toBeGreaterThan(1.3 * (mean - low))
  })

  it("one unit that holds all of x leaves nothing to resample", () => {
    expect(ratioInterval(column([5, 1, 1]), column([9, 0, 0]), {})).toBeUndefined()
  })

  it("on equal sizes it comes near Student's interval of a mean", () => {
    const stream = randomStream(7)
    const values = column(Array.from({ length: 400 }, () => 3 + stream.normal()))
    const mean = values.reduce((a, b) => a + b) / 400
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 399 / 400)
    const { low, high } = ratioInterval(values, new Float64Array(400).fill(1), { resamples: 20_000 })!
    expect(Math.abs((high - mean) / error - 1.966)).toBeLessThan(0.12)
    expect(Math.abs((mean - low) / error - 1.966)).toBeLessThan(0.12)
  })
})
