// Generating: the same text for a seed whoever else generates, every way to end, models of any shape. (That cached decoding
// equals the full forward is a law of the house, test/laws/decoding.test.ts.)
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { randomModel } from "../../test/laws/support.ts"
import { type Device, openDevice } from "../backends/index.ts"
import { ConfigError, DeviceError, decodeF16, encodeF16 } from "../core/index.ts"
import {
  type DecoderConfig,
  decoderParameters,
  initializeParameters,
  parameterCounts,
  presets,
} from "../models/index.ts"
import { bytesTokenizer } from "../tokenizer/index.ts"
import { batchEngineOf, passTokens } from "./engine.ts"
import { createModel, engineOf, type GenerateOptions, generate, generateBatch, type Model } from "./index.ts"

const sizes = { vocabSize: 300, hiddenSize: 16, numHiddenLayers: 2, maxPositionEmbeddings: 80 }
const llama = (changes: Partial<DecoderConfig> = {}): DecoderConfig => ({
  ...presets.llama({ ...sizes, numAttentionHeads: 2, numKeyValueHeads: 1 }),
  ...changes,
})

let device: Device
let model: Model
beforeAll(async () => {
  device = await openDevice({ local: true, strict: true })
  model = await randomModel(device, llama())
})
afterAll(() => device.close())

/** Ids drawn, text, and why it ended. */
async function collect(prompt: string, options: GenerateOptions = {}, from = model) {
  const ids: number[] = []
  let [text, finished] = ["", undefined as string | undefined]
  for await (const piece of generate(from, prompt, options)) {
    if (piece.id !== undefined) ids.push(piece.id)
    text += piece.text
    finished = piece.finished ?? finished
  }
  return { ids, text, finished }
}

describe("generating", () => {
  it("takes turns with other streams of the same model, each as if it were alone", async () => {
    const prompts = ["the kinglet", "the wren sings", "a tall spruce"]
    const options = (seed: number) => ({ maxTokens: 100, seed }) // past the end of the context
    const alone = []
    for (const [seed, prompt] of prompts.entries()) alone.push(await collect(prompt, options(seed)))
    const together = await Promise.all(prompts.map((prompt, seed) => collect(prompt, options(seed))))
    expect(together).toEqual(alone)
    expect(alone.every(({ ids, finished }) => ids.length === 100 || finished === "end-of-text")).toBe(true)
  })

  it("draws only tokens that the tokenizer has, though the model has more", async () => {
    const { vocabSize } = model.tokenizer
    expect(vocabSize).toBeLessThan(model.config.vocabSize)
    const { ids } = await collect("x", { maxTokens: 300, temperature: 3 })
    expect(Math.max(...ids)).toBeLessThan(vocabSize)
  })

  it("goes on as before after a stream that was left in the middle", async () => {
    const whole = await collect("the kinglet", { maxTokens: 20, seed: 3 })
    for await (const { id } of generate(model, "something else", { seed: 4 })) if (id !== undefined) break
    expect(await collect("the kinglet", { maxTokens: 20, seed: 3 })).toEqual(whole)
  })

  it("ends when the signal says so, before the next token", async () => {
    const signal = { aborted: false }
    const ids: number[] = []
    let last: string | undefined
    for await (const { id, finished } of generate(model, "x", { maxTokens: 50, signal })) {
      if (id !== undefined) ids.push(id)
      signal.aborted = ids.length === 3
      last = finished
    }
    expect([ids.length, last]).toEqual([3, "aborted"])
  })

  it("of no tokens is an empty text, and of fewer than none an error", async () => {
    expect(await collect("x", { maxTokens: 0 })).toEqual({ ids: [], text: "", finished: "length" })
    for (const maxTokens of [-1, 1.5, Number.NaN])
      await expect(collect("x", { maxTokens })).rejects.toThrow(
        `maxTokens must be a whole number from 0, got ${maxTokens}`,
      )
  })
})

describe("several prompts together", () => {
  const prompts = ["the kinglet", "x", "a tall spruce under which the wren sleeps and sings, over and over", "the wren"]

  /** What each text is, read piece by piece from one stream. */
  async function collectEach(options: GenerateOptions) {
    const texts = prompts.map(() => ({ ids: [] as number[], text: "", finished: undefined as string | undefined }))
    for await (const { index, text, id, finished } of generateBatch(model, prompts, options)) {
      const of = texts[index]!
      expect(of.finished).toBeUndefined()
      if (id !== undefined) of.ids.push(id)
      of.text += text
      of.finished = finished
    }
    return texts
  }

  it("give the texts that each gives alone, past the end of the context too", async () => {
    const options = { maxTokens: 100, seed: 5, stop: [..."aeqzAZ"] }
    const alone = []
    for (const prompt of prompts) alone.push(await collect(prompt, options))
    expect(await collectEach(options)).toEqual(alone)
    expect(new Set(alone.map(({ ids }) => ids.length)).size).toBeGreaterThan(1) // some end before others
  })

  it("end together when the signal says so", async () => {
    const signal = { aborted: false }
    const ends: (string | undefined)[] = []
    for await (const { index, finished } of generateBatch(model, prompts, { maxTokens: 9, signal })) {
      ends[index] = finished
      signal.aborted = true
    }
    expect(ends).toEqual(prompts.map(() => "aborted"))
  })

  it("may be none", async () => {
    for await (const piece of generateBatch(model, [])) expect(piece).toBeUndefined()
  })
})

