// Laws of preparation: the tokenizer sees training text only, what is stored is found again, and everything is counted.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { platform } from "#platform"
import { trainBpe } from "../tokenizer/index.ts"
import {
  type Document,
  files,
  openData,
  prepareData,
  type TokenEncoder,
  type TokenSource,
  text,
  textsOf,
} from "./index.ts"

const DATA = process.env["KINGLET_DATA"] ?? join(import.meta.dirname, "../../../shared/data")
const SHAKESPEARE = join(DATA, "tiny-shakespeare.txt")
const NOVELS = join(DATA, "eltec-eng.jsonl.gz")
for (const path of [SHAKESPEARE, NOVELS])
  if (!existsSync(path)) console.warn(`skipped: ${path} is absent (set KINGLET_DATA)`)

let root = ""
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "kinglet-prepare-"))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** UTF-8 bytes as tokens, 256 as end of text. */
const byteEncoder: TokenEncoder = {
  vocabSize: 257,
  endOfText: 256,
  encode: (s) => Int32Array.from(new TextEncoder().encode(s)),
}
const decodeBytes = (ids: Int32Array) => new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256)))
const all = async (tokens: TokenSource) => Int32Array.from(await tokens.read(0, tokens.length))

const corpus = Array.from({ length: 40 }, (_, i) => `Document ${i}: ${`word${i} häß 🐦 `.repeat(20 + i)}\n`)

async function read(documents: AsyncIterable<Document>): Promise<string[]> {
  const texts: string[] = []
  for await (const document of documents) texts.push(document.text)
  return texts
}

