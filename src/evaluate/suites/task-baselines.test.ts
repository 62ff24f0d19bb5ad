// Laws of count models as examinees: they score what the formula says, and stand beside a model's result.
import { createReadStream, existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { randomStream } from "../../core/index.ts"
import { bytesTokenizer } from "../../tokenizer/index.ts"
import { trainKneserNey } from "../baselines/kneser-ney.ts"
import { trainUnigram } from "../baselines/unigram.ts"
import { blimpTask, builtinSuites } from "./builtin.ts"
import { byteExaminee, kneserNeyScorer, unigramScorer } from "./count-scorers.ts"
import { loadTask } from "./load-task.ts"
import { runTask } from "./run-task.ts"
import { runTaskBaselines, whichBaselineWins } from "./task-baselines.ts"

const DATA = process.env["KINGLET_DATA"] ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url))
const BLIMP = `${DATA}/blimp.jsonl.gz`
const missing = !existsSync(BLIMP)
if (missing) console.warn(`skipped: no ${BLIMP}`)

const ids = (minLength: number, maxLength: number) => fc.array(fc.nat({ max: 3 }), { minLength, maxLength })
const TEXT = Uint8Array.from({ length: 200 }, (_, at) => [0, 1, 2, 0, 1, 3, 1][at % 7]!)

describe("a count model scores endings", () => {
  it("as the sum over their symbols, each given all before it; the first symbol of all is not scored", async () => {
    await fc.assert(
      fc.asyncProperty(ids(0, 6), ids(1, 6), fc.integer({ min: 1, max: 4 }), async (prefix, ending, order) => {
        const model = trainKneserNey(TEXT, { order, vocabSize: 4 })
        const all = [...prefix, ...ending]
        let nats = 0
        for (let at = Math.max(1, prefix.length); at < all.length; at++)
          nats -= model.logProbability(all.slice(0, at), all[at]!)
        const [scores] = await kneserNeyScorer(model)([{ prefix, endings: [ending] }], {})
        const score = scores![0]!
        expect(score.nats).toBeCloseTo(nats, 9)
        expect(score.tokens).toBe(all.length - Math.max(1, prefix.length))
      }),
    )
  })

  it("greedily only if each symbol is the likeliest", async () => {
    const model = trainKneserNey(TEXT, { order: 3, vocabSize: 4 })
    const endings = [[2, 0, 1], [2, 0, 3], [3]]
    const [scores] = await kneserNeyScorer(model)([{ prefix: [1, 0, 1], endings }], { greedy: true })
    const likeliest = [0, 1, 2, 3].toSorted(
      (a, b) => model.logProbability([0, 1], b) - model.logProbability([0, 1], a),
    )[0]
    expect(scores!.map(({ isGreedy }) => isGreedy)).toEqual([likeliest === 2, false, likeliest === 3])
  })

  it("a unigram model sees no order", async () => {
    const scorer = unigramScorer(trainUnigram(TEXT, 4))
    const endings = [
      [0, 1, 2],
      [2, 1, 0],
    ]
    const [scores] = await scorer([{ prefix: [3], endings }], {})
    expect(scores![0]!.nats).toBeCloseTo(scores![1]!.nats, 12)
  })
})

