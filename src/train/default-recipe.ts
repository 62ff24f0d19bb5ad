// What `train` does when nothing is said: the one place where the default block, optimizer and schedule are chosen. The point
// they start from was measured (LOG.md, default recipe); rules with their sources carry it to other sizes and budgets.
import { ConfigError } from "../core/index.ts"
import { type DecoderConfig, validateConfig } from "../models/index.ts"
import type { Explained, ModelRecipe, OptimizerRecipe, Recipe, ScheduleRecipe, TokenizerRecipe } from "./recipe.ts"

export interface DefaultRecipeOptions {
  readonly paths?: Recipe["data"]["paths"]
  readonly tokenizer?: TokenizerRecipe
  /** Of the tokenizer, as far as known: it decides whether the head is tied. */
  readonly vocabSize?: number
  /** Wanted number of parameters; `hiddenSize` and `numHiddenLayers` overrule it. */
  readonly size?: number
  readonly hiddenSize?: number
  readonly numHiddenLayers?: number
  /** Tokens to train on in all, repetitions counted. Decides the tokens of a step and, where not given, the steps. */
  readonly tokenBudget?: number
  /** Tokens of the training text: more than four passes over them are the data-limited regime. */
  readonly corpusTokens?: number
  readonly batchSize?: number
  readonly sequenceLength?: number
  readonly steps?: number
  readonly seed?: number
}

/**
 * The measured point: tiny-shakespeare by characters in nanoGPT's CPU compute, 7.93e12 FLOPs (LOG.md, default recipe).
 * Half the parameters of the reference work, on half as much text again, gave 1.576 nats to its 1.904 (Muon at 0.04; at 0.3 M
 * parameters and a fifth of the compute 0.02 was as good).
 */
export const MEASURED_RUN = {
  parameters: 400_000,
  flops: 7.9e12,
  hiddenSize: 64,
  tokens: 2.33e6,
  tokensPerStep: 1024,
  sequenceLength: 64,
} as const
const MEASURED_RATES = { matrix: 0.02, embedding: 0.01, head: 0.004, scalar: 0.01 } as const
/** Exponent of the tokens of a step in those of the run. @see Li et al. 2025 (Step Law), arXiv:2503.04715 */
const BATCH_EXPONENT = 0.571
/** More than 32 thousand tokens a step are for larger models than these (recipes.md: 8 to 32 thousand for 2 to 10 M). */
const MOST_TOKENS_PER_STEP = 32_768
const LONGEST_SEQUENCE = 512
/** Below this vocabulary a head of its own costs next to nothing (recipes.md). */
const SMALL_VOCABULARY = 512
/** Below this size a head of its own, at a larger vocabulary, takes too much of the model (recipes.md). */
const TIED_BELOW = 10_000_000
const HEAD_DIM = 32
/** Widths are tried in whole heads, and in half heads while they are few. */
const WIDTHS = Array.from({ length: 64 }, (_, i) => (i + 1) * (HEAD_DIM / 2)).filter(
  (C) => C % HEAD_DIM === 0 || C < 4 * HEAD_DIM,
)
/** Repeated up to four times, text is nearly as good as new. @see Muennighoff et al. 2023, arXiv:2305.16264 */
export const FRESH_EPOCHS = 4
/** @see Kim et al. 2025, arXiv:2509.14786: 5 to 30 times the usual 0.1, the lowest here, and dropout between 0.1 and 0.3 */
const DATA_LIMITED = { weightDecay: 0.5, dropout: 0.1, dropoutManyEpochs: 0.2, manyEpochs: 16 } as const

/** What follows from the options before any recipe is written. */
interface Derived {
  readonly vocabSize: number
  readonly size: number
  readonly hiddenSize: number
  readonly numHiddenLayers: number
  readonly tokenBudget: number
  readonly sequenceLength: number
  readonly batchSize: number
  readonly steps: number
  /** Passes over the text; undefined where its length is not known. */
  readonly epochs: number | undefined
}

