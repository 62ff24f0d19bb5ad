import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { endOfWord } from "./pre-tokenize.ts"

/** GPT-2's rule as a regular expression, with Unicode's white space. */
const RULE =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu

function words(text: string, limit?: (at: number) => number): string[] {
  const found: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = endOfWord(text, at, limit?.(at))
    found.push(text.slice(at, end))
    at = end
  }
  return found
}

/** Characters at which the rule decides something, drawn often. */
const telling = fc.constantFrom(
  ..." '\n\t\r\u0085\u00a0\u2003\u3000\ufeff\u200b_.,-’",
  ..."strevmld SLaé1٣Ⅷ½漢ｱ",
  "😀",
  "𝒳",
  "𝟘",
  "e\u0301",
  "'s",
  "'ll",
  " 'll",
  "  ",
  "don't",
)
const texts = fc
  .array(fc.oneof({ weight: 3, arbitrary: telling }, fc.string({ unit: "binary" })), { maxLength: 30 })
  .map((parts) => parts.join(""))

describe("cutting text into words", () => {
  it("gives what the rule gives as a regular expression", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(words(text)).toEqual(text.match(RULE) ?? [])
      }),
      { numRuns: 3000 },
    )
  })

  it("gives what the rule gives for each pair of assigned characters of the basic plane around a space", () => {
    for (let code = 0; code < 0xd800; code += 7) {
      const text = `a${String.fromCharCode(code)} ${String.fromCharCode(code)}\n${String.fromCharCode(code)}'s`
      expect(words(text)).toEqual(text.match(RULE))
    }
  })

  it.each([
    ["Hello  world's 3 cats!\n\n x", ["Hello", " ", " world", "'s", " 3", " cats", "!", "\n\n", " x"]],
    ["'tis I'LL we'll", ["'t", "is", " I", "'", "LL", " we", "'ll"]],
    ["a\u00a0b", ["a", "\u00a0", "b"]],
    ["  ", ["  "]],
    ["", []],
  ])("%j", (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it("a limit cuts long words and loses nothing", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 5 }), (text, most) => {
        expect(words(text, (at) => Math.min(text.length, at + most)).join("")).toBe(text)
      }),
    )
  })

  it("takes time in proportion to the text, however long a word", () => {
    for (const unit of ["a", " ", "\n", "'", "1", "😀", " \n"]) {
      const text = unit.repeat(2e6 / unit.length)
      expect(words(text, (at) => Math.min(text.length, at + 1024)).join("").length).toBe(text.length)
    }
  })
})