describe("baselines of a suite", () => {
  const head = { kinglet: "task", version: 1, name: "t", kind: "minimal-pairs" }
  const items = [
    { good: "the wren sings", bad: "the wren gnsis" },
    { good: "a wren sings", bad: "a nrew sings" },
  ]
  const task = loadTask(JSON.stringify({ ...head, items }), "t.json")
  const trainText = new TextEncoder().encode("the wren sings. a wren sings. ".repeat(40))

  it("n-grams know what the training text shows, single symbols do not", async () => {
    const tokenizer = bytesTokenizer()
    const tokens = { ids: Uint16Array.from(trainText), vocabSize: 257, tokenizer }
    const baselines = await runTaskBaselines(await task, { trainText, tokens })
    expect(baselines.map(({ name, result }) => [name, result.accuracy])).toEqual([
      ["unigram-bytes", 0.5],
      ["kneser-ney-bytes", 1],
      ["kneser-ney-tokens", 1],
    ])
  })

  const letters = randomStream(1, "letters")
  const noise = Uint8Array.from({ length: 15_000 }, () => 97 + letters.below(16)) // many n-grams

  it("of a training text that memory does not hold, the last part is counted, or lower orders, and that is said", async () => {
    const notesOf = async (memoryBytes: number) =>
      (await runTaskBaselines(await task, { trainText: noise, memoryBytes })).map(({ note }) => note)
    expect(await notesOf(190_000)).toEqual([
      undefined,
      "saw the last 10 kB of 15 kB of training text: memory holds no more; orders above 3 were left out: memory holds no more",
    ])
    expect((await notesOf(600_000))[1]).toMatch(/^orders above [2-8] were left out: memory holds no more$/)
    expect(await notesOf(1e9)).toEqual([undefined, undefined])
  })

  it("orders 2 to 9 are tried over bytes and over tokens: each text has the order that fits it", async () => {
    // the b of a cycle is foreseen from all the letters a since the last one
    const cycle = (length: number) => Uint8Array.from({ length: 4000 }, (_, at) => (at % length === 0 ? 98 : 97))
    for (const [trainText, order] of [
      [cycle(2), 2],
      [cycle(9), 9],
    ] as const) {
      const tokens = { ids: Uint16Array.from(trainText), vocabSize: 257, tokenizer: bytesTokenizer() }
      const baselines = await runTaskBaselines(await task, { trainText, tokens })
      expect(baselines.map((one) => one.order)).toEqual([undefined, order, order])
    }
  })

  it("the size of the tables is told before they are built, first about, then as they are", async () => {
    const told: (number | undefined)[] = []
    await runTaskBaselines(await task, {
      trainText: noise,
      onProgress: ({ name, items, tableBytes }) => {
        if (name === "kneser-ney-bytes" && items === 0) told.push(tableBytes)
      },
    })
    expect(told).toHaveLength(3)
    expect(told[0]).toBeUndefined()
    expect(told[1]! / told[2]!).toBeGreaterThan(0.9)
    expect(told[1]! / told[2]!).toBeLessThan(2)
  })

  it("a baseline that does as well as the model is named in a sentence, one that does worse is not", async () => {
    const baselines = await runTaskBaselines(await task, { trainText, byteOrders: [3] })
    const unigram = await runTask(byteExaminee(unigramScorer(trainUnigram(trainText, 256))), await task)
    expect(whichBaselineWins(unigram, baselines)).toMatch(
      /^kneser-ney-bytes of order 3, .* reaches 100.00 % on t; the model, with 50.00 %, does not do better/,
    )
    expect(whichBaselineWins({ ...unigram, accuracy: 1 }, baselines.slice(0, 1))).toBeUndefined()
  })
})

describe("BLiMP", () => {
  it.skipIf(missing)(
    "has 67 paradigms of 1,000 pairs, and a unigram model of English letters is near chance",
    async () => {
      const task = await blimpTask(createReadStream(BLIMP))
      const trainText = new TextEncoder().encode("Etaoin shrdlu, cmfwyp vbgkjq xz. ".repeat(3))
      const result = await runTask(byteExaminee(unigramScorer(trainUnigram(trainText, 256))), task)
      expect(result.items).toBe(67_000)
      expect(new Set(result.groups.map(({ items }) => items))).toEqual(new Set([1000]))
      expect(result.groups).toHaveLength(67)
      expect(result.mean).toBeCloseTo(result.accuracy, 12)
      expect(result.mean).toBeGreaterThan(0.4)
      expect(result.mean).toBeLessThan(0.6)
      expect(result.published.find(({ name }) => name === "GPT-2")?.accuracy).toBe(0.8302)
    },
    30_000,
  )

  it("is a built-in suite whose items are the public set of that name", () => {
    expect(builtinSuites["blimp"]?.publicSet).toBe("blimp")
  })
})
