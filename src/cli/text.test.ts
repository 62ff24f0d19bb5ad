import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fit, oneLine, padEnd, padStart, printable, widthOf, wrap } from "./text.ts"

describe("text in cells", () => {
  it("counts what is seen: no color codes, combined characters once, wide ones twice", () => {
    expect(widthOf("\x1b[31mred\x1b[39m")).toBe(3)
    expect(widthOf("e\u0301")).toBe(1)
    expect(widthOf("日本")).toBe(4)
    expect(widthOf("🐦")).toBe(2)
  })

  it("cut text never is wider than asked, and text that fits is left alone", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 40 }), (text, width) => {
        const cut = fit(text, width)
        expect(widthOf(cut)).toBeLessThanOrEqual(width)
        if (widthOf(text) <= width) expect(cut).toBe(text)
      }),
    )
  })

  it("wrapped lines fit and lose no word that fits", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,9}$/)), fc.integer({ min: 9, max: 30 }), (words, width) => {
        const lines = wrap(words.join(" "), width)
        expect(lines.join(" ")).toBe(words.join(" "))
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
      }),
    )
  })

  it("pads to a width and leaves longer text alone", () => {
    expect([padEnd("ab", 4), padStart("ab", 4), padEnd("abcde", 4)]).toEqual(["ab  ", "  ab", "abcde"])
  })

  it("no sample can move the cursor", () => {
    expect(printable("a\x1b[2Jb\r\n\tc\x9b")).toBe("a�[2Jb�\n\tc�")
    expect(oneLine(" a\n\n b\tc ")).toBe("a ⏎ b c")
  })
})
