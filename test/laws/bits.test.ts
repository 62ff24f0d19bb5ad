// The promise of bits: the strict build gives the same parameters on any number of lanes, byte for byte; the fast build
// gives the same ones again with the same choices.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type Device, detectFeatures, openDevice } from "../../src/backends/index.ts"
import { type Recipe, type RunResult, resume, train } from "../../src/train/index.ts"
import { devices } from "../support/devices.ts"
import { smallRecipe, TEXTS } from "./support.ts"

const opened: Device[] = []
afterAll(() => Promise.all(opened.map((device) => device.close())))

type Bits = { [name: string]: Uint32Array }

const bytesOf = ({ parameters, summary }: RunResult): Bits => {
  expect(summary.step).toBe(summary.steps)
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length)
  return Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, bits(values)]))
}

/** Parameters whose bits differ, in a sentence each. */
function differences(actual: Bits, expected: Bits): string[] {
  expect(Object.keys(actual)).toEqual(Object.keys(expected))
  return Object.entries(expected).flatMap(([name, bits]) => {
    const count = bits.filter((word, index) => word !== actual[name]![index]).length
    return count === 0 ? [] : [`${name}: ${count} of ${bits.length} numbers`]
  })
}

async function trainedBytes(device: Device, recipe: Recipe): Promise<Bits> {
  opened.push(device)
  return bytesOf(await train(recipe, { device, data: TEXTS }).result)
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
const viaBlas = devices.filter(({ name }) => name.includes("BLAS"))

async function expectTheSameAgain(open: () => Promise<Device>, recipe: Recipe): Promise<void> {
  const once = await trainedBytes(await open(), recipe)
  expect(differences(await trainedBytes(await open(), recipe), once)).toEqual([])
}

describe.each(Object.entries(recipes))("%s", (_, recipe) => {
  it(`20 strict steps end in the same bytes on ${strict.map(({ name }) => name.slice(13)).join(", ")}`, async () => {
    const [first, ...others] = strict
    const expected = await trainedBytes(await first!.open(), recipe)
    for (const { name, open } of others)
      expect(differences(await trainedBytes(await open(), recipe), expected), name).toEqual([])
  })

  it.skipIf(!relaxedSimd)("20 fast steps end in the same bytes when made again", async () => {
    for (const { open } of fast.slice(0, 3)) await expectTheSameAgain(open, recipe)
  })

  it.skipIf(viaBlas.length === 0)("20 steps through a BLAS end in the same bytes when made again", async () => {
    for (const { open } of viaBlas) await expectTheSameAgain(open, recipe)
  })
})

describe("resuming on wasm", () => {
  const root = mkdtempSync(join(tmpdir(), "kinglet-bits-"))
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  /** Stopped after 7 steps on one device, taken up on another. */
  async function interrupted(name: string, first: Device, second: Device, recipe: Recipe) {
    opened.push(first, second)
    const dir = join(root, name)
    for await (const event of train(recipe, { device: first, data: TEXTS, dir }))
      if (event.type === "step-end" && event.step === 7) break
    return bytesOf(await resume(dir, { device: second }).result)
  }

  it.each([true, false])("gives what never stopping gives, byte for byte (strict: %s)", async (strict) => {
    const recipe = smallRecipe({ model })
    const open = () => openDevice({ lanes: 2, strict, blas: "off" })
    const expected = await trainedBytes(await open(), recipe)
    expect(differences(await interrupted(`strict-${strict}`, await open(), await open(), recipe), expected)).toEqual([])
  })

  it.skipIf(viaBlas.length === 0)("through a BLAS: the products of before, and nothing measured anew", async () => {
    const recipe = smallRecipe({ model })
    const open = (blas: "always" | "auto") => openDevice({ lanes: 2, blas })
    const expected = await trainedBytes(await open("always"), recipe)
    const taken = await interrupted("blas", await open("always"), await open("auto"), recipe)
    expect(differences(taken, expected)).toEqual([])
    // or this law would say nothing: the second device, asked alone, computes other bits
    expect(differences(await trainedBytes(await openDevice({ lanes: 2, blas: "off" }), recipe), expected)).not.toEqual(
      [],
    )
  })

  it("in the strict build, on another number of lanes too", async () => {
    const recipe = smallRecipe({ model })
    const open = (lanes: number) => openDevice({ lanes, strict: true })
    const expected = await trainedBytes(await open(3), recipe)
    expect(differences(await interrupted("lanes", await open(1), await open(2), recipe), expected)).toEqual([])
  })
})

it.skipIf(viaBlas.length === 0)(
  "a run says which library it used and for which products, and is told when it is gone",
  async () => {
    const open = (blas: "always" | "off") => openDevice({ lanes: 1, blas })
    const devices = [await open("always"), await open("off")] as const
    opened.push(...devices)
    const dir = mkdtempSync(join(tmpdir(), "kinglet-blas-run-"))
    afterAll(() => rmSync(dir, { recursive: true, force: true }))
    const recipe = smallRecipe({ steps: 3 })
    for await (const event of train(recipe, { device: devices[0], data: TEXTS, dir })) {
      if (event.type === "run-start")
        expect(event.device.choices).toMatchObject({
          blas: expect.any(String),
          blasProducts: expect.stringMatching(/\dx\d/),
        })
      if (event.type === "step-end") break
    }
    const run = resume(dir, { device: devices[1] })
    const warnings = []
    for await (const event of run) if (event.type === "warning") warnings.push(event)
    expect(warnings).toMatchObject([
      { code: "bits-may-differ", message: expect.stringMatching(/blas was .* is undefined/) },
    ])
  },
)

it("the strict build says so among its choices, and never fuses", async () => {
  const device = await openDevice({ strict: true, lanes: 1 })
  opened.push(device)
  expect(device.choices).toMatchObject({ strict: true, fma: false })
})
