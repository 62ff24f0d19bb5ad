// The works that peers are measured on, as plain shapes: every peer builds its own model from the same numbers.

/** GPT-2's block without biases: LayerNorm, exact GELU, learned positions, tied head; AdamW with clipping, no dropout. */
export interface TrainingWork {
  readonly kind: "training"
  readonly layers: number
  readonly heads: number
  readonly width: number
  readonly context: number
  readonly batch: number
  readonly vocabSize: number
  readonly peakLearningRate: number
  readonly warmup: number
  readonly recipeSteps: number
  readonly betas: readonly [number, number]
  readonly weightDecay: number
  readonly clip: number
  /** Steps of one round for the fastest; a slower peer makes fewer. */
  readonly stepsPerRound: number
}

/** Llama's block: RMSNorm, rotary positions, grouped queries, SwiGLU, tied head; weights are random. */
export interface DecodingWork {
  readonly kind: "decoding"
  readonly layers: number
  readonly heads: number
  readonly keyValueHeads: number
  readonly width: number
  readonly feedForward: number
  readonly vocabSize: number
  readonly context: number
  readonly ropeTheta: number
  readonly rmsNormEps: number
  readonly promptTokens: number
  readonly decodeTokens: number
  readonly threads: number
}

export type Work = TrainingWork | DecodingWork

const nanogptCpu: TrainingWork = {
  kind: "training",
  layers: 4,
  heads: 4,
  width: 128,
  context: 64,
  batch: 12,
  vocabSize: 65,
  peakLearningRate: 1e-3,
  warmup: 100,
  recipeSteps: 2000,
  betas: [0.9, 0.99],
  weightDecay: 0.1,
  clip: 1,
  stepsPerRound: 60,
}

export const WORKS: { readonly [name: string]: Work } = {
  "nanogpt-cpu": nanogptCpu,
  "nanogpt-384": { ...nanogptCpu, layers: 6, heads: 6, width: 384, context: 256, batch: 8, stepsPerRound: 6 },
  "smollm-135m": {
    kind: "decoding",
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    width: 576,
    feedForward: 1536,
    vocabSize: 49_152,
    context: 256,
    ropeTheta: 10_000,
    rmsNormEps: 1e-5,
    promptTokens: 63,
    decodeTokens: 32,
    threads: 1,
  },
}
