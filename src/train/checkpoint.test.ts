import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { platform } from "#platform"
import { ConfigError, FormatError } from "../core/index.ts"
import {
  type CheckpointContents,
  checkpointSteps,
  latestCheckpoint,
  loadCheckpoint,
  pruneCheckpoints,
  saveCheckpoint,
} from "./checkpoint.ts"
import { openRunFolder } from "./run-folder.ts"

const files = platform.files!
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kinglet-checkpoint-"))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const tensor = (...values: number[]) => ({ shape: [values.length], read: () => Float32Array.from(values) })

const contents = (step: number): CheckpointContents => ({
  state: {
    step,
    seed: 1,
    tokens: 64 * step,
    seconds: 1.5,
    best: { step: 2, nats: 1.25, bitsPerByte: 1.75 },
    batches: { mode: "windows", batchSize: 1, sequenceLength: 1, seed: 1, tokens: 9, epoch: 0, index: step },
    recentLosses: [3, 2.5],
    device: { kind: "reference", lanes: 1, choices: { backend: "reference" } },
  },
  config: { model_type: "kinglet" },
  parameters: { "model.a": tensor(1, -2.5, step), "model.b": tensor(0) },
  optimizer: { "model.a.exp_avg": tensor(0.125, 1e-30, -0) },
})

const save = (step: number) => saveCheckpoint(files, dir, contents(step))

const failure = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error("nothing was thrown")
}

describe("a checkpoint", () => {
  it("comes back as it was written, bit for bit", async () => {
    const { path, bytes } = await save(7)
    const loaded = await loadCheckpoint(files, path)
    expect(loaded.parameters).toEqual({ "model.a": Float32Array.of(1, -2.5, 7), "model.b": Float32Array.of(0) })
    expect(loaded.optimizer).toEqual({ "model.a.exp_avg": Float32Array.of(0.125, 1e-30, -0) })
    expect(loaded.state).toMatchObject(contents(7).state)
    expect(loaded.config).toEqual({ model_type: "kinglet" })
    const sizes = await Promise.all(
      (await files.list(path)).map(async (name) => (await files.stat(join(path, name)))!.bytes),
    )
    expect(bytes).toBeLessThan(sizes.reduce((a, b) => a + b, 0) + 1)
  })

  it.each(["model.safetensors", "optimizer.safetensors", "config.json", "state.json"])(
    "with %s cut off at any length is a FormatError",
    async (name) => {
      const { path } = await save(7)
      const whole = await files.readBytes(join(path, name))
      for (let length = 0; length < whole.length; length++) {
        writeFileSync(join(path, name), whole.subarray(0, length))
        expect(await failure(loadCheckpoint(files, path)), `${length} of ${whole.length} bytes`).toBeInstanceOf(
          FormatError,
        )
      }
    },
  )

  it("with any one file missing, or any bit of the numbers changed, is a FormatError", async () => {
    const { path } = await save(7)
    for (const name of await files.list(path)) {
      const whole = await files.readBytes(join(path, name))
      await files.remove(join(path, name))
      expect(await failure(loadCheckpoint(files, path)), name).toBeInstanceOf(FormatError)
      await files.writeAtomic(join(path, name), whole)
    }
    const weights = await files.readBytes(join(path, "model.safetensors"))
    for (let at = 0; at < weights.length; at += 5) {
      const changed = weights.slice()
      changed[at]! ^= 4
      await files.writeAtomic(join(path, "model.safetensors"), changed)
      expect(await failure(loadCheckpoint(files, path)), `byte ${at}`).toBeInstanceOf(FormatError)
    }
  })

  it("of a newer version is refused by name, not passed over", async () => {
    await save(1)
    const { path } = await save(2)
    const state = JSON.parse(await files.readText(join(path, "state.json")))
    await files.writeAtomic(join(path, "state.json"), JSON.stringify({ format: 2, kinglet: "9.0.0", other: state }))
    const error = await failure(latestCheckpoint(files, dir))
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).message).toContain("has format 2 (kinglet 9.0.0)")
    expect((error as ConfigError).hint).toContain("update")
  })

  it("is refused while it is written if a parameter is not finite, and the one before stays", async () => {
    await save(1)
    const bad = { ...contents(2), parameters: { "model.a": tensor(1, NaN) } }
    await expect(saveCheckpoint(files, dir, bad)).rejects.toThrow("model.a holds NaN")
    expect(await files.list(join(dir, "checkpoints"))).toEqual(["step-000001"])
  })

  it("saved again at the same step replaces the old one", async () => {
    await save(1)
    const { path } = await saveCheckpoint(files, dir, { ...contents(1), parameters: { "model.a": tensor(9) } })
    expect((await loadCheckpoint(files, path)).parameters).toEqual({ "model.a": Float32Array.of(9) })
  })
})

describe("the folder of checkpoints", () => {
  it("falls back to the one before if the newest is damaged, and says so", async () => {
    await save(1)
    const { path } = await save(2)
    await files.remove(join(path, "model.safetensors"))
    const latest = (await latestCheckpoint(files, dir))!
    expect(latest.checkpoint.state.step).toBe(1)
    expect(latest.damaged.map(({ error }) => error.message)).toEqual([
      `the checkpoint ${path} is incomplete: model.safetensors is missing`,
    ])
  })

  it("is a FormatError if all are damaged, and nothing at all if there are none", async () => {
    expect(await latestCheckpoint(files, dir)).toBeUndefined()
    const { path } = await save(1)
    await files.remove(join(path, "state.json"))
    expect(await failure(latestCheckpoint(files, dir))).toBeInstanceOf(FormatError)
  })

  it("keeps the newest two and the best", async () => {
    for (const step of [10, 20, 30, 40]) await save(step)
    await pruneCheckpoints(files, dir, 10)
    expect(await checkpointSteps(files, dir)).toEqual([10, 30, 40])
    await pruneCheckpoints(files, dir, undefined)
    expect(await checkpointSteps(files, dir)).toEqual([30, 40])
  })

  it("is cleaned of what an interrupted write left behind when the run is opened", async () => {
    await save(1)
    await files.makeDirectory(join(dir, "checkpoints", ".step-000002.tmp"))
    await files.append(join(dir, "checkpoints", ".step-000002.tmp", "model.safetensors"), "half")
    await files.append(join(dir, ".recipe.json.123.0.tmp"), "{")
    const folder = await openRunFolder(files, dir)
    expect(await files.list(dir)).toEqual([".lock", "checkpoints"])
    expect(await files.list(join(dir, "checkpoints"))).toEqual(["step-000001"])
    await folder.release()
  })
})
