import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FormatError } from "../core/index.ts"
import { findingsOf, scoreOf } from "../evaluate/findings/testing.ts"
import { type Findings, parseFindings, reportHtml, serializeFindings } from "../evaluate/index.ts"
import { defaultRecipe } from "../train/index.ts"
import type { ModelFacts } from "./model-facts.ts"
import { recipeFacts, reportFacts, thinned } from "./report-facts.ts"

const sizes = { hiddenSize: 32, numHiddenLayers: 1, sequenceLength: 16, batchSize: 2, steps: 9 }

describe("a curve for a page", () => {
  it("keeps its first and last point and at most so many", () => {
    const points = thinned(
      Array.from({ length: 1000 }, (_, at) => at),
      7,
    )
    expect(points.length).toBe(7)
    expect(points[0]).toBe(0)
    expect(points.at(-1)).toBe(999)
  })

  it("of few points is as it was", () => {
    expect(thinned([1, 2, 3], 3)).toEqual([1, 2, 3])
  })
})

describe("the recipe of a page", () => {
  const recipe = {
    ...defaultRecipe(sizes),
    explained: { steps: { value: 9, because: "as asked", source: "--steps" } },
  }

  it("has every field once: derived ones first, with their reasons", () => {
    const facts = recipeFacts(recipe)
    expect(facts[0]).toEqual({ key: "steps", value: 9, because: "as asked", source: "--steps" })
    expect(new Set(facts.map(({ key }) => key)).size).toBe(facts.length)
    expect(facts.find(({ key }) => key === "model.hiddenSize")).toEqual({ key: "model.hiddenSize", value: 32 })
  })
})

describe("the facts of a run", () => {
  const text = findingsOf([scoreOf("a", 700)])
  const general = (sentence: string, sha256: string, when: string): Findings => ({
    ...text,
    kind: "generalization",
    data: { ...text.data, sha256 },
    when,
    result: { sentence },
  })
  const factsOf = (findings: readonly Findings[], model: Partial<ModelFacts> = {}) =>
    reportFacts([{ name: "r", model: { parameters: 7, bytes: 28, ...model } as ModelFacts, text, findings }], [], [])

  it("tell generalization to the text that was measured, else the newest", () => {
    const others = [
      general("old", "x", "2024-01-01"),
      general("new", "x", "2025-01-01"),
      general("mid", "x", "2024-06-01"),
    ]
    const sentence = (findings: Findings[]) => factsOf(findings).runs[0]!.generalization!.sentence
    expect(sentence(others)).toBe("new")
    expect(sentence([...others, general("same", text.data.sha256, "2023-01-01")])).toBe("same")
  })

  it("tell the machine that measured, and apart from it the device that trained", () => {
    const device = { kind: "wasm", lanes: 8, choices: { blas: "openblas" } }
    const training = { recipe: defaultRecipe(sizes), device, kinglet: "9.9.9", losses: [], heldOut: [], samples: [] }
    expect(factsOf([], { training } as unknown as ModelFacts).runs[0]!.machine).toEqual({
      engine: "node",
      cores: 2,
      device: "wasm, 2 lanes",
      trainedOn: "wasm, 8 lanes, products by openblas, by kinglet 9.9.9",
      version: "0.1.0",
    })
  })

  const interval = { low: 0.1, high: 0.9, level: 0.95, unit: "item", units: 9 } as const
  const stored: readonly Findings[] = [
    {
      ...text,
      result: {
        ...text.result,
        interval,
        reliability: {
          bins: [{ confidence: 0.5, accuracy: 0.4, count: 9 }],
          expectedCalibrationError: 0,
          accuracy: 0.5,
        },
        baselines: [{ name: "b", title: "b", unit: "byte", bitsPerByte: 2, natsPerUnit: 1, seconds: 1, note: "n" }],
      },
    },
    {
      ...text,
      kind: "suite",
      result: {
        name: "s",
        accuracy: 0.5,
        interval,
        chance: 0.5,
        phenomena: [{ name: "p", accuracy: 0.5, interval }],
        published: [{ name: "other", accuracy: 0.7 }],
        baselines: [{ name: "unigram-bytes", order: 1, accuracy: 0.5, mean: 0.5, note: "n" }],
        verdict: "v",
      },
    },
    {
      ...text,
      kind: "generalization",
      result: { sentence: "s", parts: [{ name: "gap", value: 1, unit: " %", interval, fires: true, because: "b" }] },
    },
    {
      ...text,
      kind: "cross-domain",
      result: {
        rows: [{ name: "r", sha256: "ab", own: 0 }],
        columns: [text.data, text.data],
        cells: [[{ bitsPerByte: 2, interval, note: "n" }, { unreadable: "no" }]],
      },
    },
  ]

  it.each(stored.map((one) => [one.kind, one] as const))(
    "from a file of kind %s in which any value was replaced are refused with the file's name, or give a page",
    async (_, one) => {
      const json = JSON.parse(serializeFindings(one)) as object
      const places = placesIn(json)
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 2 }), async (place, value) => {
          let read: Findings
          try {
            read = parseFindings(JSON.stringify(replaced(json, place, value)), "f.json")
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError)
            expect((error as FormatError).message).toContain("f.json")
            return
          }
          const model = { parameters: 7, bytes: 28 } as ModelFacts
          const run = { name: "r", model, text: read.kind === "text" ? read : text, findings: [read] }
          expect(await reportHtml(reportFacts([run], [], []))).toContain("</html>")
        }),
        { numRuns: 150 },
      )
    },
    60_000,
  )

  it("keep a matrix of any shape, with its reasons and notes", () => {
    const matrix: Findings = {
      ...text,
      kind: "cross-domain",
      result: {
        rows: [{ name: "r", sha256: "ab" }],
        columns: [text.data, { ...text.data, name: "two" }],
        cells: [[{ bitsPerByte: 2, note: "seen" }, { unreadable: "no é" }]],
      },
    }
    expect(factsOf([matrix]).crossDomain).toEqual({
      rows: [{ name: "r" }],
      columns: ["text", "two"],
      cells: [[2, "no é"]],
      notes: ["r on text: seen"],
    })
  })
})

/** The path of every value in `json`. */
function placesIn(json: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof json !== "object" || json === null) return [path]
  const inner = Object.entries(json).flatMap(([name, value]) => placesIn(value, [...path, name]))
  return path.length === 0 ? inner : [path, ...inner]
}

/** A copy of `json` with another value at `path`. */
function replaced(json: object, path: readonly string[], value: unknown): object {
  const copy = structuredClone(json) as { [name: string]: unknown }
  let at = copy
  for (const name of path.slice(0, -1)) at = at[name] as typeof at
  at[path.at(-1)!] = value
  return copy
}
