// Laws of overlap: it is what a slow search over lists of words finds, to the word and to the byte.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { platform } from "#platform"
import { ConfigError } from "../../core/index.ts"
import { BLOCK_BYTES, type DocumentScore } from "../score/document-score.ts"
import { contamination } from "./contamination.ts"
import { cleanPart, strippedScore } from "./stripped.ts"

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/** Words of `test` that lie in a run which some training document has; slowly. */
function coveredSlowly(train: readonly string[], test: string, length: number): number {
  const words = wordsOf(test)
  const run = Math.min(length, words.length)
  const spaced = train.map((text) => ` ${wordsOf(text).join(" ")} `)
  const covered = words.map(() => false)
  for (let i = 0; run > 0 && i + run <= words.length; i++) {
    const wanted = ` ${words.slice(i, i + run).join(" ")} `
    if (spaced.some((text) => text.includes(wanted))) covered.fill(true, i, i + run)
  }
  return covered.filter(Boolean).length
}

const aText = fc
  .array(fc.constantFrom("Wren", "the", "kinglet,", "SINGS!", "—", "über", "7"), { maxLength: 25 })
  .map((words) => words.join(" "))

describe("contamination", () => {
  it("covers the words that a slow search covers", async () => {
    const lists = fc.array(aText, { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(lists, lists, fc.integer({ min: 1, max: 4 }), async (train, test, words) => {
        const found = await contamination(train, test, { words })
        const covered = test.map((text) => coveredSlowly(train, text, words))
        expect(found.coveredWords).toBe(covered.reduce((sum, count) => sum + count, 0))
        expect(found.touched.map(({ id }) => id)).toEqual(
          covered.flatMap((count, k) => (count > 0 ? [`text-${k + 1}`] : [])),
        )
      }),
    )
  })

  it("a run is found in other case and punctuation; its bytes are those of the test text", async () => {
    const run = "Eins zwei drei, vier fünf sechs sieben acht neun zehn elf zwölf dreizehn"
    const test = `Ä — ${run.toUpperCase()}! Ende gut`
    const found = await contamination([`vorher ${run.replaceAll(" ", "\n")} nachher`], [test])
    expect(found.coveredWords).toBe(13)
    const bytes = new TextEncoder().encode(test)
    const [{ start, end }] = found.touched[0]!.spans as [{ start: number; end: number }]
    expect(new TextDecoder().decode(bytes.subarray(start, end))).toBe(run.toUpperCase())
    expect(found.examples).toEqual([{ testId: "text-1", trainId: "text-1", text: run.toUpperCase() }])
  })

  it("twelve words in a row are none, and no run crosses from one training document into the next", async () => {
    const words = Array.from({ length: 13 }, (_, i) => `w${i}`)
    const test = [["x", ...words, "y"].join(" ")]
    expect((await contamination([words.slice(0, 12).join(" ")], test)).share).toBe(0)
    expect((await contamination([words.slice(0, 6).join(" "), words.slice(6).join(" ")], test)).share).toBe(0)
    expect((await contamination([words.join(" ")], test)).share).toBeCloseTo(13 / 15, 12)
  })

  it("an item that is shorter is looked up whole, and that is counted", async () => {
    const found = await contamination(["he said the cat sleeps here"], ["The cat sleeps.", "The cat sings."])
    expect(found).toMatchObject({ shortDocuments: 2, coveredWords: 3, testWords: 6, fires: true })
  })

  it("fires above 1 % of the words", async () => {
    const words = Array.from({ length: 2000 }, (_, i) => `w${i}`)
    const share = async (count: number) => contamination([words.slice(0, count).join(" ")], [words.join(" ")])
    expect(await share(20)).toMatchObject({ share: 0.01, fires: false })
    expect(await share(21)).toMatchObject({ fires: true })
  })

  it("without words nothing is shared; a length that is none is refused", async () => {
    expect(await contamination([], ["..."])).toMatchObject({ share: 0, testWords: 0, fires: false })
    await expect(contamination(["a"], ["a"], { words: 0 })).rejects.toThrow(ConfigError)
  })
})

describe("the stripped score", () => {
  const block = (word: string) => `${word} `.repeat(BLOCK_BYTES / (word.length + 1))
  const leaked = Array.from({ length: 13 }, (_, i) => `leak${i}`).join(" ")
  const third = `${leaked} ${block("gamma")}`.slice(0, BLOCK_BYTES)
  const text = block("beta") + third + "é".repeat(3000)

  async function scoreOf(text: string, blockNats: readonly number[], lacking = 0): Promise<DocumentScore> {
    const bytes = new TextEncoder().encode(text)
    const sum = blockNats.reduce((a, b) => a + b, 0)
    const sizes = { tokens: 1, characters: 1, bytes: bytes.length - lacking }
    return { id: "x", sha256: await platform.sha256(bytes), nats: sum, ...sizes, blockNats }
  }

  it("leaves out blocks that share a run and keeps the others, to the byte", async () => {
    const found = await contamination([leaked], [text, "short"])
    const scores = [await scoreOf(text, [5000, 1, 4000], 2), await scoreOf("short", [3])]
    const stripped = strippedScore(scores, found)
    expect(stripped.bytes).toBe(BLOCK_BYTES - 2 + 6000 + 5)
    expect(stripped.strippedBytes).toBe(BLOCK_BYTES)
    expect(stripped.bitsPerByte).toBeCloseTo(9003 / Math.LN2 / stripped.bytes, 12)
    expect(stripped.wholeBitsPerByte).toBeCloseTo(9004 / Math.LN2 / (BLOCK_BYTES - 2 + 16_000 + 5), 12)
    expect(stripped.noInterval).toMatch(/20/)
  })

  it("a first block that goes takes no more bytes than were predicted of it", async () => {
    const early = third + block("beta")
    const stripped = strippedScore([await scoreOf(early, [9, 70], 4)], await contamination([leaked], [early]))
    expect(stripped).toMatchObject({ bytes: BLOCK_BYTES, strippedBytes: BLOCK_BYTES - 4 })
    expect(stripped.bitsPerByte).toBeCloseTo(70 / Math.LN2 / BLOCK_BYTES, 12)
  })

  it("of a text that stands whole in the training text nothing is left", async () => {
    const found = await contamination([text], [text])
    const stripped = strippedScore([await scoreOf(text, [1, 2, 3])], found)
    expect(stripped).toMatchObject({ bitsPerByte: undefined, bytes: 0, strippedBytes: 26_000 })
    expect(stripped.wholeBitsPerByte).toBeCloseTo(6 / Math.LN2 / 26_000, 12)
  })

  it("the clean part is what lies between touched blocks, in whole characters", async () => {
    const found = await contamination([leaked], [text, "short"])
    const parts: string[] = []
    for await (const document of cleanPart([text, "short"], found)) parts.push(document.text)
    expect(parts).toEqual([block("beta"), "é".repeat(3000), "short"])
  })
})
