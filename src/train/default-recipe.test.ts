import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError } from "../core/index.ts"
import { parameterCounts, validateConfig } from "../models/index.ts"
import { type DefaultRecipeOptions, defaultModel, defaultReasons, defaultRecipe } from "./default-recipe.ts"
import { flopsPerStepOf } from "./probe.ts"
import type { Recipe } from "./recipe.ts"
import { validateRecipe } from "./validate-recipe.ts"

/** Characters of tiny-shakespeare. */
const VOCABULARY = 65

const parametersOf = ({ model }: Recipe, vocabSize: number): number =>
  parameterCounts(validateConfig({ ...model, vocabSize })).total

const anyOptions = fc.record({
  vocabSize: fc.integer({ min: 2, max: 16_384 }),
  size: fc.integer({ min: 100_000, max: 100_000_000 }),
  tokenBudget: fc.integer({ min: 10_000, max: 2_000_000_000 }),
  corpusTokens: fc.integer({ min: 10_000, max: 2_000_000_000 }),
})

describe("defaultRecipe", () => {
  it("stays within the parameters and the compute of nanoGPT's CPU example when nothing is said", () => {
    const recipe = defaultRecipe({ vocabSize: VOCABULARY })
    expect(parametersOf(recipe, VOCABULARY)).toBeLessThanOrEqual(810_000)
    expect(recipe.steps * flopsPerStepOf(recipe, VOCABULARY)).toBeLessThanOrEqual(7.93e12)
    expect(recipe.steps * flopsPerStepOf(recipe, VOCABULARY)).toBeGreaterThan(7.5e12)
  })

  it("is valid at any size, vocabulary, budget and text", () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const recipe = defaultRecipe(options)
        expect(validateRecipe(recipe)).toEqual(recipe)
      }),
    )
  })

  it("spends the budget of tokens to within one step", () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const { steps, batchSize, sequenceLength } = defaultRecipe(options)
        const perStep = batchSize * sequenceLength
        expect(Math.abs(steps * perStep - Math.max(perStep, options.tokenBudget))).toBeLessThanOrEqual(perStep)
      }),
    )
  })

  it("never takes smaller steps or shorter sequences for a larger budget", () => {
    fc.assert(
      fc.property(anyOptions, fc.double({ min: 1, max: 100, noNaN: true }), (options, factor) => {
        const [less, more] = [1, factor].map((by) =>
          defaultRecipe({ ...options, tokenBudget: options.tokenBudget * by }),
        )
        expect(more!.sequenceLength).toBeGreaterThanOrEqual(less!.sequenceLength)
        // Batches go by fours of sequences, which may be twice as long.
        const slack = 2 * more!.sequenceLength + 2 * less!.sequenceLength
        const tokens = ({ batchSize, sequenceLength }: Recipe): number => batchSize * sequenceLength
        expect(tokens(more!)).toBeGreaterThanOrEqual(tokens(less!) - slack)
      }),
    )
  })

  it("never raises a learning rate with the size, and keeps that of the matrices", () => {
    fc.assert(
      fc.property(anyOptions, fc.double({ min: 1, max: 100, noNaN: true }), (options, factor) => {
        const [small, large] = [1, factor].map((by) => defaultRecipe({ ...options, size: options.size * by }))
        fc.pre(large!.model.hiddenSize >= small!.model.hiddenSize)
        const rates = ({ optimizer: o }: Recipe): number[] => [o.embeddingLearningRate!, o.headLearningRate!]
        for (const [i, rate] of rates(large!).entries()) expect(rate).toBeLessThanOrEqual(rates(small!)[i]!)
        expect(large!.optimizer.learningRate).toBe(small!.optimizer.learningRate)
      }),
    )
  })

  it("turns to SwiGLU, dropout and weight decay beyond four epochs, and not before", () => {
    const at = (epochs: number): Recipe =>
      defaultRecipe({ vocabSize: VOCABULARY, tokenBudget: 2 ** 22, corpusTokens: 2 ** 22 / epochs })
    const [fresh, repeated, often] = [3.9, 4.2, 20].map(at)
    expect(fresh).toEqual(defaultRecipe({ vocabSize: VOCABULARY, tokenBudget: 2 ** 22 }))
    expect(fresh!.model).toMatchObject({ activation: "relu2", dropout: 0 })
    expect(repeated!.model).toMatchObject({ activation: "swiglu", dropout: 0.1 })
    expect(repeated!.optimizer.weightDecay).toBe(0.5)
    expect(often!.model.dropout).toBe(0.2)
    const ratio = parametersOf(repeated!, VOCABULARY) / parametersOf(fresh!, VOCABULARY)
    expect(Math.abs(Math.log(ratio))).toBeLessThan(0.03)
  })

  it("ties the head only to a large vocabulary in a small model", () => {
    const tied = (vocabSize: number, size: number): boolean =>
      defaultRecipe({ vocabSize, size }).model.tieWordEmbeddings
    expect([tied(511, 1e6), tied(512, 1e6), tied(8192, 9.9e6), tied(8192, 1e7)]).toEqual([false, true, true, false])
  })

  it("takes what is asked for", () => {
    const asked = { hiddenSize: 48, numHiddenLayers: 3, batchSize: 5, sequenceLength: 24, steps: 7, seed: 9 }
    const { model, ...recipe } = defaultRecipe({ ...asked, tokenBudget: 1e9 })
    expect({ ...model, ...recipe }).toMatchObject(asked)
    expect(model.maxPositionEmbeddings).toBe(24)
  })
})

describe("defaultModel", () => {
  it("splits any even width into heads of an even width, 32 where it divides", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (half) => {
        const { numAttentionHeads, headDim } = modelOf(2 * half)
        expect(numAttentionHeads * headDim).toBe(2 * half)
        expect(headDim % 2).toBe(0)
        if (half % 16 === 0) expect(headDim).toBe(32)
      }),
    )
    expect(() => modelOf(33)).toThrow(ConfigError)
  })
})

const modelOf = (hiddenSize: number) =>
  defaultModel({ vocabSize: VOCABULARY, hiddenSize, numHiddenLayers: 1, sequenceLength: 8 })

describe("defaultReasons", () => {
  it("explains the numbers that the recipe holds", () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const recipe = defaultRecipe(options)
        for (const [key, { value, because, source }] of Object.entries(defaultReasons(options))) {
          expect(because.length * source.length).toBeGreaterThan(0)
          if (key !== "size" && key !== "regime") expect(valueAt(recipe, key)).toBe(value)
        }
      }),
    )
  })

  it("says of what was asked for that it was", () => {
    const asked: DefaultRecipeOptions = { steps: 7, batchSize: 2, size: 1e6 }
    const reasons = defaultReasons(asked)
    for (const key of ["steps", "batchSize", "size"]) expect(reasons[key]!.because).toBe("as asked")
    expect(reasons["sequenceLength"]!.because).not.toBe("as asked")
    expect(defaultReasons({ ...asked, corpusTokens: 10 })["regime"]!.value).toBe("data-limited")
  })
})

const valueAt = (recipe: Recipe, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (node as { [key: string]: unknown })[key], recipe)
