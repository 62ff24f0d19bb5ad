// The promise of bits: the strict build gives the same parameters on any number of lanes, byte for byte; the fast build
// gives the same ones again with the same choices.
import { afterAll, describe, expect, it } from "vitest"
import { type Device, detectFeatures, openDevice } from "../../src/backends/index.ts"
import { type Recipe, train } from "../../src/train/index.ts"
import { devices } from "../support/devices.ts"
import { smallRecipe, TEXTS } from "./support.ts"

const opened: Device[] = []
afterAll(() => Promise.all(opened.map((device) => device.close())))

/** SHA-256 would do; the bytes themselves say where they differ. */
async function trainedBytes(device: Device, recipe: Recipe): Promise<{ [name: string]: Uint32Array }> {
  opened.push(device)
  const { parameters, summary } = await train(recipe, { device, data: TEXTS }).result
  expect(summary.step).toBe(recipe.steps)
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length)
  return Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, bits(values)]))
}

const base = smallRecipe()
const model = { ...base.model, dropout: 0.1 }
const adamW: Recipe["optimizer"] = { ...base.optimizer, name: "adamw", learningRate: 0.003, weightDecay: 0.1 }
const llama = {
  norm: "rmsnorm",
  normGain: true,
  activation: "swiglu",
  intermediateSize: 88,
  numKeyValueHeads: 1,
} as const
const gpt2 = { norm: "layernorm", normGain: true, normBias: true, activation: "gelu_tanh", linearBias: true } as const

const recipes: { readonly [title: string]: Recipe } = {
  "the default block under Muon, with dropout": smallRecipe({ model }),
  "a Llama block under AdamW": smallRecipe({ model: { ...base.model, ...llama }, optimizer: adamW }),
  "a GPT-2 block under AdamW, three passes a step": smallRecipe({
    model: { ...base.model, ...gpt2, positions: "learned", residualScalars: false },
    optimizer: adamW,
    accumulationSteps: 3,
  }),
}

const strict = devices.filter(({ name }) => name.includes("strict"))
const { relaxedSimd } = detectFeatures()
const fast = devices.filter(({ name }) => name.includes("fast"))

describe.each(Object.entries(recipes))("%s", (_, recipe) => {
  it(`20 strict steps end in the same bytes on ${strict.map(({ name }) => name.slice(13)).join(", ")}`, async () => {
    const [first, ...others] = strict
    const expected = await trainedBytes(await first!.open(), recipe)
    for (const { name, open } of others)
      expect({ name, ...(await trainedBytes(await open(), recipe)) }).toEqual({ name, ...expected })
  })

  it.skipIf(!relaxedSimd)("20 fast steps end in the same bytes when made again", async () => {
    for (const { open } of fast.slice(0, 3)) {
      const once = await trainedBytes(await open(), recipe)
      expect(await trainedBytes(await open(), recipe)).toEqual(once)
    }
  })
})

it("the strict build says so among its choices, and never fuses", async () => {
  const device = await openDevice({ strict: true, lanes: 1 })
  opened.push(device)
  expect(device.choices).toMatchObject({ strict: true, fma: false })
})
