// Laws of the small measures: the overfitting curve, capacity, intervals of differences, copying.
import { describe, expect, it } from "vitest"
import { ConfigError, randomStream } from "../../core/index.ts"
import { meanInterval } from "../statistics/index.ts"
import { capacityRatio } from "./capacity-ratio.ts"
import { copiedNgrams } from "./copied-ngrams.ts"
import { differenceInterval } from "./difference-interval.ts"
import { overfittingCurve } from "./overfitting-curve.ts"
import { unigramBitsPerByte } from "./unigram-bits.ts"

describe("the overfitting curve", () => {
  const heldOut = [3, 2, 1.5, 1.6].map((nats, i) => ({ step: 10 * (i + 1), nats }))

  it("says where the held-out loss was lowest and what was lost after it", () => {
    const curve = overfittingCurve({ training: [{ step: 40, nats: 0.6 }], heldOut })!
    expect(curve).toMatchObject({ minimum: { step: 30, nats: 1.5 }, isFallingAtEnd: false, fires: true })
    expect(curve.lostNats).toBeCloseTo(0.1, 12)
    expect(curve.gaps).toEqual([{ step: 40, nats: 1 }])
  })

  it("what a run lost after the measured model's step is not that model's loss", () => {
    const at = (measuredStep: number) =>
      overfittingCurve({ training: [], heldOut: [...heldOut, { step: 50, nats: 1.9 }], measuredStep })!
    expect(at(30)).toMatchObject({ minimum: { step: 30 }, last: { step: 50 }, lostNats: 0, fires: false })
    expect(at(10)).toMatchObject({ lostNats: 0, fires: false })
    expect(at(49).lostNats).toBeCloseTo(0.1, 12)
    expect([at(49).fires, at(50).fires]).toEqual([true, true])
    expect(at(50).lostNats).toBeCloseTo(0.4, 12)
  })

  it("a loss that still falls has lost nothing; evaluations come in any order", () => {
    const curve = overfittingCurve({ training: [], heldOut: heldOut.slice(0, 3).reverse() })
    expect(curve).toMatchObject({ minimum: { step: 30 }, lostNats: 0, isFallingAtEnd: true, fires: false })
  })

  it("one evaluation, or losses that are no numbers, make no curve", () => {
    expect(overfittingCurve({ training: [], heldOut: heldOut.slice(0, 1) })).toBeUndefined()
    expect(overfittingCurve({ training: [], heldOut: [heldOut[0]!, { step: 9, nats: Number.NaN }] })).toBeUndefined()
  })
})

it("capacity is 3.6 bits a parameter over the bits of the text", () => {
  expect(capacityRatio({ parameters: 1e6, trainTextBits: 2e6 }).ratio).toBeCloseTo(1.8, 12)
  expect(() => capacityRatio({ parameters: 1e6, trainTextBits: 0 })).toThrow(ConfigError)
})

it("the unigram knows how often each token of the training text occurs, and predicts no first token", async () => {
  const passage = (ids: readonly number[]) => ({ document: 0, ids, bytes: new Uint8Array(2 * (ids.length - 1)) })
  const sides = { train: [passage([0, 1])], heldOut: [passage([3, 0, 2])], others: [Int32Array.of(0, 0)] }
  const bits = await unigramBitsPerByte({ ...sides, tokens: 3, trainBytes: 8, heldOutBytes: 6 }, 4, undefined)
  expect(bits).toBeCloseTo(-(Math.log2(4 / 8) + Math.log2(1 / 8)) / 4, 12)
})

describe("the interval of a difference", () => {
  const estimate = (hits: number, total: number) => {
    const values = Float64Array.from({ length: total }, (_, i) => (i < hits ? 1 : 0))
    return { value: hits / total, interval: meanInterval(values) }
  }

  it("is Newcombe's for proportions", () => {
    // Newcombe 1998, table II, (a): 56/70 - 48/80 by method 10
    const interval = differenceInterval(estimate(56, 70), estimate(48, 80))!
    expect(interval.low).toBeCloseTo(0.0524, 4)
    expect(interval.high).toBeCloseTo(0.3339, 4)
  })

  it("turned around it is negated", () => {
    const [a, b] = [estimate(3, 40), estimate(0, 30)]
    const [there, back] = [differenceInterval(a, b)!, differenceInterval(b, a)!]
    expect([back.low, back.high]).toEqual([-there.high, -there.low])
  })

  it("of equal rates it lies above 0 in at most 3 % of 2,000 draws", () => {
    for (const rate of [0.01, 0.1, 0.5]) {
      const stream = randomStream(3, "rates", rate)
      const draw = (n: number) => Array.from({ length: n }, () => stream.uniform()).filter((u) => u < rate).length
      const alarms = Array.from({ length: 2000 }, () => {
        return differenceInterval(estimate(draw(100), 100), estimate(draw(100), 100))!.low > 0
      }).filter(Boolean)
      expect(alarms.length).toBeLessThan(60)
    }
  })
})

describe("copying", () => {
  const lexicon = Array.from({ length: 300 }, (_, i) => `word${i}`)
  const write = (name: string, words: number) => {
    const stream = randomStream(1, name)
    return Array.from({ length: words }, () => lexicon[stream.below(lexicon.length)]!).join(" ")
  }
  const train = write("train", 5000)
  const words = train.split(" ")
  const fresh = (name: string) => Array.from({ length: 30 }, (_, i) => write(`${name}${i}`, 100))

  it("samples that are copied from the training text are found, whole", async () => {
    const copies = Array.from({ length: 30 }, (_, i) => words.slice(100 * i, 100 * (i + 1)).join(" "))
    const found = await copiedNgrams(copies, fresh("control"), [train])
    expect(found.lengths.map(({ length, share, control }) => [length, share, control])).toEqual([
      [4, 1, 0],
      [8, 1, 0],
      [13, 1, 0],
    ])
    expect(found.fires).toBe(true)
  })

  it("samples that are new fire nothing, by words and by characters", async () => {
    for (const unit of ["words", "characters"] as const)
      expect(await copiedNgrams(fresh("sample"), fresh("control"), [train], { unit })).toMatchObject({ fires: false })
  })

  it("samples shorter than an n-gram have no share", async () => {
    const found = await copiedNgrams(["word1 word2"], ["word3"], [train])
    expect(found).toMatchObject({ fires: false, lengths: [{ share: 0, interval: undefined }, {}, {}] })
  })
})
