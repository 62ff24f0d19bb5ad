// The parameters of a decoder: names (those of a Hugging Face Llama), shapes, roles, first values and counts.
import { fillNormal, randomStream, type Shape, sizeOf } from "../core/index.ts"
import { packedWeight, type Weight } from "../nn/index.ts"
import { state, type Tensor } from "../tensor/index.ts"
import type { DecoderConfig } from "./config.ts"

/** What a parameter is for: optimizers choose by it who decays and who gets Muon. */
export type ParameterRole = "embedding" | "head" | "matrix" | "gain" | "bias" | "scalar"

export type ParameterInit =
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "zeros" }
  | { readonly kind: "ones" }
  | { readonly kind: "constant"; readonly value: number }

export interface ParameterSpec {
  readonly shape: Shape
  readonly role: ParameterRole
  readonly init: ParameterInit
}

type Specs = { [name: string]: ParameterSpec }

/** The token embedding, and the head where it is tied. */
export const TOKEN_TABLE = "model.embed_tokens.weight"

const zeros = { kind: "zeros" } as const
const ones = { kind: "ones" } as const
/** An untied head of a model with zeroed projections: near zero, as nanochat's. */
const SMALL_HEAD_STD = 0.001

/** Every parameter by name, in storage order. A tied head has no entry. */
export function decoderParameters(config: DecoderConfig): { readonly [name: string]: ParameterSpec } {
  const { vocabSize: V, hiddenSize: C, initializerRange: std } = config
  const normal = { kind: "normal", std } as const
  const specs: Specs = { [TOKEN_TABLE]: { shape: [V, C], role: "embedding", init: normal } }
  if (config.positions === "learned")
    specs["model.embed_positions.weight"] = {
      shape: [config.maxPositionEmbeddings, C],
      role: "embedding",
      init: normal,
    }
  for (let layer = 0; layer < config.numHiddenLayers; layer++)
    Object.assign(specs, layerParameters(config, `model.layers.${layer}`))
  Object.assign(specs, normParameters(config, "model.norm"))
  if (!config.tieWordEmbeddings) {
    const init = config.zeroInitProjections ? ({ kind: "normal", std: SMALL_HEAD_STD } as const) : normal
    specs["lm_head.weight"] = { shape: [V, C], role: "head", init }
  }
  return specs
}

function layerParameters(config: DecoderConfig, layer: string): Specs {
  const { hiddenSize: C, intermediateSize: F, numAttentionHeads: H, numKeyValueHeads: K, headDim: D } = config
  return {
    ...(config.residualScalars ? residualScalars(layer) : {}),
    ...normParameters(config, `${layer}.input_layernorm`),
    ...linearParameters(config, `${layer}.self_attn.q_proj`, H * D, C),
    ...linearParameters(config, `${layer}.self_attn.k_proj`, K * D, C),
    ...linearParameters(config, `${layer}.self_attn.v_proj`, K * D, C),
    ...(config.qkNorm && config.normGain
      ? { ...gain(`${layer}.self_attn.q_norm`, D), ...gain(`${layer}.self_attn.k_norm`, D) }
      : {}),
    ...linearParameters(config, `${layer}.self_attn.o_proj`, C, H * D, residualInit(config)),
    ...normParameters(config, `${layer}.post_attention_layernorm`),
    ...(config.activation === "swiglu" ? linearParameters(config, `${layer}.mlp.gate_proj`, F, C) : {}),
    ...linearParameters(config, `${layer}.mlp.up_proj`, F, C),
    ...linearParameters(config, `${layer}.mlp.down_proj`, C, F, residualInit(config)),
  }
}

/** GPT-2's `std / sqrt(2L)`: 2L projections add into the residual stream, whose variance then does not grow with depth. */
const residualInit = ({ zeroInitProjections, initializerRange, numHiddenLayers }: DecoderConfig): ParameterInit =>
  zeroInitProjections ? zeros : { kind: "normal", std: initializerRange / Math.sqrt(2 * numHiddenLayers) }

const gain = (name: string, size: number): Specs => ({
  [`${name}.weight`]: { shape: [size], role: "gain", init: ones },
})

function normParameters({ hiddenSize, normGain, normBias }: DecoderConfig, name: string): Specs {
  return {
    ...(normGain ? gain(name, hiddenSize) : {}),
    ...(normBias ? { [`${name}.bias`]: { shape: [hiddenSize], role: "bias", init: zeros } as const } : {}),
  }
}

function linearParameters(config: DecoderConfig, name: string, out: number, into: number, init?: ParameterInit): Specs {
  const weight = {
    shape: [out, into],
    role: "matrix",
    init: init ?? { kind: "normal", std: config.initializerRange },
  } as const
  const bias = { [`${name}.bias`]: { shape: [out], role: "bias", init: zeros } as const }
  return { [`${name}.weight`]: weight, ...(config.linearBias ? bias : {}) }
}

const residualScalars = (layer: string): Specs => ({
  [`${layer}.residual_scale`]: { shape: [1], role: "scalar", init: { kind: "constant", value: 1 } },
  [`${layer}.embedding_scale`]: { shape: [1], role: "scalar", init: { kind: "constant", value: 0 } },
})

/** First values of every parameter. Each has a random stream of its own, so adding one does not change the others. */
export function initializeParameters(config: DecoderConfig, seed: number): { [name: string]: Float32Array } {
  return Object.fromEntries(
    Object.entries(decoderParameters(config)).map(([name, spec]) => [name, initialValues(spec, seed, name)]),
  )
}

function initialValues({ shape, init }: ParameterSpec, seed: number, name: string): Float32Array {
  const values = new Float32Array(sizeOf(shape))
  if (init.kind === "zeros") return values
  if (init.kind === "ones") return values.fill(1)
  if (init.kind === "constant") return values.fill(init.value)
  return fillNormal(values, randomStream(seed, "init", name), init.std)
}

/** A state tensor for every parameter. */
export function parameterStates(config: DecoderConfig): { [name: string]: Tensor } {
  return Object.fromEntries(
    Object.entries(decoderParameters(config)).map(([name, { shape }]) => [name, state(name, shape)]),
  )
}

/** States as a model is run with: what `linear` and `embedding` read is packed, stored as `dtype`; all else is plain f32. */
export function packedParameterStates(config: DecoderConfig, dtype: "f32" | "f16"): { [name: string]: Weight } {
  const isMultiplied = (name: string, role: ParameterRole) =>
    role === "matrix" || role === "head" || name === TOKEN_TABLE
  return Object.fromEntries(
    Object.entries(decoderParameters(config)).map(([name, { shape, role }]) => [
      name,
      isMultiplied(name, role) ? packedWeight(name, shape, dtype) : state(name, shape),
    ]),
  )
}

/**
 * Parameters three ways, since papers disagree: `total`; `nonEmbedding` without token and position tables and head (Kaplan);
 * `matmul`, those that take part in a matrix product, 6 FLOPs a token each when training: matrices and the head, tied or not.
 */
export function parameterCounts(config: DecoderConfig): { total: number; nonEmbedding: number; matmul: number } {
  const specs = Object.values(decoderParameters(config))
  const count = (...roles: ParameterRole[]) =>
    specs
      .filter(({ role }) => roles.length === 0 || roles.includes(role))
      .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  return {
    total: count(),
    nonEmbedding: count("matrix", "gain", "bias", "scalar"),
    matmul: count("matrix") + config.vocabSize * config.hiddenSize,
  }
}
