import fc from "fast-check"
import { expect, it } from "vitest"
import { endOfWellFormedUtf8, utf8SequenceLength } from "./index.ts"

const strict = new TextDecoder("utf-8", { fatal: true })
const isWellFormed = (bytes: Uint8Array): boolean => {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}
/** Bytes near the borders of the table are drawn often. */
const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5),
)
const bytes = fc.array(byte, { maxLength: 12 }).map((list) => Uint8Array.from(list))

it("all text is well-formed to its end", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const encoded = new TextEncoder().encode(text)
      expect(endOfWellFormedUtf8(encoded)).toBe(encoded.length)
    }),
    { numRuns: 300 },
  )
})

it("the first bad byte is where the strictest decoder stops", () => {
  fc.assert(
    fc.property(bytes, (list) => {
      const end = endOfWellFormedUtf8(list)
      expect(end === list.length).toBe(isWellFormed(list))
      expect(isWellFormed(list.subarray(0, end))).toBe(true)
      for (let more = 1; more <= 4 && end + more <= list.length; more++)
        expect(isWellFormed(list.subarray(end, end + more))).toBe(false)
    }),
    { numRuns: 5000 },
  )
})

it("every character has the length its code point asks for", () => {
  for (const [text, length] of [
    ["a", 1],
    ["é", 2],
    ["€", 3],
    ["\ud7ff", 3],
    ["😀", 4],
    ["\u{10ffff}", 4],
  ] as const)
    expect(utf8SequenceLength(new TextEncoder().encode(text), 0)).toBe(length)
})
