// The shape of a decoder, in Hugging Face's keys camel-cased, and the sentences for shapes that cannot be.
import { ConfigError } from "../core/index.ts"

export interface DecoderConfig {
  readonly modelType: "kinglet"
  readonly vocabSize: number
  readonly hiddenSize: number
  /** Width of the feed-forward's middle. */
  readonly intermediateSize: number
  /** 0 is a model too: embedding, norm, head. */
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  /** Divides `numAttentionHeads`; fewer of them share keys and values among query heads. */
  readonly numKeyValueHeads: number
  readonly headDim: number
  readonly maxPositionEmbeddings: number
  readonly positions: "learned" | "rope"
  readonly ropeTheta: number
  readonly norm: "layernorm" | "rmsnorm"
  readonly normEps: number
  /** Norms have a gain per channel. */
  readonly normGain: boolean
  /** Layer norms have a bias per channel. */
  readonly normBias: boolean
  readonly activation: "gelu" | "gelu_tanh" | "relu2" | "swiglu"
  readonly linearBias: boolean
  /** RMSNorm of each head's queries and keys. */
  readonly qkNorm: boolean
  /** A norm, without gain, right after the embedding. */
  readonly embeddingNorm: boolean
  /** The head is the token embedding. */
  readonly tieWordEmbeddings: boolean
  /** `o_proj` and `down_proj` start at zero: each block starts as the identity. An untied head starts near zero. */
  readonly zeroInitProjections: boolean
  /** Standard deviation of initial weights. */
  readonly initializerRange: number
  /** Logits are kept within ± this; 0 for no cap. */
  readonly logitSoftcap: number
  /** Probability of dropping an activation while training: after the embedding, each attention and each feed-forward. */
  readonly dropout: number
  /** `x = a·x + b·x0` before each block, x0 the embedded input; nanochat's. */
  readonly residualScalars: boolean
}

const COUNTS = [
  "vocabSize",
  "hiddenSize",
  "intermediateSize",
  "numAttentionHeads",
  "numKeyValueHeads",
  "headDim",
  "maxPositionEmbeddings",
] as const
const CHOICES: { readonly [key: string]: readonly string[] } = {
  positions: ["learned", "rope"],
  norm: ["layernorm", "rmsnorm"],
  activation: ["gelu", "gelu_tanh", "relu2", "swiglu"],
}
const FLAGS = [
  "normGain",
  "normBias",
  "linearBias",
  "qkNorm",
  "embeddingNorm",
  "tieWordEmbeddings",
  "zeroInitProjections",
  "residualScalars",
] as const
const POSITIVE = ["ropeTheta", "normEps", "initializerRange"] as const

const requireThat = (condition: boolean, message: string, hint?: string): void => {
  if (!condition) throw new ConfigError(message, hint)
}

/**
 * The config itself, once each of its numbers makes sense alone and beside the others.
 *
 * @throws ConfigError  "expected, got", with what to try
 */
export function validateConfig(config: DecoderConfig): DecoderConfig {
  const values = config as unknown as { readonly [key: string]: unknown }
  requireThat(config.modelType === "kinglet", `modelType must be "kinglet", got ${JSON.stringify(config.modelType)}`)
  for (const key of COUNTS)
    requireThat(
      Number.isSafeInteger(config[key]) && config[key] > 0,
      `${key} must be a whole number of 1 or more, got ${config[key]}`,
    )
  for (const key of POSITIVE)
    requireThat(Number.isFinite(config[key]) && config[key] > 0, `${key} must be a positive number, got ${config[key]}`)
  for (const [key, choices] of Object.entries(CHOICES))
    requireThat(
      choices.includes(String(values[key])),
      `${key} must be one of ${choices.join(", ")}, got ${values[key]}`,
    )
  for (const key of FLAGS)
    requireThat(typeof values[key] === "boolean", `${key} must be true or false, got ${values[key]}`)
  validateRanges(config)
  validateHeads(config)
  return config
}

function validateRanges({ numHiddenLayers, logitSoftcap, dropout, norm, normBias }: DecoderConfig): void {
  requireThat(
    Number.isSafeInteger(numHiddenLayers) && numHiddenLayers >= 0,
    `numHiddenLayers must be a whole number of 0 or more, got ${numHiddenLayers}`,
  )
  requireThat(
    logitSoftcap >= 0 && Number.isFinite(logitSoftcap),
    `logitSoftcap must be 0 (none) or more, got ${logitSoftcap}`,
  )
  requireThat(dropout >= 0 && dropout < 1, `dropout must be in [0, 1), got ${dropout}`)
  requireThat(
    norm === "layernorm" || !normBias,
    "normBias needs layernorm, got rmsnorm",
    "RMSNorm has a gain and no bias",
  )
}

function validateHeads({
  hiddenSize,
  numAttentionHeads: H,
  numKeyValueHeads: K,
  headDim,
  positions,
}: DecoderConfig): void {
  requireThat(
    H % K === 0,
    `numKeyValueHeads must divide numAttentionHeads, got ${K} and ${H}`,
    `try numKeyValueHeads ${nearestDivisor(H, K)}`,
  )
  requireThat(
    positions !== "rope" || headDim % 2 === 0,
    `headDim must be even with rope, got ${headDim}`,
    `hiddenSize ${hiddenSize} over ${H} heads; try another number of heads`,
  )
}

/** The divisor of `of` that is nearest to `wanted`, the smaller of two. */
export function nearestDivisor(of: number, wanted: number): number {
  const divisors = Array.from({ length: of }, (_, i) => i + 1).filter((d) => of % d === 0)
  return divisors.reduce((best, d) => (Math.abs(d - wanted) < Math.abs(best - wanted) ? d : best), 1)
}
