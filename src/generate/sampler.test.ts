// Laws of the samplers: what each filter keeps, that what is left is a distribution, and that draws follow it.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError, DataError } from "../core/index.ts"
import { createSampler, drawCandidate, type SamplerOptions, samplingDistribution } from "./sampler.ts"

const logit = fc.oneof(
  { weight: 8, arbitrary: fc.float({ min: -12, max: 12, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 3 }) }, // ties
  { weight: 1, arbitrary: fc.constant(-Infinity) },
)
const logitsArray = fc
  .array(logit, { minLength: 1, maxLength: 50 })
  .filter((logits) => logits.some((value) => value > -Infinity))
  .map((logits) => Float32Array.from(logits))
const temperature = fc.double({ min: 0.1, max: 3, noNaN: true })
const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true })

/** Ids and probabilities of the whole softmax, sorted in full, ties to the lower id. */
function sortedSoftmax(logits: Float32Array, temperature = 1) {
  const largest = Math.max(...logits)
  const weights = Array.from(logits, (value) => Math.exp((value - largest) / temperature))
  const sum = weights.reduce((a, b) => a + b)
  return weights
    .map((weight, id) => ({ id, p: weight / sum }))
    .filter(({ id }) => logits[id] > -Infinity)
    .sort((a, b) => logits[b.id] - logits[a.id] || a.id - b.id)
}

const idsOf = (entries: { id: number }[]) => entries.map(({ id }) => id)
const keptIds = (logits: Float32Array, options: SamplerOptions) => [...samplingDistribution(logits, options).ids]

describe("samplingDistribution", () => {
  it("is the softmax of the logits over the temperature when nothing is filtered", () => {
    fc.assert(
      fc.property(logitsArray, temperature, (logits, temperature) => {
        const { ids, probabilities } = samplingDistribution(logits, { temperature })
        expect([...ids]).toEqual([...logits.keys()])
        for (const { id, p } of sortedSoftmax(logits, temperature)) expect(probabilities[id]).toBeCloseTo(p, 12)
      }),
    )
  })

  it("sums to one and keeps the ratios of the softmax, whatever is filtered", () => {
    const options = fc.record({
      temperature,
      topK: fc.nat(60),
      topP: fc.oneof(fc.constant(1), fraction),
      minP: fc.oneof(fc.constant(0), fraction),
    })
    fc.assert(
      fc.property(logitsArray, options, (logits, options) => {
        const { ids, probabilities } = samplingDistribution(logits, options)
        const full = new Map(sortedSoftmax(logits, options.temperature).map(({ id, p }) => [id, p]))
        const mass = ids.reduce((sum, id) => sum + (full.get(id) ?? 0), 0)
        expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
        ids.forEach((id, at) => expect(probabilities[at]).toBeCloseTo((full.get(id) ?? 0) / mass, 12))
      }),
    )
  })

  it("top-k keeps exactly the k most likely ids, or all that are allowed", () => {
    fc.assert(
      fc.property(logitsArray, fc.integer({ min: 1, max: 60 }), (logits, topK) => {
        expect(keptIds(logits, { topK })).toEqual(idsOf(sortedSoftmax(logits).slice(0, topK)))
      }),
    )
  })

  it("top-p keeps the smallest set of most likely ids that reaches p", () => {
    fc.assert(
      fc.property(logitsArray, temperature, fraction, (logits, temperature, topP) => {
        const sorted = sortedSoftmax(logits, temperature)
        const kept = keptIds(logits, { temperature, topP })
        const mass = (count: number) => sorted.slice(0, count).reduce((sum, { p }) => sum + p, 0)
        expect(kept).toEqual(idsOf(sorted).slice(0, kept.length))
        expect(mass(kept.length)).toBeGreaterThan(topP - 1e-12)
        expect(mass(kept.length - 1)).toBeLessThan(topP + 1e-12)
      }),
    )
  })

  it("top-p after top-k takes its share of what top-k left", () => {
    const logits = Float32Array.from([0.4, 0.3, 0.2, 0.1].map(Math.log))
    expect(keptIds(logits, { topP: 0.55 })).toEqual([0, 1])
    expect(keptIds(logits, { topK: 2, topP: 0.55 })).toEqual([0])
  })

  it("min-p keeps what is at least that fraction as likely as the most likely id", () => {
    fc.assert(
      fc.property(logitsArray, fraction, (logits, minP) => {
        const sorted = sortedSoftmax(logits)
        fc.pre(sorted.every(({ p }) => Math.abs(p / sorted[0]!.p - minP) > 1e-12))
        expect(keptIds(logits, { minP })).toEqual(idsOf(sorted.filter(({ p }) => p >= minP * sorted[0]!.p)))
      }),
    )
  })

  it("the penalty divides positive and multiplies negative logits of recent ids, once each, within its window", () => {
    const logits = Float32Array.of(2, -1, 2, 0)
    const penalized = samplingDistribution(logits, { repetitionPenalty: 2, repetitionWindow: 3 }, [2, 0, 1, 0])
    const expected = samplingDistribution(Float32Array.of(1, -2, 2, 0))
    expect([...penalized.probabilities]).toEqual([...expected.probabilities])
    expect([...logits]).toEqual([2, -1, 2, 0])
  })

  it("temperature towards zero is greedy", () => {
    fc.assert(
      fc.property(logitsArray, (logits) => {
        const greedy = createSampler({ temperature: 0 }).sample(logits).id
        expect(greedy).toBe(logits.indexOf(Math.max(...logits)))
        const { ids, probabilities } = samplingDistribution(logits, { temperature: 1e-9, topK: 1 })
        expect([...ids]).toEqual([greedy])
        expect([...probabilities]).toEqual([1])
        const cold = samplingDistribution(logits, { temperature: 1e-60 }).probabilities
        const ties = logits.filter((value) => value === logits[greedy]).length
        expect(cold[greedy]).toBe(1 / ties)
      }),
    )
  })
})