/** A complete recipe from as little as nothing. {@link defaultReasons} says why each number is what it is. */
export function defaultRecipe(options: DefaultRecipeOptions = {}): Recipe {
  const { paths = "inline", tokenizer = { kind: "characters", endOfText: true }, seed = 1 } = options
  const derived = derive(options)
  const { batchSize, sequenceLength, steps, hiddenSize } = derived
  const limited = isDataLimited(derived)
  return {
    version: 1,
    name: "default",
    model: limited ? regularized(defaultModel(derived), derived.epochs!) : defaultModel(derived),
    tokenizer,
    data: { paths, validFraction: 0.1, split: "documents", batchMode: "windows" },
    batchSize,
    sequenceLength,
    accumulationSteps: 1,
    steps,
    optimizer: {
      ...defaultOptimizer({ hiddenSize }),
      ...(limited ? { weightDecay: DATA_LIMITED.weightDecay } : {}),
    },
    schedule: defaultSchedule(steps),
    evaluation: { everySteps: Math.max(1, Math.ceil(steps / 10)), maxTokens: 65_536 },
    sampling: { everySteps: Math.max(1, Math.ceil(steps / 5)), prompt: "\n", tokens: 120 },
    checkpoint: { everySteps: 0, everySeconds: 60 },
    seed,
    strict: false,
  }
}

function derive(options: DefaultRecipeOptions): Derived {
  const { size = MEASURED_RUN.parameters, corpusTokens } = options
  const vocabSize = options.vocabSize ?? options.tokenizer?.vocabSize ?? 256
  const shape = shapeOfSize(size, vocabSize)
  // Without a budget: as many tokens a parameter as in the measured run, which is how compute is best shared out.
  const tokenBudget = options.tokenBudget ?? (MEASURED_RUN.tokens * size) / MEASURED_RUN.parameters
  const sequenceLength = options.sequenceLength ?? sequenceLengthFor(tokenBudget)
  const batchSize = options.batchSize ?? batchSizeFor(tokenBudget, sequenceLength)
  const steps = options.steps ?? Math.max(1, Math.round(tokenBudget / (batchSize * sequenceLength)))
  return {
    vocabSize,
    size,
    hiddenSize: options.hiddenSize ?? shape.hiddenSize,
    numHiddenLayers: options.numHiddenLayers ?? shape.numHiddenLayers,
    tokenBudget,
    sequenceLength,
    batchSize,
    steps,
    epochs: corpusTokens === undefined ? undefined : (steps * batchSize * sequenceLength) / corpusTokens,
  }
}

const isDataLimited = ({ epochs }: Derived): boolean => epochs !== undefined && epochs > FRESH_EPOCHS

const clamp = (x: number, least: number, most: number): number => Math.min(Math.max(x, least), most)

/** `1024·(D / D₀)^0.571`, between the measured and the most. */
const tokensPerStepFor = (tokenBudget: number): number =>
  clamp(
    MEASURED_RUN.tokensPerStep * (tokenBudget / MEASURED_RUN.tokens) ** BATCH_EXPONENT,
    MEASURED_RUN.tokensPerStep,
    MOST_TOKENS_PER_STEP,
  )

/** Whole sequences, by fours: the kernels' tiles. */
const batchSizeFor = (tokenBudget: number, sequenceLength: number): number =>
  4 * Math.max(1, Math.round(tokensPerStepFor(tokenBudget) / sequenceLength / 4))

/** Doubles whenever the budget grows eightfold: a short run learns from nearby letters and pays for each distant one. */
const sequenceLengthFor = (tokenBudget: number): number =>
  clamp(
    MEASURED_RUN.sequenceLength * 2 ** Math.floor(Math.log2(Math.max(1, tokenBudget / MEASURED_RUN.tokens)) / 3),
    MEASURED_RUN.sequenceLength,
    LONGEST_SEQUENCE,
  )

/** Pre-RMSNorm without gain, RoPE, QK-norm, ReLU² 4x, no biases, zeroed projections, norm after the embedding, softcap 15. */
export function defaultModel(of: {
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly numHiddenLayers: number
  readonly sequenceLength: number
  /** Parameters in all; without it the vocabulary alone decides whether the head is tied. */
  readonly size?: number
}): ModelRecipe {
  const { hiddenSize, numHiddenLayers, sequenceLength, vocabSize, size = 0 } = of
  const numAttentionHeads = headsOf(hiddenSize)
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
    tieWordEmbeddings: isTied(vocabSize, size),
    zeroInitProjections: true,
    initializerRange: 0.02,
    logitSoftcap: 15,
    dropout: 0,
    residualScalars: true,
  }
  const { vocabSize: _, ...model } = validateConfig(config)
  return model
}

