// Laws of passages: both sides alike, from as many documents as there are, at places the seed decides.
import { describe, expect, it } from "vitest"
import { DataError, randomStream } from "../../core/index.ts"
import { bytesTokenizer, charactersTokenizer } from "../../tokenizer/index.ts"
import { type Passage, samplePassages } from "./passages.ts"

const tokenizer = bytesTokenizer()

const texts = (name: string, count: number, words: number): string[] =>
  Array.from({ length: count }, (_, document) => {
    const stream = randomStream(2, name, document)
    return Array.from({ length: words }, () => `${name}${stream.below(1e6).toString(36)}é`).join(" ")
  })

const textOf = ({ ids }: Passage) => tokenizer.decode(ids)

describe("passages", () => {
  const [train, heldOut] = [texts("a", 30, 300), texts("b", 10, 50)]
  const options = { train, heldOut, tokens: 64, count: 50 }

  it("are of one length and as many on each side", async () => {
    const passages = await samplePassages(tokenizer, options)
    expect(passages.train).toHaveLength(passages.heldOut.length)
    expect(new Set([...passages.train, ...passages.heldOut].map(({ ids }) => ids.length))).toEqual(new Set([64]))
    expect(passages.trainBytes).toBe(new TextEncoder().encode(train.join("")).length)
    for (const { ids, bytes } of passages.train) expect(bytes).toEqual(tokenizer.decodeBytes(ids.slice(1)))
  })

  it("stand in their documents, one in each before a second in any", async () => {
    const { train: drawn } = await samplePassages(tokenizer, { ...options, heldOut: train })
    for (const passage of drawn) expect(train[passage.document]).toContain(textOf(passage).replaceAll("\ufffd", ""))
    expect(new Set(drawn.slice(0, 30).map(({ document }) => document)).size).toBe(30)
    expect(new Set(drawn.map(textOf)).size).toBe(50)
  })

  it("the others of the training text overlap none of them", async () => {
    const { train: drawn, others } = await samplePassages(tokenizer, options)
    const rest = others.map((ids) => tokenizer.decode(ids))
    expect(rest.length).toBeGreaterThan(100)
    for (const passage of drawn) {
      const middle = textOf(passage).slice(8, -8)
      expect(rest.some((text) => text.includes(middle))).toBe(false)
    }
  })

  it("the seed decides, and nothing else", async () => {
    const [once, again] = [await samplePassages(tokenizer, options), await samplePassages(tokenizer, options)]
    expect(again).toEqual(once)
    expect((await samplePassages(tokenizer, { ...options, seed: 2 })).train).not.toEqual(once.train)
  })

  it("where documents are short passages are shorter, and all of one length", async () => {
    const { tokens, train: drawn } = await samplePassages(tokenizer, { ...options, heldOut: texts("c", 40, 3) })
    expect(tokens).toBeLessThan(64)
    expect(new Set(drawn.map(({ ids }) => ids.length))).toEqual(new Set([tokens]))
  })

  it("an emoji is not cut in half, wherever the length of tokens is tried out", async () => {
    const text = `${"a".repeat(19_999)}\u{1f426}${"b".repeat(400)}`
    const characters = await charactersTokenizer([text])
    const drawn = await samplePassages(characters, { train: [text], heldOut: [text], tokens: 64 })
    expect(drawn.train.length).toBeGreaterThan(100)
  })

  it("keep the stretches in memory and not their documents", async () => {
    const collectGarbage = await garbageCollector()
    const heap: number[] = []
    async function* long() {
      for (let k = 0; k < 40; k++) {
        collectGarbage()
        heap.push(process.memoryUsage().heapUsed)
        yield `${`word${k} `.repeat(200_000)}.`
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await samplePassages(tokenizer, { train: () => long(), heldOut, tokens: 64 })
    expect(heap.at(-1)! - heap[5]!).toBeLessThan(10e6)
  })

  it("an empty text, or one of single words, is refused", async () => {
    for (const heldOut of [[], [""], ["a", "b"]])
      await expect(samplePassages(tokenizer, { ...options, heldOut })).rejects.toThrow(DataError)
  })
})

async function garbageCollector(): Promise<() => void> {
  const { setFlagsFromString } = await import("node:v8")
  const { runInNewContext } = await import("node:vm")
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
}