describe("prepareData", () => {
  it("the tokenizer sees every training document and no held-out one, as often as it likes", async () => {
    let seen: string[] = []
    const data = await prepareData({
      source: corpus,
      tokenizer: async (documents) => {
        seen = await read(documents)
        expect(await read(documents)).toEqual(seen)
        return byteEncoder
      },
    })
    const valid = data.validDocuments.map((document) => document.text)
    expect([...seen, ...valid].sort()).toEqual([...corpus].sort())
    expect(await read(data.trainDocuments)).toEqual(seen)
    expect(decodeBytes(await all(data.train))).toBe(seen.join(""))
    expect(decodeBytes(await all(data.valid))).toBe(valid.join(""))
    expect(data.train.documentStarts.length).toBe(seen.length)
  })

  it("bytes, characters, documents, tokens and hashes are those of the text", async () => {
    const data = await prepareData({ source: [...corpus, corpus[0]!], tokenizer: () => byteEncoder })
    const train = await read(data.trainDocuments)
    const bytes = new TextEncoder().encode(train.join(""))
    expect(data.summary).toMatchObject({ name: "text", exactDuplicates: 1, nearDuplicates: 0 })
    expect(data.summary.train).toEqual({
      documents: train.length,
      bytes: bytes.length,
      characters: [...train.join("")].length,
      tokens: bytes.length + train.length,
      sha256: await platform.sha256(new TextEncoder().encode(train.join("\0"))),
    })
    expect(data.notes.join("\n")).toMatch(/1 exact duplicate left out/)
  })

  it("what is prepared in a folder equals what is prepared in memory, and is found again without its source", async () => {
    const dir = join(root, "stored")
    const memory = await prepareData({ source: corpus, tokenizer: () => byteEncoder, seed: 3 })
    const stored = await prepareData({ source: corpus, tokenizer: () => byteEncoder, seed: 3, dir, shardTokens: 1000 })
    const opened = await openData(dir, { verify: true })
    for (const data of [stored, opened]) {
      expect(await all(data.train)).toEqual(await all(memory.train))
      expect(await all(data.valid)).toEqual(await all(memory.valid))
      for (const key of ["split", "summary", "validDocuments"] as const) expect(data[key]).toEqual(memory[key])
    }
  })

  it("a folder whose preparation did not finish, or was changed, is refused", async () => {
    const dir = join(root, "broken")
    const prepare = () => prepareData({ source: corpus, tokenizer: () => byteEncoder, dir })
    await prepare()
    const original = (name: string) => readFileSync(join(dir, name), "utf8")
    const damage: [string, (text: string) => string][] = [
      ["valid.jsonl", (s) => s.replace("word", "wart")],
      ["valid.jsonl", (s) => s.slice(0, -20)],
      ["valid.jsonl", (s) => s.replace('"text"', '"body"')],
      ["split.json", (s) => s.slice(0, 50)],
      ["split.json", (s) => s.replace('"version": 1', '"version": 2')],
      ["summary.json", (s) => s.replace(/"tokens": \d/, '"tokens": 9')],
    ]
    for (const [name, change] of damage) {
      const before = original(name)
      expect(change(before)).not.toBe(before)
      writeFileSync(join(dir, name), change(before))
      await expect(openData(dir)).rejects.toMatchObject({ code: "format" })
      writeFileSync(join(dir, name), before)
    }
    await openData(dir)
    const failing = { ...byteEncoder, encode: () => Int32Array.of(999) }
    await expect(prepareData({ source: corpus, tokenizer: () => failing, dir })).rejects.toThrow(/expected 0 to 256/)
    await expect(openData(dir)).rejects.toThrow(/no finished data/)
    await prepare()
    await openData(dir)
  })

  it("our tokenizers fit as they are: text, tokens, text", async () => {
    const tokenizer = (documents: AsyncIterable<Document>) => trainBpe(textsOf(documents), { vocabSize: 300 })
    const data = await prepareData({ source: corpus, tokenizer })
    const valid = data.validDocuments.map((document) => document.text)
    expect(data.tokenizer.decode(await all(data.valid))).toBe(valid.join(""))
  })

  it("validation text of one's own is used whole and leaves the training text whole", async () => {
    const valid = text("Something else entirely, held out.", "And more of it.")
    const data = await prepareData({ source: corpus, valid, tokenizer: () => byteEncoder, dir: join(root, "given") })
    expect(data.validDocuments.map((document) => document.text)).toEqual(await read(valid.documents()))
    expect((await read(data.trainDocuments)).length).toBe(corpus.length)
    expect((await openData(join(root, "given"))).validDocuments).toEqual(data.validDocuments)
    expect(data.split.method).toBe("given")
  })

  it("a generator is enough, one string too, and an aborted signal stops with its reason", async () => {
    async function* generated() {
      yield* corpus
    }
    const fromGenerator = await prepareData({ source: generated(), tokenizer: () => byteEncoder })
    expect(fromGenerator.summary.train.documents + fromGenerator.summary.valid.documents).toBe(40)
    const one = await prepareData({ source: corpus.join("\n"), tokenizer: () => byteEncoder })
    expect(one.notes.join()).toContain("1 document, fewer than 10")
    const signal = AbortSignal.abort(new RangeError("enough"))
    await expect(prepareData({ source: corpus, tokenizer: () => byteEncoder, signal })).rejects.toThrow("enough")
  })

  it.skipIf(!existsSync(SHAKESPEARE))("tiny-shakespeare gives the published split, token for token", async () => {
    const source = files(SHAKESPEARE)
    const splitAt = { fraction: 0.9, boundary: "exact" } as const
    const data = await prepareData({ source, splitAt, tokenizer: () => ({ ...byteEncoder, endOfText: undefined }) })
    expect([data.train.length, data.valid.length]).toEqual([1003854, 111540])
    expect(data.summary.name).toBe("tiny-shakespeare")
    const whole = readFileSync(SHAKESPEARE)
    expect(data.summary.valid.sha256).toBe(await platform.sha256(whole.subarray(1003854)))
  })

  it.skipIf(!existsSync(NOVELS))("36 novels: whole novels are held out, about a tenth of 28 MB", async () => {
    const data = await prepareData({ source: files(NOVELS), tokenizer: () => byteEncoder })
    const { train, valid } = data.summary
    expect(train.documents + valid.documents).toBe(36)
    expect(valid.bytes / (train.bytes + valid.bytes)).toBeGreaterThan(0.07)
    expect(valid.bytes / (train.bytes + valid.bytes)).toBeLessThan(0.13)
  })
})
