// Laws of deduplication and of the split: the same texts give the same sides, copies stay together, nothing is lost.
import { existsSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DataError, randomStream } from "../core/index.ts"
import {
  cutPosition,
  type Document,
  documentsOf,
  files,
  givenSplit,
  groupDuplicates,
  likeness,
  makeSplit,
  minHash,
  type Split,
  type SplitOptions,
  survey,
  toSource,
} from "./index.ts"

const DATA = process.env["KINGLET_DATA"] ?? join(import.meta.dirname, "../../../shared/data")
const SHAKESPEARE = join(DATA, "tiny-shakespeare.txt")
if (!existsSync(SHAKESPEARE)) console.warn(`skipped: ${SHAKESPEARE} is absent (set KINGLET_DATA)`)

/** `count` words chosen from a vocabulary of 5000. */
function prose(count: number, ...names: (string | number)[]): string[] {
  const stream = randomStream(7, "prose", ...names)
  return Array.from({ length: count }, () => `w${stream.below(5000).toString(36)}`)
}

/** The words with a share of them replaced, spread evenly. */
const edited = (words: string[], every: number): string[] =>
  words.map((word, i) => (i % every === every - 1 ? `${word}x` : word))

/** Jaccard likeness over sets of five words, counted exactly. */
function jaccard(a: string[], b: string[]): number {
  const shingles = (words: string[]) => new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(" ")))
  const [left, right] = [shingles(a), shingles(b)]
  const common = [...left].filter((shingle) => right.has(shingle)).length
  return common / (left.size + right.size - common)
}

async function splitOf(texts: readonly (string | Document)[], options?: SplitOptions): Promise<Split> {
  const source = toSource([...texts])
  return makeSplit(source, await survey(source), options)
}
async function side(texts: readonly (string | Document)[], split: Split, which: "train" | "valid"): Promise<string[]> {
  const parts: string[] = []
  for await (const { text } of documentsOf(toSource([...texts]), split, which)) parts.push(text)
  return parts
}

describe("likeness", () => {
  it("the estimate is the exact Jaccard likeness within 4 standard errors, for short and long texts", () => {
    for (const [length, every] of [
      [60, 50],
      [200, 40],
      [1000, 60],
      [1000, 25],
      [20000, 30],
      [20000, 200],
    ] as const) {
      const a = prose(length, length, every)
      const b = edited(a, every)
      const exact = jaccard(a, b)
      const estimate = likeness(minHash(a.join(" "))!, minHash(b.join(" "))!)
      expect(Math.abs(estimate - exact)).toBeLessThan(4 * Math.sqrt(0.25 / 125))
    }
  })

  it("punctuation, spaces and case do not count, words and their order do", () => {
    const words = prose(100, "case")
    const loud = minHash(words.join(" ").toUpperCase())!
    expect(likeness(minHash(words.join(",\n "))!, loud)).toBe(1)
    expect(likeness(minHash([...words].reverse().join(" "))!, loud)).toBeLessThan(0.2)
    expect(minHash(" ... \n")).toBeUndefined()
    expect(
      likeness(minHash("春眠不觉晓处处闻啼鸟夜来风雨声")!, minHash("春眠不覚暁処処聞啼鳥夜来風雨声")!),
    ).toBeLessThan(0.5)
  })
})

describe("duplicates", () => {
  it("exact and near-duplicates are grouped and counted, unlike texts are not", async () => {
    const base = Array.from({ length: 30 }, (_, i) => prose(300, "d", i).join(" "))
    const near = edited(prose(300, "d", 3), 100).join(" ")
    const texts = [...base, base[5]!, near, base[5]!]
    const { groupOf, exactDuplicates, nearDuplicates } = groupDuplicates(await survey(toSource(texts)))
    expect({ exactDuplicates, nearDuplicates }).toEqual({ exactDuplicates: 2, nearDuplicates: 1 })
    expect([...groupOf]).toEqual([...base.keys(), 5, 3, 5])
  })

  it("every near-duplicate of likeness 0.9 is found, none of likeness below 0.6 is taken for one", async () => {
    const texts = Array.from({ length: 100 }, (_, i) => {
      const words = prose(400, "n", i)
      return [words.join(" "), edited(words, 100).join(" "), edited(words, 12).join(" ")]
    })
    const { nearDuplicates, groupOf } = groupDuplicates(await survey(toSource(texts.flat())))
    expect(nearDuplicates).toBe(100)
    for (let i = 0; i < 100; i++) expect([...groupOf.subarray(3 * i, 3 * i + 3)]).toEqual([3 * i, 3 * i, 3 * i + 2])
  })
})

