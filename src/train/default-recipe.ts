// What `train` does when nothing is said: the one place where the default block, optimizer and schedule are chosen. The
// choices are recipes.md's starting point; what measurements change is written down in LOG.md.
import { ConfigError } from "../core/index.ts"
import { type DecoderConfig, validateConfig } from "../models/index.ts"
import type { ModelRecipe, OptimizerRecipe, Recipe, ScheduleRecipe, TokenizerRecipe } from "./recipe.ts"

export interface DefaultRecipeOptions {
  readonly paths?: Recipe["data"]["paths"]
  readonly tokenizer?: TokenizerRecipe
  /** Of the tokenizer, as far as known: it decides whether the head is tied. */
  readonly vocabSize?: number
  /** Wanted number of parameters; `hiddenSize` and `numHiddenLayers` overrule it. */
  readonly size?: number
  readonly hiddenSize?: number
  readonly numHiddenLayers?: number
  readonly batchSize?: number
  readonly sequenceLength?: number
  readonly steps?: number
  readonly seed?: number
}

const DEFAULT_SIZE = 800_000
/** Below this vocabulary a head of its own costs next to nothing (recipes.md). */
const SMALL_VOCABULARY = 512
const HEAD_DIM = 32
/** Width over depth: deep and thin (recipes.md: 32 to 64). */
const ASPECT = 32

/** A complete recipe from as little as nothing. */
export function defaultRecipe(options: DefaultRecipeOptions = {}): Recipe {
  const {
    paths = "inline",
    tokenizer = { kind: "characters", endOfText: true },
    sequenceLength = 128,
    steps = 1000,
    seed = 1,
  } = options
  const vocabSize = options.vocabSize ?? tokenizer.vocabSize ?? 256
  const shape = {
    ...shapeOfSize(options.size ?? DEFAULT_SIZE, vocabSize),
    ...(options.hiddenSize ? { hiddenSize: options.hiddenSize } : {}),
    ...(options.numHiddenLayers === undefined ? {} : { numHiddenLayers: options.numHiddenLayers }),
  }
  return {
    version: 1,
    name: "default",
    model: defaultModel({ ...shape, vocabSize, sequenceLength }),
    tokenizer,
    data: { paths, validFraction: 0.1, split: "documents", batchMode: "windows" },
    batchSize: options.batchSize ?? 32,
    sequenceLength,
    accumulationSteps: 1,
    steps,
    optimizer: defaultOptimizer(),
    schedule: defaultSchedule(steps),
    evaluation: { everySteps: Math.max(1, Math.ceil(steps / 10)), maxTokens: 16_384 },
    sampling: { everySteps: Math.max(1, Math.ceil(steps / 5)), prompt: "\n", tokens: 120 },
    checkpoint: { everySteps: 0, everySeconds: 60 },
    seed,
    strict: false,
  }
}

/** Pre-RMSNorm without gain, RoPE, QK-norm, ReLU² 4x, no biases, zeroed projections, norm after the embedding, softcap 15. */
export function defaultModel(of: {
  vocabSize: number
  hiddenSize: number
  numHiddenLayers: number
  sequenceLength: number
}): ModelRecipe {
  const { hiddenSize, numHiddenLayers, sequenceLength, vocabSize } = of
  const numAttentionHeads = Math.max(1, Math.floor(hiddenSize / HEAD_DIM))
  if (hiddenSize % numAttentionHeads !== 0 || (hiddenSize / numAttentionHeads) % 2 !== 0)
    throw new ConfigError(
      `hiddenSize must be a multiple of ${HEAD_DIM}, got ${hiddenSize}`,
      `try ${Math.ceil(hiddenSize / HEAD_DIM) * HEAD_DIM}`,
    )
  const config: DecoderConfig = {
    modelType: "kinglet",
    vocabSize,
    hiddenSize,
    intermediateSize: 4 * hiddenSize,
    numHiddenLayers,
    numAttentionHeads,
    numKeyValueHeads: numAttentionHeads,
    headDim: hiddenSize / numAttentionHeads,
    maxPositionEmbeddings: sequenceLength,
    positions: "rope",
    ropeTheta: 10_000,
    norm: "rmsnorm",
    normEps: 1e-6,
    normGain: false,
    normBias: false,
    activation: "relu2",
    linearBias: false,
    qkNorm: true,
    embeddingNorm: true,
    tieWordEmbeddings: vocabSize >= SMALL_VOCABULARY,
    zeroInitProjections: true,
    initializerRange: 0.02,
    logitSoftcap: 15,
    dropout: 0,
    residualScalars: true,
  }
  const { vocabSize: _, ...model } = validateConfig(config)
  return model
}

/** Muon for matrices, AdamW for the rest. */
export function defaultOptimizer(): OptimizerRecipe {
  return {
    name: "muon",
    learningRate: 0.02,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    momentum: 0.95,
    weightDecay: 0,
    decayEmbeddings: false,
    clipNorm: 1,
    embeddingLearningRate: 0.01,
    headLearningRate: 0.004,
    scalarLearningRate: 0.01,
  }
}

/** About 40 warm-up steps, flat, then linear over the last half to 5 %. */
export function defaultSchedule(steps: number): ScheduleRecipe {
  return { name: "wsd", warmupSteps: Math.min(40, Math.floor(steps / 10)), decayFraction: 0.5, finalFactor: 0.05 }
}

/** Width and depth whose parameters come nearest to `size`, among widths in steps of 32 at a depth of about width / 32. */
export function shapeOfSize(size: number, vocabSize: number): { hiddenSize: number; numHiddenLayers: number } {
  const tables = vocabSize >= SMALL_VOCABULARY ? 1 : 2
  const parameters = (C: number, L: number): number => 12 * L * C * C + tables * vocabSize * C
  const shapes = Array.from({ length: 64 }, (_, index) => (index + 1) * HEAD_DIM).flatMap((hiddenSize) => {
    const depth = Math.round(hiddenSize / ASPECT)
    return [depth, depth - 1, depth + 1]
      .filter((L) => L > 0)
      .map((numHiddenLayers) => ({ hiddenSize, numHiddenLayers }))
  })
  const miss = ({ hiddenSize, numHiddenLayers }: (typeof shapes)[number]): number =>
    Math.abs(Math.log(parameters(hiddenSize, numHiddenLayers) / size))
  return shapes.reduce((best, shape) => (miss(shape) < miss(best) ? shape : best))
}
