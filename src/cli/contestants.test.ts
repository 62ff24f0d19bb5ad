import { describe, expect, it } from "vitest"
import { defaultRecipe } from "../train/index.ts"
import { distinctNames, groupOf } from "./contestants.ts"

describe("names", () => {
  it("are short where that tells apart, else as given, else numbered", () => {
    const names = [
      { short: "a", long: "x/a" },
      { short: "a", long: "y/a" },
      { short: "b", long: "x/b" },
    ]
    expect(distinctNames(names)).toEqual(["x/a", "y/a", "b"])
    expect(distinctNames([names[0]!, names[0]!])).toEqual(["x/a (1)", "x/a (2)"])
  })
})

describe("the group of a recipe", () => {
  const recipe = defaultRecipe({ hiddenSize: 32, numHiddenLayers: 1, sequenceLength: 16, batchSize: 2, steps: 9 })

  it("is the same for another seed, and for the same fields in another order", () => {
    const reversed = Object.fromEntries(Object.entries(recipe).reverse()) as unknown as typeof recipe
    expect(groupOf({ ...recipe, seed: 7 })).toBe(groupOf(recipe))
    expect(groupOf(reversed)).toBe(groupOf(recipe))
  })

  it("is another one for anything else that decides the run", () => {
    const other = { ...recipe, optimizer: { ...recipe.optimizer, learningRate: 0.5 } }
    expect(groupOf(other)).not.toBe(groupOf(recipe))
    expect(groupOf({ ...recipe, steps: 10 })).not.toBe(groupOf(recipe))
  })
})
