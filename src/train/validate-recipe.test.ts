import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError } from "../core/index.ts"
import { defaultRecipe, shapeOfSize } from "./default-recipe.ts"
import type { Recipe } from "./recipe.ts"
import { nanogpt384Recipe, nanogptCpuRecipe } from "./reference-recipes.ts"
import { setRecipeValue, validateRecipe } from "./validate-recipe.ts"

const refuse = (change: (recipe: any) => void): ConfigError => {
  const recipe = JSON.parse(JSON.stringify(defaultRecipe()))
  change(recipe)
  try {
    validateRecipe(recipe)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return error as ConfigError
  }
  throw new Error("the recipe was accepted")
}

describe("validateRecipe", () => {
  it("accepts the recipes we ship, also after a round trip through JSON", () => {
    for (const recipe of [
      defaultRecipe(),
      defaultRecipe({ size: 2e6, vocabSize: 8192 }),
      nanogptCpuRecipe(),
      nanogpt384Recipe(["a.txt"]),
    ])
      expect(validateRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe)
  })

  it("names the field, what was expected and what came", () => {
    expect(refuse((r) => (r.batchSize = 0)).message).toBe(
      "recipe: batchSize must be a whole number of at least 1, got 0",
    )
    expect(refuse((r) => (r.optimizer.learningRate = "fast")).message).toBe(
      'recipe: optimizer.learningRate must be a number above 0, got "fast"',
    )
    expect(refuse((r) => (r.schedule.name = "step")).message).toContain(
      '"constant" or "cosine" or "linear" or "wsd", got "step"',
    )
    expect(refuse((r) => delete r.seed).message).toBe("recipe: seed is missing, expected a whole number, 0 or more")
    expect(refuse((r) => (r.data = [])).message).toBe("recipe: data must be an object, got []")
    expect(refuse((r) => (r.data.paths = [])).message).toContain("data.paths must be a list of paths")
    expect(refuse((r) => (r.tokenizer = { kind: "bpe", endOfText: true })).message).toContain(
      "tokenizer.vocabSize is missing",
    )
    expect(refuse((r) => (r.model.numAttentionHeads = 3)).message).toContain("numAttentionHeads")
    expect(refuse((r) => (r.model.dropout = 2)).message).toContain("dropout")
  })

  it("names unknown fields and the one that was meant", () => {
    expect(refuse((r) => (r.optimizer.learning_rate = 1)).message).toBe(
      'recipe: there is no field "optimizer.learning_rate"',
    )
    expect(refuse((r) => (r.batchsize = 1)).hint).toBe("did you mean batchSize?")
    expect(refuse((r) => (r.model.hiddensize = 1)).message).toContain('"model.hiddensize"')
  })

  it("says that a newer version needs a newer kinglet", () => {
    const error = refuse((r) => (r.version = 2))
    expect(error.message).toBe("this recipe has version 2, and this kinglet reads up to version 1")
    expect(error.hint).toContain("update")
  })

  it("refuses with ConfigError, whatever JSON comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(() => validateRecipe(json)).toThrow(ConfigError)
      }),
      { numRuns: 200 },
    )
  })

  it("refuses with ConfigError when any one field is replaced by what does not belong there", () => {
    const paths = Object.entries(defaultRecipe()).flatMap(([key, value]) =>
      typeof value === "object" && !Array.isArray(value) ? Object.keys(value).map((child) => [key, child]) : [[key]],
    )
    for (const path of paths)
      for (const value of [null, { no: 1 }, Number.NaN])
        refuse((recipe) => {
          const parent = path.length === 2 ? recipe[path[0]!] : recipe
          parent[path.at(-1)!] = value
        })
  })
})

describe("setRecipeValue", () => {
  it("changes one field, and says that you did", () => {
    const recipe = setRecipeValue(defaultRecipe(), "optimizer.learningRate", "0.01")
    expect(recipe.optimizer.learningRate).toBe(0.01)
    expect(recipe.explained?.["optimizer.learningRate"]).toEqual({
      value: 0.01,
      because: "you set it",
      source: "--set optimizer.learningRate=0.01",
    })
  })

  it("finds a field by its last word where only one field ends so", () => {
    expect(setRecipeValue(defaultRecipe(), "learningRate", "0.5").optimizer.learningRate).toBe(0.5)
    expect(() => setRecipeValue(defaultRecipe(), "everySteps", "5")).toThrow(ConfigError)
    expect(() => setRecipeValue(defaultRecipe(), "nonsense", "5")).toThrow('there is no field "nonsense"')
  })

  it("reads numbers, truths, words, prompts and lists of paths", () => {
    const set = (key: string, text: string): Recipe => setRecipeValue(defaultRecipe(), key, text)
    expect(set("strict", "true").strict).toBe(true)
    expect(set("schedule.name", "cosine").schedule.name).toBe("cosine")
    expect(set("sampling.prompt", "42").sampling.prompt).toBe("42")
    expect(set("data.paths", "a.txt,b/*.md").data.paths).toEqual(["a.txt", "b/*.md"])
    expect(set("model.qkNorm", "false").model.qkNorm).toBe(false)
    expect(() => set("strict", "maybe")).toThrow('recipe: strict must be true or false, got "maybe"')
  })

  it("keeps the heads fitting the width, or says which count would", () => {
    const wide = setRecipeValue(nanogptCpuRecipe(), "model.hiddenSize", "256")
    expect(validateRecipe(wide).model).toMatchObject({
      hiddenSize: 256,
      headDim: 64,
      intermediateSize: 1024,
      numAttentionHeads: 4,
    })
    const odd = setRecipeValue(nanogptCpuRecipe(), "model.numAttentionHeads", "5")
    expect(() => validateRecipe(odd)).toThrow("numAttentionHeads must divide hiddenSize, got 5 and 128")
  })
})

describe("shapeOfSize", () => {
  it("comes within a factor of 1.5 of the wanted size, from 50 thousand to 30 million", () => {
    fc.assert(
      fc.property(fc.integer({ min: 50_000, max: 30_000_000 }), (size) => {
        const { hiddenSize, numHiddenLayers } = shapeOfSize(size, 65)
        const parameters = 12 * numHiddenLayers * hiddenSize ** 2 + 2 * 65 * hiddenSize
        expect(Math.abs(Math.log(parameters / size))).toBeLessThan(Math.log(1.5))
      }),
      { numRuns: 30 },
    )
  })
})
