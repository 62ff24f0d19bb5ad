// What we write is read alike by Hugging Face's own JavaScript tokenizer.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { Tokenizer as Theirs } from "@huggingface/tokenizers"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bytesTokenizer, charactersTokenizer, type Tokenizer, trainBpe } from "./index.ts"

const data = process.env["KINGLET_DATA"] ?? join(import.meta.dirname, "../../../shared/data")
const french = join(data, "eltec-fra.jsonl.gz")
const shakespeare = join(data, "tiny-shakespeare.txt")
const missing = [french, shakespeare].filter((path) => !existsSync(path))
if (missing.length > 0)
  console.warn(`skipped: 10,000 lines through Hugging Face's tokenizer; missing ${missing.join(", ")}`)

const SAMPLE = "the cat sat on the mat; the other cat's hat — ça va? 漢字 😀\n\n\tthe end. __proto__ 0 1 2"
const theirs = (tokenizer: Tokenizer) =>
  new Theirs(JSON.parse(tokenizer.toJson()), { clean_up_tokenization_spaces: false })

/** Their white space is JavaScript's, ours is Unicode's: two characters differ. */
const isSpaceInBoth = (text: string): boolean => !/[\u0085\ufeff]/.test(text)
const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("the  cat's\n\n hat ", "__proto__", "constructor"),
)

function expectSame(ours: Tokenizer, text: string): void {
  const other = theirs(ours)
  const ids = [...ours.encode(text, { allowSpecial: true })]
  expect(other.encode(text).ids).toEqual(ids)
  if (ids.length > 0) expect(other.decode(ids, { skip_special_tokens: true })).toBe(ours.decode(ids))
}

describe("Hugging Face's tokenizer reads ours alike", () => {
  it("bytes", () => {
    const ours = bytesTokenizer()
    const other = theirs(ours)
    fc.assert(
      fc.property(anyText, (text) => {
        expect(other.encode(text).ids).toEqual([...ours.encode(text)])
      }),
    )
    expectSame(ours, SAMPLE)
  })

  it("characters", async () => {
    const ours = await charactersTokenizer([SAMPLE])
    expectSame(ours, SAMPLE)
    expectSame(ours, `the${[...SAMPLE].reverse().join("")}<|endoftext|>`)
  })

  it("byte-pair encoding", async () => {
    const ours = await trainBpe([SAMPLE.repeat(2)], { vocabSize: 300 })
    const other = theirs(ours)
    fc.assert(
      fc.property(anyText.filter(isSpaceInBoth), (text) => {
        expect(other.encode(text).ids).toEqual([...ours.encode(text)])
      }),
      { numRuns: 500 },
    )
    expectSame(ours, `${SAMPLE}<|endoftext|>${SAMPLE}`)
  })

  it.skipIf(missing.length > 0)("10,000 lines of English and French", async () => {
    const novels = gunzipSync(readFileSync(french)).toString().split("\n", 2)
    const lines = [
      ...readFileSync(shakespeare, "utf8").split("\n").slice(0, 6000),
      ...novels.flatMap((line) => (JSON.parse(line) as { text: string }).text.split("\n")).slice(0, 4000),
    ]
    expect(lines).toHaveLength(10_000)
    const ours = await trainBpe(lines, { vocabSize: 2048 })
    const other = theirs(ours)
    for (const line of lines) expect(other.encode(line).ids).toEqual([...ours.encode(line)])
  })

  it.skipIf(missing.length > 0)("tiny-shakespeare has exactly 65 characters", async () => {
    const ours = await charactersTokenizer([readFileSync(shakespeare, "utf8")], { specialTokens: [] })
    expect(ours.vocabSize).toBe(65)
    expect(ours.endOfText).toBeUndefined()
  })
})
