// Laws of a comparison: no difference gives uniform p, a real one is found, and a model does not differ from itself.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataError, type RandomStream, randomStream } from "../../core/index.ts"
import { pairedDifference } from "./paired.ts"
import { distanceFromUniform, drawDocuments, scored, scoredWorse } from "./testing.ts"

const plain = { sigma: 1, tau: 0.15, rho: 0 }
const even = { sigma: 0.5, tau: 0.15, rho: 0 }

const normal = (stream: RandomStream) => 0.02 * stream.normal()
const exponential = (stream: RandomStream) => 0.02 * (-Math.log(1 - stream.uniform()) - 1)

/** A book of `blocks` blocks of 10 kB, its nats a block drawn around 7000. */
function book(stream: RandomStream, blocks: number) {
  const blockNats = Array.from({ length: blocks }, () => 7000 + 200 * stream.normal())
  const nats = blockNats.reduce((a, b) => a + b, 0)
  return scored("book", nats, blocks * 10_000, blockNats)
}

describe("pairedDifference", () => {
  it("a model compared with itself gives difference 0, p = 1 and the interval 0 to 0", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 20, max: 90 }), (seed, count) => {
        const documents = drawDocuments(randomStream(seed), count, plain)
        const result = pairedDifference(documents, [...documents].reverse(), { seed, resamples: 200 })
        expect(result).toMatchObject({ difference: 0, pValue: 1, interval: { low: 0, high: 0, units: count } })
        expect(result).toMatchObject({ pairs: count, unpaired: 0 })
      }),
      { numRuns: 30 },
    )
  })

  // The greatest distance from uniform of 1,000 uniform numbers is over 0.0515 in 1 of 100 experiments.
  it.each([
    { name: "normal", noise: normal, documents: 30, population: plain },
    { name: "normal", noise: normal, documents: 100, population: plain },
    { name: "skewed", noise: exponential, documents: 30, population: even },
    { name: "skewed", noise: exponential, documents: 100, population: even },
  ])("true mean difference 0 gives uniform p: $name differences, $documents documents", (law) => {
    const stream = randomStream(1, law.name, law.documents)
    const ps = Array.from({ length: 1000 }, (_, draw) => {
      const a = drawDocuments(stream, law.documents, law.population)
      const b = scoredWorse(a, () => law.noise(stream))
      return pairedDifference(a, b, { seed: draw, resamples: 1000 }).pValue!
    })
    expect(distanceFromUniform(ps)).toBeLessThan(0.0515)
    expect(ps.filter((p) => p <= 0.05).length).toBeLessThan(100)
  })

  it("a real difference is found and lies in the interval in most draws", () => {
    const stream = randomStream(2)
    const truth = -0.02 / Math.LN2
    let [found, covered] = [0, 0]
    for (let draw = 0; draw < 200; draw++) {
      const a = drawDocuments(stream, 60, even)
      const { interval, pValue } = pairedDifference(
        a,
        scoredWorse(a, () => 0.02 + normal(stream)),
        { resamples: 1000 },
      )
      if (pValue! <= 0.05) found++
      if (interval!.low <= truth && truth <= interval!.high) covered++
    }
    expect(found).toBeGreaterThan(195)
    expect(covered / 200).toBeGreaterThan(0.91)
  })

  it("the interval leaves out 0 exactly when p is at most 0.05", () => {
    const stream = randomStream(3)
    const decisions = Array.from({ length: 300 }, () => {
      const a = drawDocuments(stream, 25, even)
      const { interval, pValue } = pairedDifference(
        a,
        scoredWorse(a, () => 0.008 + normal(stream)),
        { resamples: 500 },
      )
      expect(interval!.low > 0 || interval!.high < 0).toBe(pValue! <= 0.05)
      return pValue! <= 0.05
    })
    expect(new Set(decisions).size).toBe(2)
  })

  it("each unit is in or out on its own: 64 differences of 1 and -1 reach ±1.96/8", () => {
    const a = Array.from({ length: 64 }, (_, i) => scored(`d${String(i).padStart(2, "0")}`, 1000, 100))
    const b = a.map((one, i) => ({ ...one, nats: one.nats + (i < 32 ? 100 : -100) }))
    const { interval, pValue } = pairedDifference(a, b)
    const reach = 1.96 / 8 / Math.LN2
    expect(interval!.high / reach).toBeGreaterThan(0.9)
    expect(interval!.high / reach).toBeLessThan(1.1)
    expect(pValue).toBeGreaterThan(0.8)
  })

  it("swapping the two negates the difference and its interval and keeps p; order of documents does not matter", () => {
    const stream = randomStream(4)
    const a = drawDocuments(stream, 40, plain)
    const b = scoredWorse(a, () => 0.005 + normal(stream))
    const [there, back] = [pairedDifference(a, b), pairedDifference([...b].reverse(), a)]
    expect(back.difference).toBe(-there.difference)
    expect(back.interval).toMatchObject({ low: -there.interval!.high, high: -there.interval!.low })
    expect(back.pValue).toBe(there.pValue)
    expect(there.interval!.low).toBeLessThan(there.difference)
    expect(there.interval!.high).toBeGreaterThan(there.difference)
  })

  it("only what both have scored is compared, copy with copy, and the rest is counted", () => {
    const a = drawDocuments(randomStream(5), 30, plain)
    const b = scoredWorse(a, () => 0.1)
    const result = pairedDifference([...a, a[0]!, scored("only a", 9, 9)], [...b, b[0]!, b[0]!])
    expect(result.difference).toBeCloseTo(-0.1 / Math.LN2, 12)
    expect(result).toMatchObject({ pairs: 31, unpaired: 2, interval: { units: 30, unit: "document" } })
  })

  it("a first token that one of them does not predict is no obstacle, a text cut short is", () => {
    const a = drawDocuments(randomStream(6), 30, even)
    const b = scoredWorse(a, () => 0.1).map((one) => scored(one.sha256, one.nats * (1 - 2 / one.bytes), one.bytes - 2))
    expect(pairedDifference(a, b)).toMatchObject({ pairs: 30, unpaired: 0 })
    expect(pairedDifference(a, b).difference).toBeCloseTo(-0.1 / Math.LN2, 4)
    const short = b.map((one, i) => (i < 5 ? scored(one.sha256, one.nats / 2, one.bytes - 200) : one))
    expect(pairedDifference(a, short)).toMatchObject({ pairs: 25, unpaired: 10 })
  })

  it("few documents are compared by blocks, cut at the same bytes for both", () => {
    const stream = randomStream(7)
    const a = book(stream, 30)
    const blockNats = a.blockNats.map((nats) => nats + 100 + 10 * stream.normal())
    const nats = blockNats.reduce((x, y) => x + y, 0)
    const result = pairedDifference([a], [{ ...a, nats, bytes: a.bytes - 3, blockNats }])
    expect(result).toMatchObject({ pairs: 1, interval: { unit: "block", units: 30 }, note: expect.any(String) })
    expect(result.pValue).toBeLessThan(0.001)
    // The last block has 5,001 bytes for one and 4,998 for the other: half a block lies between.
    const odd = { ...a, bytes: a.bytes - 4999 }
    expect(pairedDifference([odd], [{ ...odd, bytes: odd.bytes - 3 }]).interval!.units).toBe(30)
  })

  it("too few blocks, other blocks, or an infinite loss: the difference, no interval, no p, and why", () => {
    const few = book(randomStream(8), 12)
    const none = { interval: undefined, pValue: undefined }
    expect(pairedDifference([few], [few])).toMatchObject({
      difference: 0,
      ...none,
      note: expect.stringContaining("12 such blocks"),
    })
    const many = book(randomStream(9), 40)
    expect(pairedDifference([many], [{ ...many, blockNats: many.blockNats.slice(0, 20) }])).toMatchObject(none)
    const a = drawDocuments(randomStream(10), 30, plain)
    const b = a.map((one, i) => (i === 3 ? { ...one, nats: Infinity } : one))
    expect(pairedDifference(a, b)).toMatchObject({
      difference: -Infinity,
      ...none,
      note: expect.stringContaining("not finite"),
    })
  })

  it("no document in common is an error that counts both sides", () => {
    const compare = () => pairedDifference([scored("x", 1, 1)], [])
    expect(compare).toThrow(DataError)
    expect(compare).toThrow("got 1 document and 0 documents with none in common")
  })
})
