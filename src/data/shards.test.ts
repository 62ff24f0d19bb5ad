// Laws of tokens on disk: what was written is read, by any window; what is damaged is refused; memory stays bounded.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { FormatError } from "../core/index.ts"
import { type Document, encodeToMemory, memoryTokens, openShards, type TokenEncoder, writeShards } from "./index.ts"

let root = ""
let serial = 0
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "kinglet-shards-"))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))
const folder = () => join(root, String(serial++))

/** Each UTF-16 unit is a token. */
const units = (vocabSize: number, endOfText?: number): TokenEncoder => ({
  vocabSize,
  endOfText,
  encode: (text) => Int32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)),
})

async function* from(texts: readonly string[]): AsyncGenerator<Document> {
  for (const [i, text] of texts.entries()) yield { id: `${i}`, text }
}

describe("shards", () => {
  it("any window of any shards equals that of the same tokens in memory, document starts too", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(400), fc.nat(60)), { maxLength: 10 }),
        async (texts, shardTokens, wide, windows) => {
          const encoder = units(wide ? 70000 : 65536, texts.length % 2 ? 65535 : undefined)
          const dir = folder()
          const written = await writeShards(from(texts), encoder, dir, { shardTokens })
          const memory = await encodeToMemory(from(texts), encoder)
          expect(written.tokens).toBe(memory.length)
          for (const memoryBytes of [0, 2 ** 20]) {
            const shards = await openShards(dir, { verify: true, memoryBytes })
            expect(shards.length).toBe(memory.length)
            const starts = Array.from(memory.documentStarts)
            const kept = starts.filter((at, i) => at < (starts[i + 1] ?? memory.length)) // without empty documents
            expect(Array.from(shards.documentStarts)).toEqual(kept)
            for (const [a, b] of windows) {
              const start = a % (memory.length + 1)
              const count = Math.min(b, memory.length - start)
              expect([...(await shards.read(start, count))]).toEqual([...(await memory.read(start, count))])
            }
            await shards.close()
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it("a window outside the source is refused, in memory and on disk", async () => {
    const dir = folder()
    await writeShards(from(["hello"]), units(256), dir)
    for (const source of [await openShards(dir, { memoryBytes: 0 }), memoryTokens(Int32Array.of(1, 2, 3, 4, 5))])
      for (const [start, count] of [
        [-1, 2],
        [4, 2],
        [0, 6],
        [0.5, 1],
      ] as const)
        await expect((async () => source.read(start, count))()).rejects.toThrow(/holds 5/)
  })

  it("more shards than open files are read at the same time", async () => {
    const dir = folder()
    await writeShards(from(["x".repeat(100)]), units(256), dir, { shardTokens: 1 })
    const source = await openShards(dir, { memoryBytes: 0 })
    const parts = await Promise.all(Array.from({ length: 100 }, async (_, i) => source.read(i, 1)))
    expect(parts.every((part) => part[0] === 120)).toBe(true)
    await source.close()
  })

  it("a shard truncated at any length, unfinished, damaged or foreign is a FormatError", async () => {
    const dir = folder()
    await writeShards(from(["hello", "world"]), units(256, 0), dir)
    const path = join(dir, "shard-00000.tokens")
    const whole = readFileSync(path)
    for (let length = 0; length < whole.length; length++) {
      truncateSync(path, length)
      await expect(openShards(dir)).rejects.toThrow(FormatError)
      writeFileSync(path, whole)
    }
    for (const [at, byte] of [
      [0, 0],
      [8, 9],
      [12, 3],
      [16, 99],
      [40, whole[40]! ^ 1],
    ] as const) {
      const bad = Buffer.from(whole)
      bad[at] = byte
      writeFileSync(path, bad)
      await expect(openShards(dir)).rejects.toThrow(FormatError)
    }
    const flipped = Buffer.from(whole)
    flipped[70] = flipped[70]! ^ 1
    writeFileSync(path, flipped)
    await expect(openShards(dir, { verify: true })).rejects.toThrow(/SHA-256/)
    writeFileSync(path, whole)
    expect((await openShards(dir, { verify: true })).length).toBe(12)
    for (const index of [
      "{",
      "[]",
      '{"format":"kinglet-tokens","version":2,"shards":[]}',
      '{"format":"kinglet-tokens","version":1,"shards":[{"file":"../x"}]}',
    ]) {
      writeFileSync(join(dir, "index.json"), index)
      await expect(openShards(dir)).rejects.toThrow(FormatError)
    }
  })

  it("ids outside the vocabulary and widths too small for it are refused", async () => {
    await expect(writeShards(from(["é"]), units(128), folder())).rejects.toThrow(/token 0 is 233, expected 0 to 127/)
    await expect(writeShards(from(["a"]), units(70000), folder(), { tokenDType: "u16" })).rejects.toThrow(/u16 holds/)
  })

  it("a corpus that is generated on the way goes to disk document by document, never held whole", async () => {
    const encoder = units(256, 0)
    let alive = 0
    let most = 0
    const registry = new FinalizationRegistry<number>(() => alive--)
    async function* generated(): AsyncGenerator<Document> {
      for (let i = 0; i < 400; i++) {
        const document = { id: `${i}`, text: String.fromCharCode(97 + (i % 26)).repeat(50_000) }
        registry.register(document, i)
        most = Math.max(most, ++alive)
        yield document
        if (i % 20 === 19) await collectGarbage()
      }
    }
    const dir = folder()
    const { tokens, documents } = await writeShards(generated(), encoder, dir, { shardTokens: 2 ** 18 })
    expect({ tokens, documents }).toEqual({ tokens: 400 * 50_001, documents: 400 })
    expect(readdirSync(dir).length).toBe(Math.ceil((400 * 50_001) / 2 ** 18) + 1)
    expect(most).toBeLessThan(100)
    const source = await openShards(dir, { memoryBytes: 0 })
    expect([...(await source.read(27 * 50_001 - 2, 4))]).toEqual([97, 0, 98, 98])
    await source.close()
  })
})

/** Runs the collector: allocation pressure and turns of the event loop, since `gc` is not exposed. */
async function collectGarbage(): Promise<void> {
  const { setFlagsFromString } = await import("node:v8")
  const { runInNewContext } = await import("node:vm")
  setFlagsFromString("--expose-gc")
  ;(runInNewContext("gc") as () => void)()
  await new Promise((resolve) => setImmediate(resolve))
}
