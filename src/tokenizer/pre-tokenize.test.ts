import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { endOfWord } from "./pre-tokenize.ts"

/** GPT-2's rule as a regular expression, with Unicode's white space. */
const RULE =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** `most`: bytes after which a word is cut. */
function words(text: string, most = Infinity): string[] {
  const utf8 = encoder.encode(text)
  const found: string[] = []
  for (let at = 0; at < utf8.length; ) {
    const end = endOfWord(utf8, at, Math.min(utf8.length, at + most))
    found.push(decoder.decode(utf8.subarray(at, end)))
    at = end
  }
  return found
}

/** What the rule finds. Half of a surrogate pair has no UTF-8; U+FFFD, which stands for it, is of the same class. */
const byRule = (text: string): string[] => (text.match(RULE) ?? []).map((word) => word.toWellFormed())

/** Characters at which the rule decides something, drawn often. */
const telling = fc.constantFrom(
  ..." '\n\t\r\u0085\u00a0\u1680\u2003\u2028\u3000\ufeff\u200b_.,-’",
  ..."strevmld SLaé1٣Ⅷ½漢ｱ",
  "😀",
  "👩‍👩‍👧",
  "𝒳",
  "𝟘",
  "e\u0301\u0301",
  "\ud800",
  "\udc00",
  "'s",
  "'ll",
  " 'll",
  "  ",
  "don't",
)
/** Any sixteen bits, alone: nearly half of them astral characters in halves. */
const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))
const anything = fc.oneof({ weight: 3, arbitrary: telling }, fc.string({ unit: "binary" }), anyUnit)
const texts = fc.array(anything, { maxLength: 30 }).map((parts) => parts.join(""))

describe("cutting text into words", () => {
  it("gives what the rule gives as a regular expression, halves of surrogate pairs included", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(words(text)).toEqual(byRule(text))
      }),
      { numRuns: 5000 },
    )
  })

  it("gives what the rule gives around characters of all planes", () => {
    for (let code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 61) {
      const character = String.fromCodePoint(code)
      const text = `a${character} ${character}\n${character}'s ${character}${character}  ${character}1`
      expect(words(text)).toEqual(byRule(text))
    }
  })

  it.each([
    ["Hello  world's 3 cats!\n\n x", ["Hello", " ", " world", "'s", " 3", " cats", "!", "\n\n", " x"]],
    ["'tis I'LL we'll", ["'t", "is", " I", "'", "LL", " we", "'ll"]],
    ["a\u00a0b", ["a", "\u00a0", "b"]],
    ["a\u3000\u3000b", ["a", "\u3000", "\u3000", "b"]],
    ["  ", ["  "]],
    ["", []],
  ])("%j", (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  it("a limit cuts long words between characters and loses nothing", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 5 }), (text, most) => {
        const cut = words(text, most)
        expect(cut.join("")).toBe(text.toWellFormed())
        for (const word of cut) expect(encoder.encode(word).length).toBeLessThanOrEqual(most + 4)
      }),
    )
  })
})

/** Most reads of a byte, on average over a text: known are 6, for a text of nothing but contractions that are none. */
const MOST_READS = 8

/** Cuts `text` into words, with every read of a byte counted; fails at the first that is one too many. */
function expectFewReads(text: string, most: number): void {
  const bytes = encoder.encode(text)
  let left = MOST_READS * bytes.length
  const watched = new Proxy(bytes, {
    get(target, key) {
      if (key !== "length" && left-- === 0)
        throw new Error(`more than ${MOST_READS} reads a byte of ${text.slice(0, 20)} …`)
      return Reflect.get(target, key, target) as unknown
    },
  })
  for (let at = 0; at < bytes.length; ) at = endOfWord(watched, at, Math.min(bytes.length, at + most))
}

describe("the work of cutting is in proportion to the text", () => {
  it("for any text, repeated", () => {
    const limits = fc.constantFrom(7, 1024, Infinity)
    const unit = fc.array(anything, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""))
    fc.assert(
      fc.property(unit, unit, fc.integer({ min: 1, max: 50 }), limits, (first, second, times, most) => {
        expectFewReads(first.repeat(times) + second.repeat(times) + first, most)
      }),
      { numRuns: 1000 },
    )
  })

  it.each(["a", " ", "\n", "'", "1", " \n", "\n ", "\u3000", "e\u0301", "😀", "'a", "'l", "a1"])("for %j", (unit) => {
    for (const end of ["", "x", "\n", "\n\n\tx"]) expectFewReads(unit.repeat(1e4) + end, Infinity)
  })
})
