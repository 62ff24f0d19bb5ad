// A model that was trained on the test text is caught by contamination, extraction and membership; a clean one is not.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Device, openDevice } from "../../src/backends/index.ts"
import { randomStream } from "../../src/core/index.ts"
import { prepareData } from "../../src/data/index.ts"
import { extraction } from "../../src/evaluate/generalization/extraction.ts"
import { samplePassages } from "../../src/evaluate/generalization/passages.ts"
import { type GeneralizationReport, generalizationReport, scoreText } from "../../src/evaluate/index.ts"
import { generateBatch, type Model } from "../../src/generate/index.ts"
import { bytesTokenizer } from "../../src/tokenizer/index.ts"
import { defaultRecipe, train } from "../../src/train/index.ts"

const SYLLABLES = ["ka", "lo", "mi", "ter", "su", "ven", "ra", "po", "di", "nal", "e", "shu"]
const LEXICON = Array.from({ length: 120 }, (_, index) => {
  const stream = randomStream(5, "word", index)
  return Array.from({ length: 1 + stream.below(3) }, () => SYLLABLES[stream.below(SYLLABLES.length)]).join("")
})

/** Documents of random sentences over one lexicon: words can be learned, their order only by heart. */
function documents(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, document) => {
    const stream = randomStream(11, name, document)
    const word = () => LEXICON[Math.floor(LEXICON.length * stream.uniform() ** 2)]!
    return Array.from({ length: 8 }, () => `${Array.from({ length: 8 }, word).join(" ")}.\n`).join("")
  })
}

const TEST = documents("test", 8)
const CONTROL = documents("control", 12)
const LEAKED = [...documents("train", 4), ...TEST]
const CLEAN = documents("clean", 100)
const UNREAD = documents("unread", 24)

let device: Device
let leaked: Model
let clean: Model
beforeAll(async () => {
  device = await openDevice({ lanes: 2 })
  leaked = await trained(LEAKED, 450) // a hundred times over
  clean = await trained(CLEAN, 80) // once
})
afterAll(() => device.close())

/** Two layers of width 64 over bytes, trained on these texts and no others. */
async function trained(texts: readonly string[], steps: number): Promise<Model> {
  const base = defaultRecipe({ hiddenSize: 64, numHiddenLayers: 2, sequenceLength: 64, batchSize: 8, steps })
  const quiet = {
    sampling: { ...base.sampling, everySteps: 0 },
    evaluation: { ...base.evaluation, everySteps: 0 },
  }
  const data = await prepareData({ source: texts, valid: CONTROL, tokenizer: () => bytesTokenizer() })
  return (await train({ ...base, ...quiet }, { device, data }).result).model
}

const fired = ({ parts }: GeneralizationReport): string[] =>
  parts.filter(({ fires }) => fires).map(({ name }) => name.replace(" AUC", ""))

describe("a model that was trained on the test text", () => {
  it("is caught by contamination, extraction and membership, beside a control", async () => {
    const report = await generalizationReport(leaked, { train: LEAKED, test: TEST, control: CONTROL, quick: true })
    const marks = ["contamination", "extraction", "membership"]
    expect(fired(report)).toEqual(
      expect.arrayContaining([...marks, "extraction of the test text", "membership of the test text"]),
    )
    expect(report.contamination.share).toBe(1)
    expect(report.sentence).toMatch(/^It has seen the test text: /)
  })

  it("is caught without a control too: the clean part of the test is one", async () => {
    const options = { train: LEAKED, test: [...TEST, ...CONTROL], quick: true }
    const report = await generalizationReport(leaked, options)
    expect(fired(report)).toEqual(expect.arrayContaining(["contamination", "extraction", "membership"]))
    expect(report.contamination.touched).toHaveLength(TEST.length)
    expect(report.sentence).toMatch(/^It has memorized training text: .*control: the part of the test text/)
  })

  it("is scored without the leaked text too: its clean part costs more than the whole", async () => {
    const test = [...TEST, ...CONTROL]
    const { documents: scores } = await scoreText(leaked, { data: test })
    const { stripped, parts } = await generalizationReport(leaked, { train: LEAKED, test, scores, quick: true })
    const ofControl = scores.slice(TEST.length)
    const sum = (key: "nats" | "bytes") => ofControl.reduce((total, document) => total + document[key], 0)
    expect(stripped!.bitsPerByte).toBeCloseTo(sum("nats") / Math.LN2 / sum("bytes"), 12)
    expect(stripped!.bitsPerByte).toBeGreaterThan(stripped!.wholeBitsPerByte)
    expect(parts.map(({ name }) => name)).toContain("score without contaminated text")
  })

  it("whose training text is not told is caught by extraction and membership of the test text", async () => {
    const options = { train: documents("told", 12), test: TEST, control: CONTROL, quick: true }
    expect(fired(await generalizationReport(leaked, options))).toEqual([
      "extraction of the test text",
      "membership of the test text",
    ])
  })

  it("cannot be judged if there is nothing it has not seen, and that is said", async () => {
    const report = await generalizationReport(leaked, { train: LEAKED, test: TEST, quick: true })
    expect(report.training).toBeUndefined()
    expect(report.sentence).toMatch(/^It cannot be told whether it generalizes: .*no control text was given\.$/)
  })
})

