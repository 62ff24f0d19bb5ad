import { describe, expect, it } from "vitest"
import { defaultRecipe } from "../train/index.ts"
import { recipeFacts, thinned } from "./report-facts.ts"

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
    ...defaultRecipe({ hiddenSize: 32, numHiddenLayers: 1, sequenceLength: 16, batchSize: 2, steps: 9 }),
    explained: { steps: { value: 9, because: "as asked", source: "--steps" } },
  }

  it("has every field once: derived ones first, with their reasons", () => {
    const facts = recipeFacts(recipe)
    expect(facts[0]).toEqual({ key: "steps", value: 9, because: "as asked", source: "--steps" })
    expect(new Set(facts.map(({ key }) => key)).size).toBe(facts.length)
    expect(facts.find(({ key }) => key === "model.hiddenSize")).toEqual({ key: "model.hiddenSize", value: 32 })
  })
})
