import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { platform } from "#platform"
import { ConfigError, DataError, DeviceError } from "../core/index.ts"
import { generate } from "../generate/index.ts"
import { crossEntropy, gather, multiply } from "../tensor/index.ts"
import { latestCheckpoint } from "./checkpoint.ts"
import { readEvents } from "./journal.ts"
import type { ModelDefinition } from "./model.ts"
import { resume, train } from "./run.ts"
import { collect, device, ofType, TINY_TEXT, tinyRecipe } from "./testing.ts"

const data = TINY_TEXT
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kinglet-train-"))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const folder = (): string => join(dir, "run")

describe("a run in memory", () => {
  it("tells run-start first, each step, the last evaluation over everything, and run-end last", async () => {
    const events = await collect(train(tinyRecipe(), { device, data }))
    expect(events[0]!.type).toBe("run-start")
    expect(ofType(events, "step-end").map((event) => event.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(ofType(events, "evaluation-end").map((event) => [event.step, event.whole])).toEqual([
      [4, false],
      [8, true],
    ])
    expect(events.at(-1)).toMatchObject({ type: "run-end", reason: "finished", step: 8 })
    expect(ofType(events, "checkpoint-end")).toEqual([])
  })

  it("reads at most maxTokens in an evaluation under way, exactly as many as it announced", async () => {
    for (const maxTokens of [16, 40, 100]) {
      const events = await collect(train(tinyRecipe({ evaluation: { everySteps: 4, maxTokens } }), { device, data }))
      const [announced, read] = [ofType(events, "evaluation-start"), ofType(events, "evaluation-end")]
      expect(read[0]!.tokens).toBeLessThanOrEqual(maxTokens)
      expect(read[0]!.tokens).toBeGreaterThan(maxTokens - 32)
      expect(read.map((event) => event.tokens)).toEqual(announced.map((event) => event.tokens))
    }
  })

  it("starts near ln V and learns", async () => {
    const recipe = tinyRecipe({ steps: 60 })
    const events = await collect(train(recipe, { device, data }))
    const [start] = ofType(events, "run-start")
    const losses = ofType(events, "step-end").map((event) => event.loss)
    expect(losses[0]).toBeCloseTo(Math.log(start!.vocabSize), 1)
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.5)
  })

  it("shows samples of the model as it is, also for a prompt the tokenizer cannot say", async () => {
    for (const prompt of ["the", "~"]) {
      const tokenizer = { kind: "characters", endOfText: false } as const
      const recipe = tinyRecipe({ tokenizer, sampling: { everySteps: 4, prompt, tokens: 20 } })
      const samples = ofType(await collect(train(recipe, { device, data })), "sample")
      expect(samples.map((sample) => sample.step)).toEqual([4, 8])
      expect(samples.map((sample) => [...sample.text].length)).toEqual([20, 20])
      expect(samples[0]!.prompt.length).toBeGreaterThan(0)
    }
  })

  it.each([{ kind: "bytes" as const }, { kind: "bpe" as const, vocabSize: 270 }])(
    "trains on $kind",
    async (tokenizer) => {
      const {
        config,
        model,
        tokenizer: made,
      } = await train(tinyRecipe({ tokenizer: { ...tokenizer, endOfText: true } }), { device, data }).result
      expect(config.vocabSize).toBe(made.vocabSize)
      expect(made.kind).toBe(tokenizer.kind)
      expect(made.endOfText).toBeDefined()
      let text = ""
      for await (const piece of generate(model, "the ", { maxTokens: 5, seed: 1 })) text += piece.text
      expect(text.length).toBeGreaterThan(0)
      await model.close()
    },
  )

  it("a strict recipe on a fast device is told", async () => {
    const fast = { ...device, choices: { strict: false } }
    const events = await collect(train(tinyRecipe({ steps: 1, strict: true }), { device: fast, data }))
    expect(ofType(events, "warning")).toMatchObject([{ code: "not-strict" }])
  })

  it("gives its result to whoever awaits it without iterating", async () => {
    const { parameters, summary, tokenizer, config } = await train(tinyRecipe(), { device, data }).result
    expect(summary).toMatchObject({ reason: "finished", step: 8, steps: 8 })
    expect(parameters["model.embed_tokens.weight"]!.length).toBe(tokenizer.vocabSize * config.hiddenSize)
  })

  it("does nothing before it is read, and nothing ahead of its reader", async () => {
    let steps = 0
    const schedule = () => (steps++, 1)
    const run = train(tinyRecipe(), { device, data, schedule })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(steps).toBe(0)
    const iterator = run[Symbol.asyncIterator]()
    for (let index = 0; index < 3; index++) await iterator.next() // run-start, step 1, step 2
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(steps).toBe(2)
    await iterator.return!()
  })

  it("is read once", async () => {
    const run = train(tinyRecipe({ steps: 1 }), { device, data })
    await collect(run)
    await expect(collect(run)).rejects.toThrow(ConfigError)
  })

  it("gives the same bits for the same seed, others for another", async () => {
    const [a, b, c] = await Promise.all(
      [1, 1, 2].map(async (seed) => (await train(tinyRecipe(), { device, data, seed }).result).parameters),
    )
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
  })

  it("counts bits per byte over the held-out text's exact bytes", async () => {
    const events = await collect(train(tinyRecipe(), { device, data: "äöü ß\n\n".repeat(60) }))
    const [start] = ofType(events, "run-start")
    const last = ofType(events, "evaluation-end").at(-1)!
    const { bytes, tokens } = start!.data.valid
    expect(last.tokens).toBe(tokens - 1)
    expect(last.bitsPerByte).toBeCloseTo((last.nats * (tokens - 1)) / bytes / Math.LN2, 12)
  })
})

describe("accumulation", () => {
  it("of 2 x 3 sequences makes the step of 6 sequences", async () => {
    const model = { ...tinyRecipe().model, dropout: 0 }
    const one = await train(tinyRecipe({ model, steps: 1, batchSize: 6 }), { device, data }).result
    const two = await train(tinyRecipe({ model, steps: 1, batchSize: 3, accumulationSteps: 2 }), { device, data })
      .result
    for (const [name, values] of Object.entries(one.parameters))
      for (const [index, value] of values.entries()) expect(two.parameters[name]![index]).toBeCloseTo(value, 5)
  })
})

describe("a loss, a schedule and a model of one's own", () => {
  it("a loss of zero leaves the model where it was", async () => {
    const recipe = tinyRecipe({ optimizer: { ...tinyRecipe().optimizer, name: "sgd", momentum: 0 } })
    const loss = (logits: Parameters<typeof crossEntropy>[0], targets: Parameters<typeof crossEntropy>[1]) =>
      multiply(crossEntropy(logits, targets), 0)
    const still = await train({ ...recipe, steps: 1 }, { device, data, loss }).result
    const later = await train(recipe, { device, data, loss }).result
    expect(later.parameters).toEqual(still.parameters)
  })

  it("a model of one's own learns, is saved and resumed like the decoder", async () => {
    const bigram = ({ vocabSize }: { vocabSize: number }): ModelDefinition => ({
      parameters: { table: { shape: [vocabSize, vocabSize], role: "embedding", init: { kind: "zeros" } } },
      forward: ({ table }, tokens) => gather(table!, tokens),
    })
    const recipe = tinyRecipe({ steps: 40, optimizer: { ...tinyRecipe().optimizer, embeddingLearningRate: 0.3 } })
    const whole = await train(recipe, { device, data, model: bigram }).result
    expect(whole.summary.heldOut!.nats).toBeLessThan(1.5)
    expect(() => whole.model).toThrow(ConfigError)
    for await (const event of train(recipe, { device, data, model: bigram, dir: folder() }))
      if (event.type === "step-end" && event.step === 7) break
    expect((await resume(folder(), { device, model: bigram }).result).parameters).toEqual(whole.parameters)
    await expect(resume(folder(), { device }).result).rejects.toThrow(
      'the checkpoint lacks "model.embed_tokens.weight"',
    )
  })

  it("the schedule's factor times the recipe's rate is the learning rate of the step", async () => {
    const recipe = tinyRecipe()
    const { learningRate } = recipe.optimizer
    const events = await collect(train(recipe, { device, data, schedule: (step) => 1 / (step + 1) }))
    for (const event of ofType(events, "step-end"))
      expect(event.learningRate).toBeCloseTo(learningRate / event.step, 12)
  })

  it("a schedule that gives no number is refused", async () => {
    await expect(train(tinyRecipe(), { device, data, schedule: () => NaN }).result).rejects.toThrow(
      "the schedule must give a number",
    )
  })
})

describe("a run folder", () => {
  it("holds recipe, events, tokenizer, data, and the last two checkpoints with the best", async () => {
    const recipe = tinyRecipe({ steps: 12, evaluation: { everySteps: 4 } })
    const events = await collect(train(recipe, { device, data, dir: folder() }))
    const files = platform.files!
    expect(await files.list(folder())).toEqual(["checkpoints", "data", "events.jsonl", "recipe.json", "tokenizer.json"])
    const best = ofType(events, "run-end")[0]!.best!.step
    const expected = [...new Set([best, 10, 12])]
      .sort((a, b) => a - b)
      .map((step) => `step-${String(step).padStart(6, "0")}`)
    expect(await files.list(join(folder(), "checkpoints"))).toEqual(expected)
    expect(await files.list(join(folder(), "checkpoints", "step-000012"))).toEqual([
      "config.json",
      "model.safetensors",
      "optimizer.safetensors",
      "state.json",
    ])
    expect(await readEvents(files, join(folder(), "events.jsonl"))).toEqual(JSON.parse(JSON.stringify(events)))
  })

  it("is never overwritten", async () => {
    await train(tinyRecipe({ steps: 1 }), { device, data, dir: folder() }).result
    await expect(train(tinyRecipe({ steps: 1 }), { device, data, dir: folder() }).result).rejects.toThrow(
      "already holds a run",
    )
  })

  it("in use by a process is refused with its id", async () => {
    const run = train(tinyRecipe(), { device, data, dir: folder() })
    const iterator = run[Symbol.asyncIterator]()
    await iterator.next()
    await expect(resume(folder(), { device }).result).rejects.toThrow(`in use by process ${process.pid}`)
    await iterator.return!()
    await resume(folder(), { device }).result
  })

  it("is not left behind when the data cannot be used", async () => {
    await expect(train(tinyRecipe(), { device, data: "", dir: folder() }).result).rejects.toThrow(DataError)
    expect(await platform.files!.exists(folder())).toBe(false)
  })

  it("of a newer version is refused by name", async () => {
    await train(tinyRecipe({ steps: 1 }), { device, data, dir: folder() }).result
    const path = join(folder(), "recipe.json")
    const recipe = JSON.parse(await platform.files!.readText(path))
    await platform.files!.writeAtomic(path, JSON.stringify({ ...recipe, version: 2 }))
    await expect(resume(folder(), { device }).result).rejects.toThrow("this recipe has version 2")
  })

  it("without a run is refused", async () => {
    await expect(resume(dir, { device }).result).rejects.toThrow("there is no run in")
  })
})

describe("stopping", () => {
  it("by leaving the loop saves a checkpoint of the step reached", async () => {
    const run = train(tinyRecipe({ checkpoint: { everySteps: 0 } }), { device, data, dir: folder() })
    for await (const event of run) if (event.type === "step-end" && event.step === 3) break
    expect((await run.result).summary).toMatchObject({ reason: "stopped", step: 3 })
    expect((await latestCheckpoint(platform.files!, folder()))!.checkpoint.state.step).toBe(3)
    const events = await readEvents(platform.files!, join(folder(), "events.jsonl"))
    expect(events.at(-1)).toMatchObject({ type: "run-end", reason: "stopped", step: 3 })
  })

  it("by the signal saves a checkpoint and says so", async () => {
    const abort = new AbortController()
    const run = train(tinyRecipe({ checkpoint: { everySteps: 0 } }), {
      device,
      data,
      dir: folder(),
      signal: abort.signal,
    })
    const events = []
    for await (const event of run) {
      events.push(event)
      if (event.type === "step-end" && event.step === 3) abort.abort()
    }
    expect(events.slice(-2)).toMatchObject([
      { type: "checkpoint-end", step: 3 },
      { type: "run-end", reason: "stopped", step: 3 },
    ])
  })

  it("between two accumulation passes loses the half-made step and nothing else", async () => {
    const recipe = tinyRecipe({ accumulationSteps: 3, steps: 4 })
    const whole = await train(recipe, { device, data, dir: join(dir, "whole") }).result
    const abort = new AbortController()
    let checks = 0
    const signal = new Proxy(abort.signal, {
      get: (target, key) => (key === "aborted" ? ++checks > 8 : Reflect.get(target, key)),
    })
    const stopped = await train(recipe, { device, data, dir: folder(), signal }).result
    expect(stopped.summary.step).toBeLessThan(4)
    expect((await resume(folder(), { device }).result).parameters).toEqual(whole.parameters)
  })
})

describe("what goes wrong", () => {
  it("a loss that becomes NaN stops the run, keeps the last checkpoint, and says which step and what to try", async () => {
    const schedule = (step: number) => (step < 4 ? 1 : 1e60)
    const run = train(tinyRecipe({ optimizer: { ...tinyRecipe().optimizer, name: "sgd", clipNorm: 0 } }), {
      device,
      data,
      dir: folder(),
      schedule,
    })
    const events: unknown[] = []
    const error = await (async () => {
      for await (const event of run) events.push(event)
    })().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DataError)
    expect((error as DataError).message).toMatch(
      /training diverged at step [5-8]: the (loss|gradient's norm) is (NaN|Infinity); the checkpoint of step 4 is kept/,
    )
    expect((error as DataError).hint).toContain("lower optimizer.learningRate")
    expect(events.at(-1)).toMatchObject({ type: "run-end", reason: "failed", message: (error as DataError).message })
    await expect(run.result).rejects.toBe(error)
    expect((await latestCheckpoint(platform.files!, folder()))!.checkpoint.state.step).toBe(4)
  })

  it("a full disk during a checkpoint is an event and an error, and the previous checkpoint stays", async () => {
    const real = platform.files!
    let saved = 0
    const files = {
      ...real,
      open: async (path: string, mode: "read" | "write" | "append") => {
        const handle = await real.open(path, mode)
        if (!path.endsWith("model.safetensors") || mode !== "write" || ++saved < 3) return handle
        return {
          ...handle,
          write: async () => Promise.reject(new DeviceError(`cannot write ${path}: the disk is full`)),
        }
      },
    }
    const run = train(tinyRecipe({ evaluation: { everySteps: 0 } }), { device, data, dir: folder(), files })
    const events: unknown[] = []
    await expect(
      (async () => {
        for await (const event of run) events.push(event)
      })(),
    ).rejects.toThrow("the disk is full")
    expect(events.slice(-2)).toMatchObject([
      { type: "checkpoint-failed", step: 6 },
      { type: "run-end", reason: "failed" },
    ])
    expect((await latestCheckpoint(real, folder()))!.checkpoint.state.step).toBe(4)
    expect(await real.list(join(folder(), "checkpoints"))).toEqual(["step-000002", "step-000004"])
    await resume(folder(), { device }).result
  })

  it("a model larger than memory is refused before the first step", async () => {
    const model = { ...tinyRecipe().model, hiddenSize: 2 ** 20, intermediateSize: 2 ** 22, numHiddenLayers: 10 }
    await expect(train(tinyRecipe({ model }), { device, data, dir: folder() }).result).rejects.toThrow(
      /training needs at least .* of memory/,
    )
    expect(await platform.files!.exists(folder())).toBe(false)
  })

  it("a context longer than the corpus is refused", async () => {
    await expect(
      train(tinyRecipe({ sequenceLength: 4096 }), { device, data: "short text\n\nand more" }).result,
    ).rejects.toThrow(DataError)
  })
})