const isTied = (vocabSize: number, size: number): boolean => vocabSize >= SMALL_VOCABULARY && size < TIED_BELOW

/** Heads of an even width as near to 32 as divides. @throws ConfigError  if the width is odd */
function headsOf(hiddenSize: number): number {
  const fitting = Array.from({ length: hiddenSize }, (_, i) => i + 1).filter((H) => hiddenSize % (2 * H) === 0)
  if (fitting.length === 0)
    throw new ConfigError(
      `hiddenSize must be even, got ${hiddenSize}`,
      `try ${Math.ceil(hiddenSize / HEAD_DIM) * HEAD_DIM}`,
    )
  const miss = (H: number): number => Math.abs(Math.log(hiddenSize / H / HEAD_DIM))
  return fitting.reduce((best, H) => (miss(H) < miss(best) ? H : best))
}

/** For text seen often: SwiGLU of about the same size, and dropout. @see Kim et al. 2025, arXiv:2509.14786 */
function regularized(model: ModelRecipe, epochs: number): ModelRecipe {
  const { dropout, dropoutManyEpochs, manyEpochs } = DATA_LIMITED
  return {
    ...model,
    activation: "swiglu",
    intermediateSize: Math.round(model.hiddenSize / 3) * 8,
    dropout: epochs > manyEpochs ? dropoutManyEpochs : dropout,
  }
}

/**
 * Muon for matrices, AdamW for the rest.
 *
 * Muon's rate does not depend on the width: an orthogonal update moves every direction alike. Those of embeddings and head fall
 * with the root of the width, as nanochat's do.
 *
 * @see Jordan et al. 2024, kellerjordan.github.io/posts/muon: 0.02 at 124 M parameters; 0.02 to 0.04 are alike at 0.3 M (LOG.md)
 */
export function defaultOptimizer({
  hiddenSize = MEASURED_RUN.hiddenSize,
}: {
  readonly hiddenSize?: number
} = {}): OptimizerRecipe {
  const byWidth = Math.min(1, Math.sqrt(MEASURED_RUN.hiddenSize / hiddenSize))
  return {
    name: "muon",
    learningRate: MEASURED_RATES.matrix,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    momentum: 0.95,
    weightDecay: 0,
    decayEmbeddings: false,
    clipNorm: 1,
    embeddingLearningRate: rounded(MEASURED_RATES.embedding * byWidth),
    headLearningRate: rounded(MEASURED_RATES.head * byWidth),
    scalarLearningRate: MEASURED_RATES.scalar,
  }
}

/** Two digits are more than is known. */
const rounded = (x: number): number => Number(x.toPrecision(2))

/** About 40 warm-up steps, flat, then linear over the last half to nothing. */
export function defaultSchedule(steps: number): ScheduleRecipe {
  return { name: "wsd", warmupSteps: Math.min(40, Math.floor(steps / 10)), decayFraction: 0.5, finalFactor: 0 }
}

/** Layers for a width: deep and thin. @see Liu et al. 2024 (MobileLLM), arXiv:2402.14905 */
const depthOf = (hiddenSize: number): number => Math.round(6 + hiddenSize / 32)

/** Width and depth whose parameters come nearest to `size`, at about the depth that suits them. */
export function shapeOfSize(size: number, vocabSize: number): { hiddenSize: number; numHiddenLayers: number } {
  const tables = isTied(vocabSize, size) ? 1 : 2
  const parameters = (C: number, L: number): number => 12 * L * C * C + tables * vocabSize * C
  const shapes = WIDTHS.flatMap((hiddenSize) => {
    const depth = depthOf(hiddenSize)
    return [depth, depth - 1, depth + 1, depth - 2, depth + 2].map((numHiddenLayers) => ({
      hiddenSize,
      numHiddenLayers,
    }))
  })
  const miss = ({ hiddenSize, numHiddenLayers }: (typeof shapes)[number]): number =>
    Math.abs(Math.log(parameters(hiddenSize, numHiddenLayers) / size))
  return shapes.reduce((best, shape) => (miss(shape) < miss(best) ? shape : best))
}

