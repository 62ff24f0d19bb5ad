// Laws of the report: every baseline in bits per byte of the same text, on all cores, abortable, within a memory.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { platform } from "#platform"
import { randomStream } from "../../core/index.ts"
import { encodeToMemory, text } from "../../data/index.ts"
import { bytesTokenizer, charactersTokenizer, trainBpe } from "../../tokenizer/index.ts"
import { trainKneserNey } from "./kneser-ney.ts"
import { BASELINE_NAMES, type BaselineOptions, type BaselineProgress, runBaselines } from "./run-baselines.ts"
import { inSlices, runSliced } from "./slices.ts"
import { trainUnigram } from "./unigram.ts"

const random = randomStream(1, "baselines")
const WORDS = ["stone ", "river ", "a ", "the ", "moss ", "and ", "leaf, ", "rain. ", "Käfer "]
const makeText = (words: number) => Array.from({ length: words }, () => WORDS[random.below(WORDS.length)]).join("")

const train = Array.from({ length: 30 }, () => makeText(100))
const valid = Array.from({ length: 5 }, (_, index) => makeText(index === 0 ? 4000 : 80))
const tokenizer = await trainBpe(train, { vocabSize: 300 })
const split: BaselineOptions = { train, valid, tokenizer }
const bytesOf = (texts: readonly string[]) => new TextEncoder().encode(texts.join(""))
const tokensOf = async (texts: readonly string[]) => {
  const tokens = await encodeToMemory(text(...texts).documents(), tokenizer)
  return Uint16Array.from(await tokens.read(0, tokens.length))
}