describe("a clean model", () => {
  it("fires none, with and without a control", async () => {
    for (const control of [undefined, CONTROL]) {
      const options = { train: CLEAN, test: UNREAD, ...(control && { control }), quick: true }
      const report = await generalizationReport(clean, options)
      expect(fired(report)).toEqual([])
      expect(report.fires).toBe(false)
      expect(report.sentence).toMatch(/^It generalizes: .*weak memorizing cannot be seen/)
    }
  })

  it("is not said to generalize on the evidence of a few passages", async () => {
    const report = await generalizationReport(clean, { train: CLEAN, test: [UNREAD[0]!], quick: true })
    expect(report.sentence).toMatch(/^It cannot be told whether it generalizes: .* too few to tell/)
  })

  it("that has not learned yet is not said to generalize", async () => {
    const model = await trained(CLEAN, 1)
    const report = await generalizationReport(model, { train: CLEAN, test: UNREAD, quick: true })
    expect(fired(report)).toEqual([])
    expect(report.sentence).toMatch(/^It has learned too little to tell: .* only knows how often each token occurs/)
  })

  it("gets the same report again, told in the same stages", async () => {
    const stages: string[] = []
    const report = () =>
      generalizationReport(clean, {
        train: CLEAN,
        test: TEST,
        quick: true,
        onProgress: ({ stage }) => stages.at(-1) === stage || stages.push(stage),
      })
    const once = await report()
    expect(stages).toEqual(["contamination", "gap", "extraction", "membership", "samples", "copying"])
    expect(await report()).toEqual(once)
  })

  it("gets the same report from generators, which can be read but once", async () => {
    const [train, test, control] = [CLEAN, TEST, CONTROL].map((texts) => texts.values())
    const report = await generalizationReport(clean, { train: train!, test: test!, control: control!, quick: true })
    const options = { train: CLEAN, test: TEST, control: CONTROL, quick: true }
    expect(report).toEqual(await generalizationReport(clean, options))
  })

  it("an aborted signal ends its report", async () => {
    const stop = new AbortController()
    const onProgress = () => stop.abort()
    const options = { train: CLEAN, test: TEST, signal: stop.signal, onProgress }
    await expect(generalizationReport(clean, options)).rejects.toThrow(/abort|stopped/)
  })

  it("an abort while passages are scored is no verdict, though the test text leaked", async () => {
    const stop = new AbortController()
    const onProgress = ({ stage }: { readonly stage: string }) => stage === "gap" && stop.abort(new Error("enough"))
    const options = { train: LEAKED, test: [...TEST, ...CONTROL], signal: stop.signal, onProgress, quick: true }
    await expect(generalizationReport(leaked, options)).rejects.toThrow("enough")
  })
})

it("extraction counts the passages that greedy generation writes", async () => {
  const options = { train: LEAKED, heldOut: CONTROL, tokens: 64, count: 20 }
  const passages = await samplePassages(leaked.tokenizer, options)
  const found = await extraction(leaked, passages)
  const { prefixTokens, suffixTokens } = found
  const text = (ids: readonly number[]) => leaked.tokenizer.decode(ids)
  const prompts = passages.train.map(({ ids }) => text(ids.slice(0, prefixTokens)))
  const written = prompts.map(() => "")
  const pieces = generateBatch(leaked, prompts, { temperature: 0, maxTokens: suffixTokens })
  for await (const piece of pieces) written[piece.index] += piece.text
  const exact = passages.train.filter(({ ids }, k) => written[k] === text(ids.slice(prefixTokens))).length
  expect(found.train.exact).toBe(exact)
  expect(exact).toBeGreaterThan(10)
})
