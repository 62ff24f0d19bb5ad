// Resuming equals never stopping, bit for bit: parameters, optimizer, data order, random streams.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { platform } from "#platform"
import { openDevice } from "../src/backends/index.ts"
import { inspectRun, latestCheckpoint, type Recipe, readEvents, resume, train } from "../src/train/index.ts"
import { collect, device, ofType, TINY_TEXT, tinyRecipe } from "../src/train/testing.ts"

const files = platform.files!
const root = mkdtempSync(join(tmpdir(), "kinglet-resume-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folders = 0
const newFolder = (): string => join(root, `run-${folders++}`)
const data = TINY_TEXT

/** Trains until `step` is done, as if the reader had lost interest. */
async function trainUntil(recipe: Recipe, dir: string, step: number): Promise<void> {
  for await (const event of train(recipe, { device, data, dir }))
    if (event.type === "step-end" && event.step === step) break
}

const optimizer = (name: Recipe["optimizer"]["name"]): Recipe["optimizer"] => ({
  ...tinyRecipe().optimizer,
  name,
  learningRate: 0.01,
  weightDecay: 0.1,
})

const recipes: { readonly [title: string]: Recipe } = {
  "Muon, dropout, shuffled windows": tinyRecipe({ steps: 9 }),
  "AdamW, cosine, random windows": tinyRecipe({
    steps: 9,
    optimizer: optimizer("adamw"),
    schedule: { name: "cosine", warmupSteps: 2, decayFraction: 1, finalFactor: 0.1 },
    data: { ...tinyRecipe().data, batchMode: "random" },
  }),
  "SGD with momentum, three passes a step": tinyRecipe({ steps: 9, optimizer: optimizer("sgd"), accumulationSteps: 3 }),
  "epochs shorter than the run": tinyRecipe({
    steps: 9,
    batchSize: 16,
    sequenceLength: 32,
    model: { ...tinyRecipe().model, maxPositionEmbeddings: 32 },
  }),
}

describe.each(Object.entries(recipes))("%s", (_title, recipe) => {
  it("resuming at any step gives the same weights, moments and losses as never stopping", async () => {
    const wholeDir = newFolder()
    const whole = await train(recipe, { device, data, dir: wholeDir }).result
    const losses = ofType(await readEvents(files, join(wholeDir, "events.jsonl")), "step-end").map(
      (event) => event.loss,
    )
    for (const step of [1, 4, 8]) {
      const dir = newFolder()
      await trainUntil(recipe, dir, step)
      const run = resume(dir, { device })
      const events = await collect(run)
      expect(ofType(events, "run-start")[0]!.resumedFromStep).toBe(step)
      expect(ofType(events, "step-end").map((event) => event.loss)).toEqual(losses.slice(step))
      const { parameters, summary } = await run.result
      expect(parameters).toEqual(whole.parameters)
      expect(summary.heldOut).toEqual(whole.summary.heldOut)
      for (const name of ["model.safetensors", "optimizer.safetensors", "config.json"])
        expect(
          readFileSync(join(dir, "checkpoints", "step-000009", name)).equals(
            readFileSync(join(wholeDir, "checkpoints", "step-000009", name)),
          ),
        ).toBe(true)
    }
  })
})

describe.each([
  ["fast build, 2 lanes", { lanes: 2 }],
  ["strict build, 1 local lane", { strict: true, local: true }],
])("wasm, %s", (_title, options) => {
  it("the same seed gives the same bits, and resuming equals never stopping", async () => {
    const wasm = await openDevice(options)
    const recipe = tinyRecipe({ steps: 40 })
    const whole = await train(recipe, { device: wasm, data }).result
    const again = await train(recipe, { device: wasm, data }).result
    expect(again.parameters).toEqual(whole.parameters)
    const dir = newFolder()
    for await (const event of train(recipe, { device: wasm, data, dir }))
      if (event.type === "step-end" && event.step === 17) break
    expect((await resume(dir, { device: wasm }).result).parameters).toEqual(whole.parameters)
    await wasm.close()
  })
})

it("strict runs give the same bits at 1, 2 and 3 lanes", async () => {
  const results = []
  for (const lanes of [1, 2, 3]) {
    const wasm = await openDevice({ strict: true, lanes })
    results.push((await train(tinyRecipe({ steps: 20 }), { device: wasm, data }).result).parameters)
    await wasm.close()
  }
  expect(results[1]).toEqual(results[0])
  expect(results[2]).toEqual(results[0])
})

it("stopping after every step and resuming gives the same weights", async () => {
  const recipe = tinyRecipe({ steps: 5 })
  const whole = await train(recipe, { device, data }).result
  const dir = newFolder()
  await trainUntil(recipe, dir, 1)
  for (let step = 2; step <= 4; step++)
    for await (const event of resume(dir, { device })) if (event.type === "step-end" && event.step === step) break
  expect((await resume(dir, { device }).result).parameters).toEqual(whole.parameters)
})

it("a damaged last checkpoint is told, and the one before it leads to the same weights", async () => {
  const recipe = tinyRecipe({ steps: 6, evaluation: { everySteps: 0 } })
  const dir = newFolder()
  const whole = await train(recipe, { device, data, dir }).result
  const path = join(dir, "checkpoints", "step-000006", "optimizer.safetensors")
  const bytes = await files.readBytes(path)
  await files.writeAtomic(path, bytes.subarray(0, bytes.length - 1))
  const run = resume(dir, { device })
  const events = await collect(run)
  const [warning] = ofType(events, "warning")
  expect(warning).toMatchObject({ code: "checkpoint-damaged" })
  expect(warning!.message).toContain("going on from step 4")
  expect(await files.list(join(dir, "checkpoints"))).toEqual(["damaged-step-000006", "step-000004", "step-000006"])
  expect((await run.result).parameters).toEqual(whole.parameters)
})

it("another device is told: bits may differ", async () => {
  const dir = newFolder()
  await trainUntil(tinyRecipe(), dir, 2)
  const other = { ...device, choices: { backend: "reference", tile: "4x8" } }
  const events = await collect(resume(dir, { device: other }))
  expect(ofType(events, "warning")[0]).toMatchObject({ code: "bits-may-differ" })
  expect(ofType(events, "warning")[0]!.message).toContain("tile was undefined and is 4x8")
})

it("a finished run only says so, and what it is can be read without opening it", async () => {
  const recipe = tinyRecipe({ steps: 4 })
  const dir = newFolder()
  expect(await inspectRun(files, dir)).toBeUndefined()
  await trainUntil(recipe, dir, 2)
  expect(await inspectRun(files, dir)).toMatchObject({ step: 2, finished: false, device: { kind: "reference" } })
  await resume(dir, { device }).result
  expect(await inspectRun(files, dir)).toMatchObject({ recipe, step: 4, finished: true })
  const events = await collect(resume(dir, { device }))
  expect(events.map((event) => event.type)).toEqual(["run-start", "run-end"])
})

it("stopped during the last evaluation, a run is not finished until it was made", async () => {
  const recipe = tinyRecipe({ steps: 4, evaluation: { everySteps: 0 } })
  const whole = await train(recipe, { device, data }).result
  const dir = newFolder()
  for await (const event of train(recipe, { device, data, dir })) if (event.type === "evaluation-start") break
  expect(await inspectRun(files, dir)).toMatchObject({ step: 4, finished: false })
  const { summary } = await resume(dir, { device }).result
  expect(summary.heldOut).toEqual(whole.summary.heldOut)
  expect(await inspectRun(files, dir)).toMatchObject({ step: 4, finished: true })
  expect((await latestCheckpoint(files, dir))!.checkpoint.state.best).toEqual(whole.summary.best)
})
