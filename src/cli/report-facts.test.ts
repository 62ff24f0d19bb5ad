import { describe, expect, it } from "vitest"
import { findingsOf, scoreOf } from "../evaluate/findings/testing.ts"
import type { Findings } from "../evaluate/index.ts"
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