describe("createSampler", () => {
  it("draws ids as often as the distribution says (chi-square, fixed seed)", () => {
    const logits = Float32Array.from({ length: 12 }, (_, id) => Math.sin(id * 5) * 2)
    for (const options of [{}, { temperature: 0.7, topK: 8 }, { topP: 0.9 }, { minP: 0.1, temperature: 1.5 }]) {
      const sampler = createSampler({ ...options, seed: 7 })
      const draws = 20000
      const counts = new Float64Array(logits.length)
      for (let draw = 0; draw < draws; draw++) counts[sampler.sample(logits).id]++
      const { ids, probabilities } = samplingDistribution(logits, options)
      const expected = probabilities.map((p) => p * draws)
      const chiSquare = expected.reduce((sum, e, at) => sum + (counts[ids[at]] - e) ** 2 / e, 0)
      expect(ids.reduce((sum, id) => sum + counts[id], 0)).toBe(draws)
      expect(chiSquare).toBeLessThan(31.3) // 11 degrees of freedom or fewer, p = 0.001
    }
  })

  it("the same seed gives the same ids, another seed others", () => {
    const logits = new Float32Array(1000)
    const draw = (seed: number) => {
      const sampler = createSampler({ seed })
      return Array.from({ length: 20 }, () => sampler.sample(logits).id)
    }
    expect(draw(3)).toEqual(draw(3))
    expect(draw(3)).not.toEqual(draw(4))
  })

  it("never draws a forbidden id", () => {
    const logits = Float32Array.of(-Infinity, 0, -Infinity, -90, -Infinity)
    const sampler = createSampler({ temperature: 2 })
    for (let draw = 0; draw < 2000; draw++) expect([1, 3]).toContain(sampler.sample(logits).id)
  })

  it("draws the last id that is possible where the sum rounds below the draw", () => {
    const rounded = { ids: Int32Array.of(5, 6, 7), probabilities: Float64Array.of(0.5, 0.5 - 2 ** -52, 0) }
    expect(drawCandidate(rounded, 0)).toBe(5)
    expect(drawCandidate(rounded, 1 - 2 ** -53)).toBe(6)
  })

  it("reports the model's own log-probability, before penalty, temperature and filters", () => {
    fc.assert(
      fc.property(logitsArray, (logits) => {
        const sampler = createSampler({ logProbabilities: true, temperature: 0.5, topK: 3, repetitionPenalty: 1.2 })
        const { id, logProbability } = sampler.sample(logits, [0, 1])
        const p = sortedSoftmax(logits).find((entry) => entry.id === id)?.p ?? NaN
        expect(logProbability).toBeCloseTo(Math.log(p), 9)
      }),
    )
    expect(createSampler().sample(Float32Array.of(1, 2))).not.toHaveProperty("logProbability")
  })

  it("refuses options out of range, naming what was expected and what came", () => {
    const wrong: SamplerOptions[] = [
      { temperature: -1 },
      { temperature: NaN },
      { topK: 1.5 },
      { topP: 0 },
      { topP: 1.1 },
      { minP: -0.1 },
      { repetitionPenalty: 0 },
      { repetitionWindow: -1 },
      { seed: 0.5 },
    ]
    for (const options of wrong) {
      const [name, value] = Object.entries(options)[0]!
      expect(() => createSampler(options)).toThrow(ConfigError)
      expect(() => createSampler(options)).toThrow(new RegExp(`^${name} must be .*, got ${value}$`))
    }
  })

  it("takes its defaults for options that are undefined", () => {
    const options = { temperature: undefined, topP: undefined, seed: undefined } as unknown as SamplerOptions
    expect([...samplingDistribution(Float32Array.of(0, 0), options).probabilities]).toEqual([0.5, 0.5])
  })

  it("refuses logits that are no distribution", () => {
    for (const logits of [[NaN, 1], [Infinity, 1], [-Infinity, -Infinity], []])
      expect(() => createSampler().sample(Float32Array.from(logits))).toThrow(DataError)
  })
})