const corpus = Array.from({ length: 60 }, (_, i) => prose(40 + i * 7, "c", i).join(" "))

describe("split by document", () => {
  it("every document is on exactly one side, about a tenth of the bytes is held out, and it is said", async () => {
    const split = await splitOf(corpus)
    const [train, valid] = [await side(corpus, split, "train"), await side(corpus, split, "valid")]
    expect([...train, ...valid].sort()).toEqual([...corpus].sort())
    const share = valid.join("").length / corpus.join("").length
    expect(share).toBeGreaterThan(0.08)
    expect(share).toBeLessThan(0.125)
    expect(split.notes.join("\n")).toMatch(/held out \d+ documents of 60/)
  })

  it("the split depends on content and seed, not on order or names, and hardly on other documents", async () => {
    const held = (split: Split) => split.heldOut.map((one) => one.sha256).sort()
    const split = await splitOf(corpus)
    const renamed = [...corpus].reverse().map((text, i) => ({ id: `other ${i}`, text }))
    expect(held(await splitOf(renamed))).toEqual(held(split))
    expect(held(await splitOf(corpus, { seed: 2 }))).not.toEqual(held(split))
    const more = held(await splitOf([...corpus, prose(100, "new").join(" ")]))
    expect(held(split).filter((hash) => !more.includes(hash)).length).toBeLessThanOrEqual(1)
  })

  it("near-duplicates and copies never lie on both sides, and a copy is used once unless kept", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.array(fc.nat(19), { minLength: 5, maxLength: 15 }), async (seed, copied) => {
        const words = Array.from({ length: 20 }, (_, i) => prose(150, "p", i))
        const tagged = words.map((list, i) => ({ id: `${i}`, text: list.join(" ") }))
        for (const i of copied) tagged.push({ id: `${i}`, text: words[i]!.join(" ") })
        for (const i of copied) tagged.push({ id: `${i}`, text: edited(words[i]!, 75).join(" ") })
        for (const duplicates of ["drop", "keep"] as const) {
          const split = await splitOf(tagged, { seed, duplicates })
          const ids = { train: new Set<string>(), valid: new Set<string>() }
          for (const which of ["train", "valid"] as const)
            for await (const { id } of documentsOf(toSource(tagged), split, which)) ids[which].add(id)
          expect([...ids.train].filter((id) => ids.valid.has(id))).toEqual([])
          expect(ids.train.size + ids.valid.size).toBe(20)
          expect(split.counts.exactDuplicates).toBe(2 * copied.length - 2 * new Set(copied).size + new Set(copied).size)
          const train = await side(tagged, split, "train")
          if (duplicates === "drop") expect(new Set(train).size).toBe(train.length)
        }
      }),
      { numRuns: 15 },
    )
  })

  it("a stored split finds its held-out part again, and says when the data has changed", async () => {
    const split = JSON.parse(JSON.stringify(await splitOf(corpus))) as Split
    expect(split).toEqual(await splitOf(corpus))
    const valid = await side(corpus, split, "valid")
    expect(valid.length).toBe(split.heldOut.length)
    const changed = corpus.map((text) => (text === valid[0] ? `${text}!` : text))
    await expect(side(changed, split, "valid")).rejects.toThrow(/the data changed/)
  })

  it("documents that all resemble each other are cut at their ends instead, and that is said", async () => {
    const texts = Array.from({ length: 12 }, (_, i) => `${prose(400, "same").join(" ")} ${i}`)
    const split = await splitOf(texts)
    expect(split.method).toBe("ends")
    expect(split.notes.join()).toContain("resemble")
  })
})

