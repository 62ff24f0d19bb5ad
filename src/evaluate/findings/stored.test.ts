import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FormatError } from "../../core/index.ts"
import type { CrossDomainFindings, Findings } from "./findings.ts"
import { parseFindings, parseTextFindings, serializeFindings, withShortHashes } from "./stored.ts"
import { findingsOf, scoreOf } from "./testing.ts"

const documents = [scoreOf("a", 700), scoreOf("b", 1200, 25_000), scoreOf("c", 0.5, 3)]
const findings = findingsOf(documents)

const damaged = (change: (json: Record<string, never>) => void): string => {
  const json = JSON.parse(serializeFindings(findings)) as Record<string, never>
  change(json)
  return JSON.stringify(json)
}

describe("findings", () => {
  it("are the same after a file, but that documents are named by 16 digits of their hash", () => {
    const back = parseTextFindings(serializeFindings(findings), "f.json")
    const named = withShortHashes(documents).map((document) => ({ ...document, id: document.sha256 }))
    expect(back).toEqual({ ...findings, result: { ...findings.result, documents: named } })
  })

  it("keep any finite nats exactly, and an infinite loss as one", () => {
    const nats = fc.oneof(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), fc.constant(Infinity))
    fc.assert(
      fc.property(fc.array(nats, { minLength: 1, maxLength: 5 }), (values) => {
        const text = serializeFindings(findingsOf(values.map((value, at) => scoreOf(`d${at}`, value))))
        expect(parseTextFindings(text, "f.json").result.documents.map((one) => one.nats)).toEqual(values)
      }),
    )
  })

  it("of a matrix are the same after a file", () => {
    const matrix: CrossDomainFindings = {
      ...findings,
      kind: "cross-domain",
      result: {
        rows: [{ name: "a", sha256: "x", own: 0 }],
        columns: [findings.data, { ...findings.data, name: "b" }],
        cells: [[{ bitsPerByte: 2 }, { unreadable: "the character é is not in the vocabulary" }]],
      },
    }
    expect(parseFindings(serializeFindings(matrix), "f.json")).toEqual(matrix)
  })

  it("of a suite keep fields they do not know", () => {
    const result = { name: "blimp", accuracy: 0.6, more: [1] }
    const suite: Findings = { ...findings, kind: "suite", result }
    expect(parseFindings(serializeFindings(suite), "f.json")).toEqual(suite)
  })

  it.each<[string, string, RegExp]>([
    ["no JSON", "{", /f\.json is damaged: it is no JSON/],
    ["an array", "[]", /f\.json is damaged: it must be an object, got \[\]/],
    ["another kind", damaged((json) => Object.assign(json, { kind: "poem" })), /kind must be one of text, suite/],
    ["no model", damaged((json) => delete json["model"]), /model must be an object, got nothing/],
    [
      "a missing number",
      damaged(({ model }) => delete model["parameters"]),
      /model\.parameters must be a number, got nothing/,
    ],
    [
      "an inherited field",
      damaged((json) => Object.assign(json, { data: JSON.parse('{"__proto__":{"name":"x"}}') as object })),
      /data\.name must be a string, got nothing/,
    ],
    ["a time that is none", damaged((json) => Object.assign(json, { when: "soon" })), /when must be a time/],
    [
      "columns of different lengths",
      damaged(({ result }) => (result["documents"]["nats"] as unknown[]).pop()),
      /result\.documents\.nats must be an array of 3/,
    ],
    [
      "a word among numbers",
      damaged(({ result }) => ((result["documents"]["bytes"] as unknown[])[1] = "many")),
      /result\.documents\.bytes must be numbers/,
    ],
    [
      "more blocks than bytes",
      damaged(({ result }) => ((result["documents"]["blockNats"] as unknown[])[0] = [1, 2, 3, 4])),
      /result\.documents\.blockNats must be a number for each 10000 bytes/,
    ],
  ])("with %s are refused, and the sentence says where", (_, text, message) => {
    expect(() => parseFindings(text, "f.json")).toThrow(FormatError)
    expect(() => parseFindings(text, "f.json")).toThrow(message)
  })

  it.each<[string, Findings["kind"], object, RegExp]>([
    ["phenomena that are none", "suite", { phenomena: "abc" }, /result\.phenomena must be an array, got "abc"/],
    [
      "a phenomenon without accuracy",
      "suite",
      { phenomena: [{ name: "p" }] },
      /result\.phenomena\[0\]\.accuracy must be/,
    ],
    [
      "a published name that is none",
      "suite",
      { published: [{ name: 5, accuracy: 1 }] },
      /published\[0\]\.name must be/,
    ],
    ["half an interval", "suite", { interval: { low: 1 } }, /result\.interval\.high must be a number, got nothing/],
    ["parts that are no list", "generalization", { sentence: "s", parts: {} }, /result\.parts must be an array/],
    [
      "a part that neither fires nor is quiet",
      "generalization",
      { sentence: "s", parts: [{ name: "p", value: 1 }] },
      /result\.parts\[0\]\.fires must be a boolean, got nothing/,
    ],
    [
      "bins that are no list",
      "text",
      { reliability: { bins: 5 } },
      /result\.reliability\.bins must be an array, got 5/,
    ],
    ["a baseline without a title", "text", { baselines: [{ name: "b" }] }, /result\.baselines\[0\]\.title must be/],
    [
      "bits that are a word",
      "text",
      { baselines: [{ name: "b", title: "b", bitsPerByte: "2" }] },
      /result\.baselines\[0\]\.bitsPerByte must be a number, got "2"/,
    ],
  ])("with %s are refused, and the sentence says where", (_, kind, change, message) => {
    const json = JSON.parse(serializeFindings(findings)) as { result: object }
    const result = kind === "text" ? { ...json.result, ...change } : { name: "blimp", accuracy: 0.6, ...change }
    expect(() => parseFindings(JSON.stringify({ ...json, kind, result }), "f.json")).toThrow(FormatError)
    expect(() => parseFindings(JSON.stringify({ ...json, kind, result }), "f.json")).toThrow(message)
  })

  it("keep a baseline of infinite loss as one without bits, and the commit that measured", () => {
    const baselines = [
      { name: "b", title: "b", unit: "byte", bitsPerByte: Infinity, natsPerUnit: 1, seconds: 1 } as const,
    ]
    const stored = serializeFindings({ ...findings, commit: "abc", result: { ...findings.result, baselines } })
    const back = parseTextFindings(stored, "f.json")
    expect(back.commit).toBe("abc")
    expect(back.result.baselines).toEqual([{ name: "b", title: "b", unit: "byte", natsPerUnit: 1, seconds: 1 }])
  })

  it("of a newer version say so", () => {
    expect(() =>
      parseFindings(
        damaged((json) => Object.assign(json, { version: 2 })),
        "f.json",
      ),
    ).toThrow(/expected findings of version 1, got 2/)
  })

  it("of another kind are no findings about a text", () => {
    const suite: Findings = { ...findings, kind: "suite", result: { name: "blimp", accuracy: 0.6 } }
    expect(() => parseTextFindings(serializeFindings(suite), "f.json")).toThrow(/kind "suite".* needs kind "text"/)
  })
})