describe("a prompt", () => {
  it("is read in passes that are nearly full, the longest first", () => {
    const passes = (left: number, contextLength = 1024): number[] => {
      if (left <= 0) return []
      const width = passTokens(left, contextLength)
      return [width, ...passes(left - width, contextLength)]
    }
    expect([3, 12, 63, 100, 180].map((left) => passes(left))).toEqual([
      [1, 1, 1],
      [16],
      [64],
      [64, 16, 16, 1, 1, 1, 1],
      [64, 64, 64],
    ])
    expect(passes(40, 48)).toEqual([16, 16, 1, 1, 1, 1, 1, 1, 1, 1])
    expect(passes(1, 1)).toEqual([1])
  })
})

describe("weights stored as half floats", () => {
  const ids = [5, 7, 11, 13, 200, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
  const open = async (weights: "f32" | "f16", change: (values: Float32Array) => Float32Array) => {
    const parameters = Object.fromEntries(
      Object.entries(initializeParameters(llama(), 1)).map(([name, values]) => [name, change(values)]),
    )
    return createModel({ config: llama(), tokenizer: bytesTokenizer(), parameters }, { device, weights })
  }

  it("give the logits of the rounded weights, bit for bit, in half the bytes", async () => {
    const halves = await open("f16", (values) => values)
    const rounded = await open("f32", (values) => decodeF16(encodeF16(values)))
    const logits = []
    for (const model of [halves, rounded]) logits.push(await engineOf(model).logitsAfter(ids))
    expect(logits[0]).toEqual(logits[1])
    const bytes = (of: Model) => of.workspace.plannedBytes
    const [all, norms] = [parameterCounts(llama()).total, 5 * 16]
    expect(bytes(rounded) - bytes(halves)).toBeGreaterThan(1.9 * (all - norms))
    for (const model of [halves, rounded]) await model.close()
  })

  it("are refused where they do not fit", async () => {
    await expect(open("f16", (values) => values.map(() => 1e5))).rejects.toThrow("within ±65504, got 100000 at 0")
  })
})

describe("a model", () => {
  it.each([
    ["without layers", llama({ numHiddenLayers: 0 })],
    ["with a context of one token", llama({ maxPositionEmbeddings: 1 })],
    ["with learned positions and no layers", presets.gpt2({ ...sizes, numHiddenLayers: 0, numAttentionHeads: 2 })],
  ])("%s generates", async (_, config) => {
    const small = await randomModel(device, config)
    const { ids, finished } = await collect("the kinglet", { maxTokens: 5, seed: 1 }, small)
    expect(ids.length === 5 || finished === "end-of-text").toBe(true)
    await small.close()
  })

  it("has one engine of each size, however many ask for it", () => {
    expect(batchEngineOf(model, 2)).toBe(batchEngineOf(model, 2))
    expect(batchEngineOf(model, 2)).not.toBe(batchEngineOf(model, 3))
  })

  it("that is closed ends with a DeviceError, and leaves the device it was lent", async () => {
    const other = await randomModel(device, llama())
    const stream = generate(other, "x", { maxTokens: 10 })
    await stream.next()
    await other.close()
    await expect(stream.next()).rejects.toThrow(DeviceError)
    expect((await collect("x", { maxTokens: 2 })).ids.length).toBeGreaterThan(0)
  })

  it("refuses parameters that are missing or of another size, and a tokenizer with more tokens", async () => {
    const [config, tokenizer] = [llama(), bytesTokenizer()]
    const parameters = initializeParameters(config, 1)
    const name = Object.keys(decoderParameters(config))[0]!
    const open = (changes: object) => createModel({ config, tokenizer, parameters, ...changes }, { device })
    const without = Object.fromEntries(Object.entries(parameters).filter(([key]) => key !== name))
    await expect(open({ parameters: without })).rejects.toThrow(`parameter ${name} must be`)
    await expect(open({ parameters: { ...parameters, [name]: new Float32Array(3) } })).rejects.toThrow("got 3 numbers")
    await expect(open({ config: llama({ vocabSize: 8 }) })).rejects.toThrow(ConfigError)
  })
})
