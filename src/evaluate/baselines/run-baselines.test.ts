// Laws of the report: every baseline in bits per byte of the same text, abortable, without holding up the event loop.
import { describe, expect, it } from "vitest"
import { platform } from "#platform"
import { randomStream } from "../../core/index.ts"
import { trainKneserNey } from "./kneser-ney.ts"
import { BASELINE_NAMES, type BaselineOptions, runBaselines } from "./run-baselines.ts"
import { inSlices, runSliced } from "./slices.ts"

const random = randomStream(1, "baselines")
const WORDS = ["stone ", "river ", "a ", "the ", "moss ", "and ", "leaf, ", "rain. "]
const makeText = (words: number) =>
  new TextEncoder().encode(Array.from({ length: words }, () => WORDS[random.below(WORDS.length)]).join(""))

const trainText = makeText(3000)
const validText = makeText(400)
const split: BaselineOptions = {
  trainText,
  validText,
  trainIds: Uint16Array.from(trainText),
  validIds: Uint16Array.from(validText),
  vocabSize: 300,
  bytes: validText.length,
}

describe("runBaselines", () => {
  it("runs every baseline in order, each no worse than eight bits and Kneser-Ney better than unigrams", async () => {
    const seen: string[] = []
    const results = await runBaselines({ ...split, onProgress: ({ name, done }) => seen.push(`${done} ${name}`) })
    expect(seen).toEqual(BASELINE_NAMES.map((name, index) => `${index} ${name}`))
    const bits = Object.fromEntries(results.map((result) => [result.name, result.bitsPerByte]))
    for (const { name, bitsPerByte, note } of results)
      if (bitsPerByte === undefined) expect(note).toContain(`${name} was not found`)
      else expect(bitsPerByte).toBeLessThan(8)
    expect(bits["kneser-ney-bytes"]).toBeLessThan(bits["unigram-bytes"]! / 2)
    expect(bits["kneser-ney-tokens"]).toBeLessThan(bits["unigram-tokens"]! / 2)
  })

  it("bits per byte of tokens are nats over ln 2 over the bytes they stand for", async () => {
    const [result] = await runBaselines({ ...split, only: ["kneser-ney-tokens"], tokenOrders: [3], bytes: 777 })
    const nats = trainKneserNey(split.trainIds, { order: 3, vocabSize: 300 }).scoreNats(split.validIds)
    expect(result).toMatchObject({ order: 3, unit: "token" })
    expect(result!.bitsPerByte).toBeCloseTo(nats / Math.LN2 / 777, 12)
    expect(result!.natsPerUnit).toBeCloseTo(nats / split.validIds.length, 12)
  })

  it("a compressor costs what the held-out text adds to the training text", async () => {
    const [result] = await runBaselines({ ...split, only: ["brotli"] })
    const both = Uint8Array.from([...trainText, ...validText])
    const added = (await platform.brotliSize(both))! - (await platform.brotliSize(trainText))!
    expect(result!.bitsPerByte).toBeCloseTo((8 * added) / validText.length, 12)
  })

  it("says how much of the training text it left out", async () => {
    const [result] = await runBaselines({ ...split, only: ["unigram-bytes"], maxTrainBytes: 1000 })
    expect(result!.note).toMatch(/^saw the last 1 kB of 1[0-9.]+ kB of training text$/)
  })

  it("stops with the signal's reason, before and between slices and while a compressor runs", async () => {
    const reason = new Error("enough")
    await expect(runBaselines({ ...split, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (const only of ["kneser-ney-bytes", "brotli"] as const) {
      const controller = new AbortController()
      const running = runBaselines({
        ...split,
        trainText: new Uint8Array(3e6),
        only: [only],
        signal: controller.signal,
        onProgress: () => setImmediate(() => controller.abort(reason)),
      })
      await expect(running).rejects.toBe(reason)
    }
  })

  it("refuses an empty part", async () => {
    await expect(runBaselines({ ...split, validText: new Uint8Array(0) })).rejects.toThrow(/validText/)
  })
})

describe("runSliced", () => {
  it("lets other work have a turn before a long computation ends", async () => {
    const order: string[] = []
    setTimeout(() => order.push("timer"), 1)
    const spin = inSlices(1024 * 100, () => {
      for (const end = platform.now() + 1; platform.now() < end; );
    })
    await runSliced(spin).then(() => order.push("computation"))
    expect(order).toEqual(["timer", "computation"])
  })
})
