// Laws of membership and of the gap on made-up losses: memory is found, and other authors are not taken for it.
import { describe, expect, it } from "vitest"
import { type RandomStream, randomStream } from "../../core/index.ts"
import { membership } from "./membership.ts"
import type { ScoredPassage, ScoredPassages } from "./score-passages.ts"
import { trainTestGap } from "./train-test-gap.ts"

/** Nats by which a side's passages are harder, to all and to the reference, and what the model remembers of them. */
interface Side {
  readonly harder: number
  readonly remembered: number
  readonly documents: number
}

/** Passages of 33 tokens and 100 bytes, about 3 nats a token, that vary alike for the model and the reference. */
function passages(stream: RandomStream, count: number, { harder, remembered, documents }: Side): ScoredPassage[] {
  return Array.from({ length: count }, (_, k) => {
    const common = 96 + harder + 10 * stream.normal()
    const bytes = Uint8Array.from({ length: 100 }, () => 97 + stream.below(8))
    const nats = common - remembered + 3 * stream.normal()
    return {
      document: k % documents,
      ids: new Array(33).fill(0),
      bytes,
      nats,
      referenceNats: common + 5 * stream.normal(),
    }
  })
}

function scored(seed: number, train: Partial<Side>, heldOut: Partial<Side>, count = 100): ScoredPassages {
  const stream = randomStream(seed, "losses")
  const plain = { harder: 0, remembered: 0, documents: 5 }
  return {
    train: passages(stream, count, { ...plain, ...train }),
    heldOut: passages(stream, count, { ...plain, ...heldOut }),
    others: [],
    tokens: 33,
    trainBytes: 1e4,
    heldOutBytes: 1e4,
  }
}

describe("membership", () => {
  it("text of one kind fires in at most 1 of 50 draws, and so does text of other authors", async () => {
    for (const harder of [0, 10]) {
      let alarms = 0
      for (let seed = 0; seed < 50; seed++) if ((await membership(scored(seed, {}, { harder }))).fires) alarms++
      expect(alarms).toBeLessThanOrEqual(1)
    }
  })

  it("remembered passages fire, whoever wrote the others", async () => {
    for (const harder of [0, 5]) {
      const found = await membership(scored(1, { remembered: 25 }, { harder }))
      expect(found.fires).toBe(true)
      expect(found.byLoss.auc).toBeGreaterThan(0.9)
    }
  })

  it("where each side has 20 documents a document counts once", async () => {
    const found = await membership(scored(1, { documents: 20 }, { documents: 50 }))
    expect(found).toMatchObject({ unit: "document", train: 20, heldOut: 50 })
    expect(await membership(scored(1, {}, {}))).toMatchObject({
      unit: "passage",
      train: 100,
      note: expect.stringMatching(/5 and 5/),
    })
  })
})

describe("the train-test gap", () => {
  it("is the difference of bits per byte, with that of the reference beside it", () => {
    const all = scored(1, { remembered: 10 }, { harder: 20 })
    const bits = (side: readonly ScoredPassage[], key: "nats" | "referenceNats") =>
      side.reduce((sum, passage) => sum + passage[key], 0) / Math.LN2 / (100 * side.length)
    const gap = trainTestGap(all)
    expect(gap.difference).toBeCloseTo(bits(all.heldOut, "nats") - bits(all.train, "nats"), 12)
    expect(gap.reference).toBeCloseTo(bits(all.heldOut, "referenceNats") - bits(all.train, "referenceNats"), 12)
    expect(gap.interval!.low).toBeLessThan(gap.difference)
    expect(gap.interval!.high).toBeGreaterThan(gap.difference)
  })

  it("of two halves of one text its interval covers 0 in 90 to 98 of 100 draws", () => {
    const covers = Array.from({ length: 100 }, (_, seed) => trainTestGap(scored(seed, {}, {})).interval!)
    const count = covers.filter(({ low, high }) => low <= 0 && high >= 0).length
    expect(count).toBeGreaterThanOrEqual(90)
    expect(count).toBeLessThanOrEqual(98)
  })

  it("fewer than 20 passages have no interval", () => {
    expect(trainTestGap(scored(1, {}, {}, 19)).interval).toBeUndefined()
  })
})