describe("the ends of few documents", () => {
  it("fewer than ten documents: the last tenth of each, nothing lost, at a paragraph, said aloud", async () => {
    const texts = Array.from({ length: 3 }, (_, d) =>
      Array.from({ length: 50 }, (_, p) => prose(30, d, p).join(" ")).join("\n\n"),
    )
    const split = await splitOf(texts)
    const [train, valid] = [await side(texts, split, "train"), await side(texts, split, "valid")]
    for (const [i, whole] of texts.entries()) {
      expect(train[i]! + valid[i]!).toBe(whole)
      expect(train[i]!.endsWith("\n\n")).toBe(true)
      expect(Math.abs(train[i]!.length / whole.length - 0.9)).toBeLessThan(0.025)
    }
    expect(split.notes.join()).toMatch(/last 10 % of each document, cut at a paragraph: 3 documents, fewer than 10/)
  })

  it("the cut lies after a blank line, else a line, else a space, and never inside a character", () => {
    const at = { fraction: 0.5, boundary: "paragraph" } as const
    const padded = (middle: string) => "a".repeat(100) + middle + "b".repeat(100)
    expect(cutPosition(padded("xx\r\n\r\nyy zz"), at)).toBe(106)
    expect(cutPosition(padded("xx\nyy zz"), at)).toBe(103)
    expect(cutPosition(padded("xx yy"), at)).toBe(103)
    expect(cutPosition(padded("xxxx"), at)).toBe(102)
    expect(cutPosition("🐦".repeat(5), { fraction: 0.5, boundary: "exact" }) % 2).toBe(0)
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 2 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        (text, fraction) => {
          for (const boundary of ["exact", "paragraph"] as const) {
            const cut = cutPosition(text, { fraction, boundary })
            expect(text.slice(0, cut).isWellFormed() && text.slice(cut).isWellFormed()).toBe(true)
          }
        },
      ),
    )
  })

  it("a text too short to divide, and none at all, are refused in one sentence", async () => {
    await expect(splitOf(["", ""])).rejects.toThrow(/no text in text/)
    await expect(splitOf(["abc"])).rejects.toThrow(/too short: expected at least 10 characters, got 3/)
    await expect(splitOf(corpus, { validFraction: 1.5 })).rejects.toThrow(
      /validFraction must lie between 0 and 1, got 1.5/,
    )
  })

  it.skipIf(!existsSync(SHAKESPEARE))(
    "tiny-shakespeare can be cut exactly as published: 1,003,854 and 111,540",
    async () => {
      const source = files(SHAKESPEARE)
      const facts = await survey(source)
      expect(facts[0]).toMatchObject({ bytes: 1115394, characters: 1115394 })
      for (const boundary of ["exact", "paragraph"] as const) {
        const split = await makeSplit(source, facts, { splitAt: { fraction: 0.9, boundary } })
        const sizes: number[] = []
        for (const which of ["train", "valid"] as const)
          for await (const { text } of documentsOf(source, split, which)) sizes.push(text.length)
        if (boundary === "exact") expect(sizes).toEqual([1003854, 111540])
        else expect(Math.abs(sizes[0]! - 1003854)).toBeLessThan(1000)
      }
    },
  )
})

describe("validation text of one's own", () => {
  it("copies and near-copies of it leave the training text, and it is said", async () => {
    const valid = [prose(200, "v1").join(" "), prose(200, "v2").join(" ")]
    const train = [...corpus, valid[0]!, edited(prose(200, "v2"), 100).join(" ")]
    const split = givenSplit(await survey(toSource(train)), await survey(toSource(valid)))
    expect((await side(train, split, "train")).sort()).toEqual([...corpus].sort())
    expect(split.notes.join()).toMatch(/2 training documents .*left out of training/)
    const kept = givenSplit(await survey(toSource(train)), await survey(toSource(valid)), { duplicates: "keep" })
    expect(await side(train, kept, "train")).toHaveLength(train.length)
  })

  it("training only on the validation text is refused", async () => {
    const facts = await survey(toSource(corpus))
    expect(() => givenSplit(facts, facts)).toThrow(DataError)
  })
})
