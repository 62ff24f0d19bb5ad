// Published recipes written out exactly, to be measured against: karpathy/nanoGPT, config/train_shakespeare_char.py and the
// README's CPU flags. Facts: peers.md "The reference work for training".
import { presets } from "../models/index.ts"
import type { ModelRecipe, OptimizerRecipe, Recipe } from "./recipe.ts"

/** AdamW as in train_shakespeare_char.py, for models of this size. */
export const NANOGPT_OPTIMIZER: OptimizerRecipe = {
  name: "adamw",
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  momentum: 0,
  weightDecay: 0.1,
  decayEmbeddings: true,
  clipNorm: 1,
}

/** Sizes of one of the two works. */
interface NanogptSizes {
  readonly name: string
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  readonly hiddenSize: number
  readonly sequenceLength: number
  readonly batchSize: number
  readonly steps: number
}

/** tiny-shakespeare by characters, L4 H4 C128 T64 B12, 2000 steps: 1.904 nats in a full sweep of the validation part. */
export const nanogptCpuRecipe = (paths: Recipe["data"]["paths"] = "inline"): Recipe =>
  nanogptRecipe(paths, {
    name: "nanogpt-cpu",
    numHiddenLayers: 4,
    numAttentionHeads: 4,
    hiddenSize: 128,
    sequenceLength: 64,
    batchSize: 12,
    steps: 2000,
  })

/** The same recipe at L6 H6 C384 T256, batch 8. */
export const nanogpt384Recipe = (paths: Recipe["data"]["paths"] = "inline"): Recipe =>
  nanogptRecipe(paths, {
    name: "nanogpt-384",
    numHiddenLayers: 6,
    numAttentionHeads: 6,
    hiddenSize: 384,
    sequenceLength: 256,
    batchSize: 8,
    steps: 2000,
  })

function nanogptRecipe(paths: Recipe["data"]["paths"], sizes: NanogptSizes): Recipe {
  const { name, batchSize, sequenceLength, steps } = sizes
  return {
    version: 1,
    name,
    model: nanogptModel(sizes),
    tokenizer: { kind: "characters", endOfText: false },
    data: { paths, validFraction: 0.1, split: "exact", batchMode: "random" },
    batchSize,
    sequenceLength,
    accumulationSteps: 1,
    steps,
    optimizer: NANOGPT_OPTIMIZER,
    schedule: { name: "cosine", warmupSteps: 100, decayFraction: 1, finalFactor: 0.1 },
    evaluation: { everySteps: 250, maxTokens: 20 * batchSize * sequenceLength },
    sampling: { everySteps: 0, prompt: "\n", tokens: 200 },
    checkpoint: { everySteps: 1000 },
    seed: 1337,
    strict: false,
  }
}

/** GPT-2 without biases, exact GELU; N(0, 0.02) with residual projections over sqrt(2L). */
function nanogptModel({ numHiddenLayers, numAttentionHeads, hiddenSize, sequenceLength }: NanogptSizes): ModelRecipe {
  const { vocabSize: _, ...model } = presets.gpt2({
    vocabSize: 65,
    hiddenSize,
    numHiddenLayers,
    numAttentionHeads,
    maxPositionEmbeddings: sequenceLength,
    activation: "gelu",
    linearBias: false,
    normBias: false,
  })
  return model
}
