import { expect, it } from "vitest"
import { defaultRecipe } from "./default-recipe.ts"
import { flopsPerStepOf } from "./probe.ts"
import { validateRecipe } from "./validate-recipe.ts"
import { vanillaRecipe } from "./vanilla-recipe.ts"

it("the vanilla control spends the same FLOPs, to half a step, on the same data", () => {
  const recipe = defaultRecipe({ hiddenSize: 64, numHiddenLayers: 3, steps: 700, vocabSize: 65 })
  const control = validateRecipe(vanillaRecipe(recipe, 65))
  const flops = (of: typeof recipe) => of.steps * flopsPerStepOf(of, 65)
  expect(Math.abs(flops(control) - flops(recipe))).toBeLessThanOrEqual(flopsPerStepOf(control, 65) / 2)
  for (const key of ["data", "tokenizer", "seed", "batchSize", "sequenceLength"] as const)
    expect(control[key]).toEqual(recipe[key])
  expect(control.model).toMatchObject({ positions: "learned", norm: "layernorm", hiddenSize: 64, numHiddenLayers: 3 })
})
