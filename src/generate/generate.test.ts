// Generating: the same text for a seed whoever else generates, every way to end, models of any shape. (That cached decoding
// equals the full forward is a law of the house, test/laws/decoding.test.ts.)
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { randomModel } from "../../test/laws/support.ts"
import { type Device, openDevice } from "../backends/index.ts"
import { ConfigError, DeviceError } from "../core/index.ts"
import { type DecoderConfig, decoderParameters, initializeParameters, presets } from "../models/index.ts"
import { bytesTokenizer } from "../tokenizer/index.ts"
import { createModel, engineOf, type GenerateOptions, generate, type Model } from "./index.ts"

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

  it("has one engine, however many ask for it at once", async () => {
    const [a, b] = await Promise.all([engineOf(model), engineOf(model)])
    expect(a).toBe(b)
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
