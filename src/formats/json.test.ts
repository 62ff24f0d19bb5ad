import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FormatError } from "../core/index.ts"
import { parseJsonStrictly } from "./index.ts"

/** Maps back to objects, own keys only, so that `__proto__` is a key like any other. */
function toObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toObjects)
  if (!(value instanceof Map)) return value
  return Object.fromEntries([...(value as Map<string, unknown>)].map(([key, item]) => [key, toObjects(item)]))
}

/** Either both read the same value, or ours refuses with a FormatError. */
function outcome(text: string): { value: unknown } | "refused" {
  try {
    return { value: toObjects(parseJsonStrictly(text)) }
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError)
    return "refused"
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const documents = fc.jsonValue({ maxDepth: 5, stringUnit: "binary" })
const spacing = fc.constantFrom(undefined, 1, 2, "\t", "\n\r ")

describe("parseJsonStrictly", () => {
  it("equals JSON.parse on every document that JSON.stringify writes, as text and as bytes", () => {
    fc.assert(
      fc.property(documents, spacing, (value, space) => {
        const text = JSON.stringify(value, undefined, space)
        expect(toObjects(parseJsonStrictly(text))).toEqual(JSON.parse(text))
        expect(toObjects(parseJsonStrictly(new TextEncoder().encode(text)))).toEqual(JSON.parse(text))
      }),
    )
  })

  it("reads every way to write a number or a string as JSON.parse does", () => {
    const texts = [
      "-0",
      "1e5",
      "1E-5",
      "0.5",
      "1e400",
      "9".repeat(600),
      `"\\u00e9\\n\\/\\ud83d\\ude00"`,
      '"\u2028"',
      " \t[1 ,\r2]\n",
    ]
    for (const text of texts) expect(parseJsonStrictly(text)).toEqual(JSON.parse(text))
  })

  it("accepts exactly what JSON.parse accepts, of texts damaged in one place", () => {
    fc.assert(
      fc.property(documents, fc.nat(), fc.constantFrom(...'{}[]",:\\u0-1.e+tn\u0000 '), (value, place, char) => {
        const text = JSON.stringify(value)
        const at = place % (text.length + 1)
        for (const damaged of [
          text.slice(0, at),
          text.slice(0, at) + char + text.slice(at),
          text.slice(0, at) + char + text.slice(at + 1),
        ]) {
          const result = outcome(damaged)
          if (result !== "refused") expect(result.value).toEqual(JSON.parse(damaged))
          // Ours refuses one thing more: a key given twice.
          else if (isJson(damaged)) expect(() => parseJsonStrictly(damaged)).toThrow("given twice")
        }
      }),
      { numRuns: 500 },
    )
  })

  it("refuses what JavaScript would let pass", () => {
    const texts = [
      "",
      " ",
      "01",
      "+1",
      ".5",
      "1.",
      "1e",
      "NaN",
      "Infinity",
      "'a'",
      "{a:1}",
      "[1,]",
      '{"a":1,}',
      "tru",
      "truex",
      "nul",
      "// x",
      "[1 2]",
      '{"a" 1}',
    ]
    for (const text of [
      ...texts,
      '"\t"',
      '"\\x41"',
      '"\\u12g4"',
      '"\\u+123"',
      '"a',
      '"\\',
      "\ufeff1",
      "1 1",
      "]",
      "\u00a01",
    ])
      expect(outcome(text), text).toBe("refused")
  })

  it("keeps every key, and refuses a key given twice, however it is spelled", () => {
    expect([...(parseJsonStrictly('{"__proto__":1,"1":2,"0":3}') as Map<string, unknown>)]).toEqual([
      ["__proto__", 1],
      ["1", 2],
      ["0", 3],
    ])
    for (const text of [
      '{"a":1,"a":1}',
      '{"__proto__":1,"__proto__":2}',
      '{"a":1,"\\u0061":2}',
      '[{"":{"x":0,"x":0}}]',
    ])
      expect(() => parseJsonStrictly(text)).toThrow("given twice")
  })

  it("lone surrogates come through as escapes say, and are no UTF-8", () => {
    expect(parseJsonStrictly('"\\ud800"')).toBe("\ud800")
    expect(parseJsonStrictly('"\\udc00\\ud800x"')).toBe("\udc00\ud800x")
    expect(() => parseJsonStrictly(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toThrow(FormatError)
    expect(() => parseJsonStrictly(Uint8Array.of(0x22, 0xff, 0x22))).toThrow("not UTF-8")
  })

  it("nesting has a limit long before the stack has", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
    expect(parseJsonStrictly(nested(64))).toHaveLength(1)
    for (const text of [nested(66), nested(1e6), "[".repeat(1e6), '{"a":'.repeat(1e5)])
      expect(() => parseJsonStrictly(text)).toThrow("nested deeper than 64")
  })

  it("says at which byte it gave up, counted from the start of the file", () => {
    const bytes = new TextEncoder().encode('["é", x]')
    expect(() => parseJsonStrictly(bytes, 8)).toThrow(/at byte 15/)
  })
})
