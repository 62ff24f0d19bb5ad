import { expect, it } from "vitest"
import { openDevice } from "../backends/index.ts"
import { ConfigError } from "../core/index.ts"
import { text } from "../data/index.ts"
import { parameterCounts, validateConfig } from "../models/index.ts"
import { type PlanOptions, plan, predictedPeakBytes, readTextFacts } from "./index.ts"

const SENTENCES = ["the cat sat on the mat. ", "a bird sang in the tree! ", "small models learn quickly, "]
const corpus = (sentences: number): string =>
  Array.from({ length: sentences }, (_, i) => `${SENTENCES[i % 3]!}${i % 10}\n`).join("")

async function planFor(options: Partial<PlanOptions>, sentences = 3000) {
  await using device = await openDevice({ local: true })
  return await plan({ device, data: text(corpus(sentences)), ...options })
}

it("facts of a text are exact", async () => {
  const facts = await readTextFacts(text("aé€😀", "b"))
  expect(facts).toMatchObject({ documents: 2, bytes: 11, characters: 5, distinctCharacters: 5, whole: true })
})

it("a plan says why of every number that was derived", async () => {
  const { explained, model, steps } = await planFor({})
  for (const key of ["tokenizer", "size", "batchSize", "sequenceLength", "steps", "optimizer.learningRate"])
    expect(explained?.[key]?.because, key).toBeTruthy()
  expect(explained?.["steps"]?.value).toBe(steps)
  expect(explained?.["model.hiddenSize"]?.value).toBe(model.hiddenSize)
})

it("a budget becomes a fixed number of steps that grows with it", async () => {
  const short = await planFor({ budgetSeconds: 8, size: 60_000 })
  const long = await planFor({ budgetSeconds: 60, size: 60_000 })
  const tokens = (recipe: typeof short) => recipe.steps * recipe.batchSize * recipe.sequenceLength
  expect(tokens(long)).toBeGreaterThan(2 * tokens(short))
  expect(long.explained?.["memory"]?.value).toMatch(/MB/)
}, 60_000)

it("a budget too small for one step is refused with what it would take", async () => {
  const refused = planFor({ budgetSeconds: 0.1 })
  await expect(refused).rejects.toThrow(/budget of 100 ms is too small for one step/)
  await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining("give more time") })
})

it("a size asked for is met within a third", async () => {
  for (const size of [100_000, 1_000_000, 5_000_000]) {
    const { model } = await planFor({ size, steps: 10 })
    const { total } = parameterCounts(validateConfig({ ...model, vocabSize: 40 }))
    expect(total).toBeGreaterThan(size * 0.67)
    expect(total).toBeLessThan(size * 1.5)
  }
})

it("a budget and a number of steps contradict each other", async () => {
  await expect(planFor({ budgetSeconds: 60, steps: 10 })).rejects.toThrow(ConfigError)
})

it("an unknown preset names the known ones", async () => {
  await expect(planFor({ preset: "huge" })).rejects.toMatchObject({ hint: expect.stringContaining("nanogpt-cpu") })
})

it("what is set by hand overrules what was derived", async () => {
  const recipe = await planFor({
    set: [
      ["steps", "7"],
      ["optimizer.learningRate", "0.5"],
    ],
  })
  expect(recipe.steps).toBe(7)
  expect(recipe.optimizer.learningRate).toBe(0.5)
})

it("few characters make a character tokenizer, many a byte-pair one", async () => {
  await using device = await openDevice({ local: true })
  const many = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("")
  const wide = await plan({ device, data: text(`${corpus(2000)}${many}`), steps: 5 })
  expect(wide.tokenizer.kind).toBe("bpe")
  expect((await plan({ device, data: text(corpus(2000)), steps: 5 })).tokenizer.kind).toBe("characters")
})

it("predicted memory holds the plan, copies of the parameters, and more for each lane", () => {
  const of = { plannedBytes: 50e6, parameters: 1e6, lanes: 1 }
  expect(predictedPeakBytes(of)).toBeGreaterThan(54e6)
  expect(predictedPeakBytes({ ...of, lanes: 3 }) - predictedPeakBytes({ ...of, lanes: 2 })).toBeGreaterThan(0)
})