describe("runBaselines", () => {
  it("gives every baseline in order, each no worse than eight bits and Kneser-Ney better than unigrams", async () => {
    const results = await runBaselines(split)
    expect(results.map(({ name }) => name)).toEqual([...BASELINE_NAMES])
    const bits = Object.fromEntries(results.map((result) => [result.name, result.bitsPerByte]))
    for (const { name, bitsPerByte, note } of results)
      if (bitsPerByte === undefined) expect(note).toContain(`${name} was not found`)
      else expect(bitsPerByte).toBeLessThan(8)
    expect(bits["kneser-ney-bytes"]).toBeLessThan(bits["unigram-bytes"]! / 2)
    expect(bits["kneser-ney-tokens"]).toBeLessThan(bits["unigram-tokens"]!)
  })

  it("reads the text as one stream of tokens with their ends: the same nats as the model of all ids at once", async () => {
    const [result] = await runBaselines({ ...split, only: ["kneser-ney-tokens"], tokenOrders: [3] })
    const { vocabSize } = tokenizer
    const nats = trainKneserNey(await tokensOf(train), { order: 3, vocabSize }).scoreNats(await tokensOf(valid))
    expect(result).toMatchObject({ order: 3, unit: "token" })
    expect(result!.bitsPerByte).toBeCloseTo(nats / Math.LN2 / bytesOf(valid).length, 9)
    expect(result!.natsPerUnit).toBeCloseTo(nats / (await tokensOf(valid)).length, 9)
  })

  it("bytes are followed by an end where the model's documents are, and by nothing where they are not", async () => {
    const options = { ...split, only: ["kneser-ney-bytes"], byteOrders: [4] } as const
    const withEnds = (texts: readonly string[]) =>
      Uint8Array.from(texts.flatMap((one) => [...new TextEncoder().encode(one), 0xff]))
    const natsOf = (encode: (texts: readonly string[]) => Uint8Array) =>
      trainKneserNey(encode(train), { order: 4, vocabSize: 256 }).scoreNats(encode(valid))
    const [ended] = await runBaselines(options)
    const endless = await charactersTokenizer([...train, ...valid], { specialTokens: [] })
    const [plain] = await runBaselines({ ...options, tokenizer: endless })
    const bits = (nats: number) => nats / Math.LN2 / bytesOf(valid).length
    expect(ended!.bitsPerByte).toBeCloseTo(bits(natsOf(withEnds)), 9)
    expect(plain!.bitsPerByte).toBeCloseTo(bits(natsOf(bytesOf)), 9)
  })

  it("scores of documents and of their blocks add up, and bytes and characters are the text's", async () => {
    const results = await runBaselines({ ...split, only: BASELINE_NAMES.slice(0, 4) })
    for (const { bitsPerByte, documents = [] } of results) {
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
      expect(documents.map(({ bytes }) => bytes)).toEqual(valid.map((one) => bytesOf([one]).length))
      expect(documents.map(({ characters }) => characters)).toEqual(valid.map((one) => one.length))
      expect(documents[0]!.sha256).toBe(await platform.sha256(bytesOf(valid.slice(0, 1))))
      for (const { bytes, blockNats, nats } of documents) {
        expect(blockNats).toHaveLength(Math.ceil(bytes / 10_000))
        expect(sum(blockNats)).toBeCloseTo(nats, 9)
      }
      const nats = sum(documents.map((one) => one.nats))
      expect(bitsPerByte).toBeCloseTo(nats / Math.LN2 / bytesOf(valid).length, 9)
    }
  })

  describe("a document of many pieces", () => {
    const long = makeText(40_000)
    const only = ["unigram-bytes", "kneser-ney-tokens"] as const

    it("costs what it costs in one piece, and its bytes, characters and hash are the whole's", async () => {
      const [bytes, tokens] = await runBaselines({ ...split, valid: [long], only, tokenOrders: [3] })
      const ids = await tokensOf([long])
      const model = trainKneserNey(await tokensOf(train), { order: 3, vocabSize: tokenizer.vocabSize })
      expect(tokens!.documents![0]!.tokens).toBe(ids.length)
      expect(tokens!.documents![0]!.nats / model.scoreNats(ids)).toBeCloseTo(1, 12)
      const { length } = bytesOf([long])
      const facts = { bytes: length, characters: long.length, sha256: await platform.sha256(bytesOf([long])) }
      for (const result of [bytes, tokens]) expect(result!.documents![0]).toMatchObject(facts)
      expect(bytes!.documents![0]!.tokens).toBe(length + 1)
    })

    it("leaves the event loop a turn between its pieces", async () => {
      let turns = 0
      const count = (): void => void (turns++, (timer = setImmediate(count)))
      let timer = setImmediate(count)
      await runBaselines({ ...split, valid: [long], only: ["unigram-bytes"] })
      clearImmediate(timer)
      expect(turns).toBeGreaterThan(2 * Math.floor(long.length / 33_000))
    })

    it("that the tokenizer does not know is refused with the place in the whole", async () => {
      const letters = await charactersTokenizer(train)
      const said = (() => {
        try {
          return letters.encode(`${long}§`)
        } catch (error) {
          return error
        }
      })()
      const running = runBaselines({ ...split, tokenizer: letters, valid: [`${long}§`], only: ["unigram-tokens"] })
      await expect(running).rejects.toThrow(said as Error)
    })
  })

  it("blocks are of 10,000 bytes: each costs what its bytes cost", async () => {
    const [result] = await runBaselines({ ...split, only: ["unigram-bytes"] })
    const ended = train.flatMap((one) => [...bytesOf([one]), 0xff])
    const first = bytesOf(valid.slice(0, 1))
    const nats = trainUnigram(ended, 256).scoreNats(first.subarray(10_000, 20_000))
    expect(first.length).toBeGreaterThan(20_000)
    expect(result!.documents![0]!.blockNats[1]).toBeCloseTo(nats, 8)
  })

  it("a token counts in the block in which its first byte lies, the end of a document in the last", async () => {
    const [result] = await runBaselines({ ...split, only: ["unigram-tokens"] })
    const { logProbabilities } = trainUnigram(await tokensOf(train), tokenizer.vocabSize)
    const blocks = [0, 0, 0]
    let byte = 0
    for (const id of await tokensOf(valid.slice(0, 1))) {
      blocks[Math.floor(byte / 10_000)]! -= logProbabilities[id]!
      byte += tokenizer.tokenBytes(id).length
    }
    expect(Math.floor(byte / 10_000)).toBe(2)
    for (const [at, nats] of blocks.entries()) expect(result!.documents![0]!.blockNats[at]).toBeCloseTo(nats, 8)
  })

  it("gives the same from tokens in memory as from the text, and for any pieces in which the documents are read", async () => {
    const only = ["kneser-ney-bytes", "unigram-tokens"] as const
    const strip = async (options: Partial<BaselineOptions>) =>
      (await runBaselines({ ...split, only, ...options })).map((result) => ({ ...result, seconds: 0 }))
    const expected = await strip({})
    expect(await strip({ train: await encodeToMemory(text(...train).documents(), tokenizer) })).toEqual(expected)
    const slowly = async function* () {
      for (const one of valid) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        yield { id: `text-${valid.indexOf(one) + 1}`, text: one }
      }
    }
    expect(await strip({ valid: slowly })).toEqual(expected)
  })

  it("a compressor costs what the held-out text adds to the training text, ends of documents where the model has them", async () => {
    const endless = await charactersTokenizer([...train, ...valid], { specialTokens: [] })
    const sizeOf = async (bytes: Uint8Array) => {
      async function* whole() {
        yield bytes
      }
      return (await platform.brotliSize(whole(), { totalBytes: bytes.length, windowBits: 20 }))!
    }
    const short = Array.from({ length: 200 }, () => makeText(1 + random.below(3)))
    for (const [own, end] of [
      [tokenizer, [0xff]],
      [endless, []],
    ] as const) {
      const read = (texts: readonly string[]) => Uint8Array.from(texts.flatMap((one) => [...bytesOf([one]), ...end]))
      const [result] = await runBaselines({ ...split, valid: short, tokenizer: own, only: ["brotli"] })
      const added = (await sizeOf(read([...train, ...short]))) - (await sizeOf(read(train)))
      expect(result!.bitsPerByte).toBeCloseTo((8 * added) / bytesOf(short).length, 12)
    }
  })

  it("a compressor that fails on this machine has no result and says how it failed; others have theirs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kinglet-xz-"))
    writeFileSync(join(folder, "xz"), "#!/bin/sh\necho 'xz: Cannot allocate memory' >&2\nexit 1\n", { mode: 0o755 })
    const { PATH } = process.env
    try {
      process.env["PATH"] = folder
      const [brotli, xz] = await runBaselines({ ...split, only: ["brotli", "xz"] })
      expect(brotli!.bitsPerByte).toBeLessThan(8)
      expect(xz!.bitsPerByte).toBeUndefined()
      expect(xz!.note).toBe("xz failed with exit code 1: xz: Cannot allocate memory")
    } finally {
      process.env["PATH"] = PATH
      rmSync(folder, { recursive: true })
    }
  })

  it("tells the size of the tables before they are built, first about, then as they are, and how far it has come", async () => {
    const told: BaselineProgress[] = []
    const only = ["kneser-ney-tokens", "kneser-ney-bytes"] as const
    const results = await runBaselines({ ...split, only, onProgress: (progress) => told.push(progress) })
    for (const [index, { name, title }] of results.entries()) {
      const mine = told.filter((progress) => progress.name === name)
      expect(mine[0]).toEqual({ name, title, done: index, total: 2, fraction: 0 })
      const sizes = [...new Set(mine.map(({ tableBytes }) => tableBytes))].slice(1)
      expect(sizes).toHaveLength(2)
      expect(sizes[0]! / sizes[1]!).toBeGreaterThan(0.9)
      expect(sizes[0]! / sizes[1]!).toBeLessThan(2)
      const fractions = mine.map(({ fraction }) => fraction)
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
      expect(fractions.at(-1)).toBeLessThanOrEqual(1)
    }
  })

  it("tells finite sizes and parts of a training text of a few symbols", async () => {
    const told: BaselineProgress[] = []
    const only = ["kneser-ney-tokens", "kneser-ney-bytes"] as const
    const results = await runBaselines({ ...split, train: ["a stone"], only, onProgress: (one) => told.push(one) })
    for (const { bitsPerByte } of results) expect(bitsPerByte).toBeGreaterThan(0)
    for (const { fraction, tableBytes = 0, predictedSeconds = 0 } of told)
      expect([fraction, tableBytes, predictedSeconds].every(Number.isFinite)).toBe(true)
  })

  it("takes the last part of the training text, and lower orders, where memory is short, and says so", async () => {
    const only = ["kneser-ney-bytes"] as const
    const letters = Array.from({ length: 15_000 }, () => "abcdefghijklmnop"[random.below(16)]).join("") // many n-grams
    const [short] = await runBaselines({ ...split, only, memoryBytes: 2 * 20_000 })
    expect(short!.note).toMatch(/^saw the last [0-9.]+ kB of [0-9.]+ kB of training text: memory holds no more/)
    const [low] = await runBaselines({ ...split, train: letters, only, memoryBytes: 2 * 600_000 })
    expect(low!.note).toMatch(/^orders above [2-8] were left out: memory holds no more$/)
    expect((await runBaselines({ ...split, only, memoryBytes: 1e9 }))[0]!.note).toBeUndefined()
  })

  it("stops with the signal's reason, before and between slices and while a compressor runs", async () => {
    const reason = new Error("enough")
    await expect(runBaselines({ ...split, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (const only of ["kneser-ney-bytes", "brotli"] as const) {
      const controller = new AbortController()
      const running = runBaselines({
        ...split,
        train: makeText(100_000),
        only: [only],
        signal: controller.signal,
        onProgress: () => setImmediate(() => controller.abort(reason)),
      })
      await expect(running).rejects.toBe(reason)
    }
  })

  it("fails as the held-out text fails, whatever runs beside it", async () => {
    let passes = 0
    const failing = async function* () {
      yield valid[0]!
      if (++passes > 1) throw new RangeError("the disk is gone")
    }
    await expect(runBaselines({ ...split, valid: failing })).rejects.toThrow("the disk is gone")
  })

  it("refuses an empty part", async () => {
    await expect(runBaselines({ ...split, valid: [] })).rejects.toThrow(/held-out text must not be empty/)
    await expect(runBaselines({ ...split, train: "a", tokenizer: bytesTokenizer() })).rejects.toThrow(/training text/)
  })
})

describe("runSliced", () => {
  it("lets other work have a turn before a long computation ends, and adds up the work", async () => {
    const order: string[] = []
    setTimeout(() => order.push("timer"), 1)
    const spin = inSlices(
      1024 * 100,
      () => {
        for (const end = platform.now() + 1; platform.now() < end; );
      },
      2,
    )
    let work = 0
    await runSliced(spin, undefined, (cost) => (work += cost)).then(() => order.push("computation"))
    expect(order).toEqual(["timer", "computation"])
    expect(work).toBe(2 * 1024 * 100)
  })
})