/** Why each number of {@link defaultRecipe} is what it is, by field; assumptions say so. */
export function defaultReasons(options: DefaultRecipeOptions = {}): { readonly [key: string]: Explained } {
  const derived = derive(options)
  return { ...sizeReasons(options, derived), ...stepReasons(options, derived), ...regimeReasons(options, derived) }
}

type Reasons = { readonly [key: string]: Explained }

const LOG = "LOG.md, default recipe"
const asked = (value: unknown): Explained => ({ value, because: "as asked", source: "options" })

function sizeReasons(options: DefaultRecipeOptions, derived: Derived): Reasons {
  const { size, hiddenSize, numHiddenLayers, vocabSize } = derived
  const tied = isTied(vocabSize, size)
  const because = `nearest to ${size} parameters at about 6 + width / 32 layers`
  return {
    size:
      options.size === undefined
        ? { value: size, because: "best of the sizes measured at 7.93e12 FLOPs", source: LOG }
        : asked(size),
    "model.hiddenSize":
      options.hiddenSize === undefined ? { value: hiddenSize, because, source: LOG } : asked(hiddenSize),
    "model.numHiddenLayers":
      options.numHiddenLayers === undefined
        ? { value: numHiddenLayers, because, source: `${LOG}; arXiv:2402.14905` }
        : asked(numHiddenLayers),
    "model.tieWordEmbeddings": {
      value: tied,
      because: tied
        ? `a head of its own for ${vocabSize} tokens takes too much of a model under 10 M parameters`
        : `a head of its own is worth its place: ${vocabSize} tokens, ${size} parameters`,
      source: "recipes.md",
    },
  }
}

function stepReasons(options: DefaultRecipeOptions, derived: Derived): Reasons {
  const { tokenBudget, sequenceLength, batchSize, steps, hiddenSize } = derived
  const { learningRate, embeddingLearningRate, headLearningRate } = defaultOptimizer({ hiddenSize })
  const budget = `${tokenBudget.toPrecision(2)} tokens in all`
  return {
    sequenceLength: options.sequenceLength
      ? asked(sequenceLength)
      : {
          value: sequenceLength,
          because: `${MEASURED_RUN.sequenceLength} at ${MEASURED_RUN.tokens} tokens measured, twice that per eightfold budget: ${budget}`,
          source: `${LOG}; the growth is an assumption`,
        },
    batchSize: options.batchSize
      ? asked(batchSize)
      : {
          value: batchSize,
          because: `${MEASURED_RUN.tokensPerStep} tokens a step at ${MEASURED_RUN.tokens} measured, times (D / ${MEASURED_RUN.tokens})^${BATCH_EXPONENT}: ${budget}`,
          source: `${LOG}; arXiv:2503.04715`,
        },
    steps: options.steps
      ? asked(steps)
      : { value: steps, because: `${budget} over ${batchSize * sequenceLength} a step`, source: "computed" },
    "optimizer.learningRate": {
      value: learningRate,
      because: "of Muon, at any width; 0.02 to 0.04 measured alike",
      source: `${LOG}; kellerjordan.github.io/posts/muon`,
    },
    "optimizer.embeddingLearningRate": {
      value: embeddingLearningRate,
      because: "of AdamW, times 1/√(width / 64)",
      source: `${LOG}; nanochat`,
    },
    "optimizer.headLearningRate": {
      value: headLearningRate,
      because: "of AdamW, times 1/√(width / 64)",
      source: `${LOG}; nanochat`,
    },
  }
}

function regimeReasons({ corpusTokens }: DefaultRecipeOptions, derived: Derived): Reasons {
  const { epochs } = derived
  if (epochs === undefined) return {}
  const value = isDataLimited(derived) ? "data-limited" : "fresh data"
  const seen = `${epochs.toFixed(1)} epochs over ${corpusTokens} tokens`
  return {
    regime: isDataLimited(derived)
      ? {
          value,
          because: `${seen}: SwiGLU, dropout, weight decay`,
          source: "arXiv:2509.14786; assumption, not measured here",
        }
      : { value, because: `${seen}: no dropout, no weight decay`, source: `${LOG}; arXiv:2305.16264` },
  }
}
