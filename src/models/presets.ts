// Two families as starting points: say the sizes, get a whole config. Everything may be overridden.
import { ConfigError } from "../core/index.ts"
import { type DecoderConfig, nearestDivisor, validateConfig } from "./config.ts"

/** What a preset must be told; every other key of the config may be given too. */
export type PresetSizes = Pick<
  DecoderConfig,
  "vocabSize" | "hiddenSize" | "numHiddenLayers" | "numAttentionHeads" | "maxPositionEmbeddings"
> &
  Partial<DecoderConfig>

const gpt2Style = {
  positions: "learned",
  norm: "layernorm",
  normBias: true,
  activation: "gelu_tanh",
  linearBias: true,
  tieWordEmbeddings: true,
} as const
const llamaStyle = {
  positions: "rope",
  norm: "rmsnorm",
  normBias: false,
  activation: "swiglu",
  linearBias: false,
  tieWordEmbeddings: false,
} as const

/** 4·C, or 8/3·C for the three matrices of SwiGLU (about the same parameters), rounded up to a multiple of 8. */
const defaultIntermediateSize = (hiddenSize: number, activation: DecoderConfig["activation"]): number =>
  activation === "swiglu" ? Math.ceil((hiddenSize * 8) / 3 / 8) * 8 : 4 * hiddenSize

function defaultHeadDim(hiddenSize: number, heads: number): number {
  if (hiddenSize % heads === 0) return hiddenSize / heads
  throw new ConfigError(
    `numAttentionHeads must divide hiddenSize, got ${heads} and ${hiddenSize}`,
    `try numAttentionHeads ${nearestDivisor(hiddenSize, heads)}, or give headDim`,
  )
}

const preset =
  (style: typeof gpt2Style | typeof llamaStyle) =>
  (sizes: PresetSizes): DecoderConfig =>
    validateConfig({
      modelType: "kinglet",
      ropeTheta: 10000,
      normEps: 1e-5,
      normGain: true,
      qkNorm: false,
      embeddingNorm: false,
      zeroInitProjections: false,
      initializerRange: 0.02,
      logitSoftcap: 0,
      dropout: 0,
      residualScalars: false,
      ...style,
      numKeyValueHeads: sizes.numAttentionHeads,
      headDim: sizes.headDim ?? defaultHeadDim(sizes.hiddenSize, sizes.numAttentionHeads),
      intermediateSize: defaultIntermediateSize(sizes.hiddenSize, sizes.activation ?? style.activation),
      ...sizes,
    })

/** Config families by name; each throws ConfigError for sizes that do not fit together. */
export const presets = {
  /** Learned positions, LayerNorm, GELU, biases, tied head. @see Radford et al. 2019 */
  gpt2: preset(gpt2Style),
  /** RoPE, RMSNorm, SwiGLU, no biases, untied head; grouped queries by `numKeyValueHeads`. @see Touvron et al. 2023, arXiv:2302.13971 */
  llama: preset(llamaStyle),
} as const
