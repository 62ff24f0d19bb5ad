// The control of a claim: what the same compute gives without any of the choices this project makes.
import { presets } from "../models/index.ts"
import { flopsPerStepOf } from "./probe.ts"
import type { Explained, ModelRecipe, Recipe } from "./recipe.ts"
import { NANOGPT_OPTIMIZER } from "./reference-recipes.ts"

const WARM_UP_FRACTION = 0.05

/**
 * The equal-FLOP control of a recipe: GPT-2's block in the same width, depth and context, AdamW with a cosine, on the same text,
 * tokenizer, split and seed; as many steps as the FLOPs of `recipe` pay for.
 *
 * @param vocabSize  of the tokenizer that `recipe` trains
 */
export function vanillaRecipe(recipe: Recipe, vocabSize: number): Recipe {
  const control: Recipe = {
    ...recipe,
    name: `vanilla control of ${recipe.name}`,
    model: vanillaModel(recipe.model, vocabSize),
    optimizer: NANOGPT_OPTIMIZER, // not tuned: that is the point
  }
  const flops = recipe.steps * flopsPerStepOf(recipe, vocabSize)
  const flopsPerStep = flopsPerStepOf(control, vocabSize)
  const steps = Math.max(1, Math.round(flops / flopsPerStep))
  const warmupSteps = Math.ceil(WARM_UP_FRACTION * steps)
  return {
    ...control,
    steps,
    schedule: { name: "cosine", warmupSteps, decayFraction: 1, finalFactor: 0.1 },
    evaluation: { ...recipe.evaluation, everySteps: spread(recipe.evaluation.everySteps, recipe.steps, steps) },
    sampling: { ...recipe.sampling, everySteps: spread(recipe.sampling.everySteps, recipe.steps, steps) },
    explained: vanillaReasons(recipe, steps, flops, steps * flopsPerStep),
  }
}

function vanillaModel(model: ModelRecipe, vocabSize: number): ModelRecipe {
  const { hiddenSize, numHiddenLayers, numAttentionHeads, maxPositionEmbeddings } = model
  const sizes = { hiddenSize, numHiddenLayers, numAttentionHeads, maxPositionEmbeddings }
  const { vocabSize: _, ...vanilla } = presets.gpt2({ vocabSize, ...sizes })
  return vanilla
}

/** As often over the run as before. */
const spread = (everySteps: number, before: number, now: number): number =>
  everySteps === 0 ? 0 : Math.max(1, Math.ceil((everySteps * now) / before))

function vanillaReasons(recipe: Recipe, steps: number, flops: number, spent: number): NonNullable<Recipe["explained"]> {
  const explain = (value: unknown, because: string, source: string): Explained => ({ value, because, source })
  return {
    steps: explain(
      steps,
      `the ${flops.toExponential(3)} FLOPs of the run it controls; these steps take ${spent.toExponential(3)}`,
      "counted from the traced graph",
    ),
    "model.hiddenSize": explain(recipe.model.hiddenSize, "as in the run it controls", recipe.name),
    "model.numHiddenLayers": explain(recipe.model.numHiddenLayers, "as in the run it controls", recipe.name),
    block: explain("gpt2", "learned positions, LayerNorm, GELU, biases, tied head", "Radford et al. 2019"),
    "optimizer.learningRate": explain(
      NANOGPT_OPTIMIZER.learningRate,
      "usual for small models; not tuned",
      "nanoGPT, train_shakespeare_char",
    ),
  }
}
