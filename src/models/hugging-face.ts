// config.json, to Hugging Face's families and back. A shape that is exactly a Llama is written as one, for our tensor names are
// Llama's; any other is `model_type: "kinglet"` with every key. GPT-2 has names of its own: `hugging-face-tensors.ts`.
import { ConfigError, FormatError } from "../core/index.ts"
import { type DecoderConfig, validateConfig } from "./config.ts"
import { presets } from "./presets.ts"

type Json = { readonly [key: string]: unknown }

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const camelCase = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** Which Hugging Face family holds exactly this shape. */
export type HuggingFaceFamily = "gpt2" | "llama" | "kinglet"

/** Keys that neither family has and both need off. */
const isPlain = (config: DecoderConfig): boolean =>
  !config.qkNorm && !config.embeddingNorm && !config.residualScalars && config.logitSoftcap === 0 && config.normGain

const isGpt2 = (config: DecoderConfig): boolean =>
  isPlain(config) &&
  config.positions === "learned" &&
  config.norm === "layernorm" &&
  config.normBias &&
  config.linearBias &&
  (config.activation === "gelu" || config.activation === "gelu_tanh") &&
  config.numKeyValueHeads === config.numAttentionHeads &&
  config.headDim * config.numAttentionHeads === config.hiddenSize

const isLlama = (config: DecoderConfig): boolean =>
  isPlain(config) && config.positions === "rope" && config.norm === "rmsnorm" && config.activation === "swiglu"

export function huggingFaceFamily(config: DecoderConfig): HuggingFaceFamily {
  if (config.numHiddenLayers === 0) return "kinglet"
  return isGpt2(config) ? "gpt2" : isLlama(config) ? "llama" : "kinglet"
}

/** The contents of the config.json that belongs beside tensors under our own names: a Llama's where it is one. */
export function toHuggingFaceConfig(config: DecoderConfig): Json {
  const write = huggingFaceFamily(config) === "llama" ? writeLlama : writeKinglet
  return { ...write(config), torch_dtype: "float32" }
}

/**
 * The config in a config.json of a GPT-2, a Llama or a Kinglet.
 *
 * @throws FormatError  if it is none of them, or a key is missing
 * @throws ConfigError  if its numbers do not fit together
 */
export function fromHuggingFaceConfig(json: unknown): DecoderConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new FormatError("config.json must hold an object")
  const type = (json as Json)["model_type"]
  if (type === "gpt2") return readGpt2(json as Json)
  if (type === "llama") return readLlama(json as Json)
  if (type === "kinglet") return readKinglet(json as Json)
  throw new FormatError(`config.json: model_type must be gpt2, llama or kinglet, got ${JSON.stringify(type)}`)
}

function required<T extends "number" | "string">(
  json: Json,
  key: string,
  type: T,
): T extends "number" ? number : string {
  const value = json[key]
  if (typeof value !== type)
    throw new FormatError(`config.json: ${key} must be a ${type}, got ${JSON.stringify(value)}`)
  return value as T extends "number" ? number : string
}

const orElse = <T>(value: unknown, fallback: T): T => (value === undefined || value === null ? fallback : (value as T))

// GPT-2

/** The config.json of a GPT-2; its tensors must be renamed too. */
export function writeGpt2(config: DecoderConfig): Json {
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    vocab_size: config.vocabSize,
    n_embd: config.hiddenSize,
    n_inner: config.intermediateSize,
    n_layer: config.numHiddenLayers,
    n_head: config.numAttentionHeads,
    n_positions: config.maxPositionEmbeddings,
    n_ctx: config.maxPositionEmbeddings,
    layer_norm_epsilon: config.normEps,
    activation_function: config.activation === "gelu_tanh" ? "gelu_new" : "gelu",
    initializer_range: config.initializerRange,
    embd_pdrop: config.dropout,
    resid_pdrop: config.dropout,
    attn_pdrop: 0, // dropping attention probabilities is not done here
    tie_word_embeddings: config.tieWordEmbeddings,
    zero_init_projections: config.zeroInitProjections,
    torch_dtype: "float32",
  }
}

const GPT2_ACTIVATIONS: { readonly [name: string]: DecoderConfig["activation"] } = {
  gelu_new: "gelu_tanh",
  gelu_pytorch_tanh: "gelu_tanh",
  gelu: "gelu",
}

function readGpt2(json: Json): DecoderConfig {
  const name = orElse(json["activation_function"], "gelu_new")
  const activation = GPT2_ACTIVATIONS[name]
  if (activation === undefined) throw new ConfigError(`activation_function must be gelu_new or gelu, got "${name}"`)
  const hiddenSize = required(json, "n_embd", "number")
  return presets.gpt2({
    vocabSize: required(json, "vocab_size", "number"),
    hiddenSize,
    intermediateSize: orElse(json["n_inner"], 4 * hiddenSize),
    numHiddenLayers: required(json, "n_layer", "number"),
    numAttentionHeads: required(json, "n_head", "number"),
    maxPositionEmbeddings: required(json, "n_positions", "number"),
    normEps: orElse(json["layer_norm_epsilon"], 1e-5),
    activation,
    initializerRange: orElse(json["initializer_range"], 0.02),
    dropout: orElse(json["resid_pdrop"], 0),
    tieWordEmbeddings: orElse(json["tie_word_embeddings"], true),
    zeroInitProjections: orElse(json["zero_init_projections"], false),
  })
}

// Llama

function writeLlama(config: DecoderConfig): Json {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    head_dim: config.headDim,
    max_position_embeddings: config.maxPositionEmbeddings,
    rope_theta: config.ropeTheta,
    rms_norm_eps: config.normEps,
    hidden_act: "silu",
    attention_bias: config.linearBias,
    mlp_bias: config.linearBias,
    initializer_range: config.initializerRange,
    tie_word_embeddings: config.tieWordEmbeddings,
    zero_init_projections: config.zeroInitProjections,
    dropout: config.dropout,
  }
}

function readLlama(json: Json): DecoderConfig {
  const heads = required(json, "num_attention_heads", "number")
  const hiddenSize = required(json, "hidden_size", "number")
  const bias = orElse(json["attention_bias"], false)
  if (orElse(json["mlp_bias"], false) !== bias) throw new ConfigError("attention_bias and mlp_bias must be the same")
  if (orElse(json["rope_scaling"], undefined) !== undefined)
    throw new ConfigError("rope_scaling is not known here", "only plain rope_theta is")
  return presets.llama({
    vocabSize: required(json, "vocab_size", "number"),
    hiddenSize,
    intermediateSize: required(json, "intermediate_size", "number"),
    numHiddenLayers: required(json, "num_hidden_layers", "number"),
    numAttentionHeads: heads,
    numKeyValueHeads: orElse(json["num_key_value_heads"], heads),
    headDim: orElse(json["head_dim"], hiddenSize / heads),
    maxPositionEmbeddings: required(json, "max_position_embeddings", "number"),
    ropeTheta: orElse(json["rope_theta"], 10000),
    normEps: orElse(json["rms_norm_eps"], 1e-6),
    linearBias: bias,
    initializerRange: orElse(json["initializer_range"], 0.02),
    tieWordEmbeddings: orElse(json["tie_word_embeddings"], false),
    zeroInitProjections: orElse(json["zero_init_projections"], false),
    dropout: orElse(json["dropout"], 0),
  })
}

// Kinglet

const writeKinglet = (config: DecoderConfig): Json => ({
  architectures: ["KingletForCausalLM"],
  ...Object.fromEntries(Object.entries(config).map(([key, value]) => [snakeCase(key), value])),
})

function readKinglet(json: Json): DecoderConfig {
  const known = ([key]: [string, unknown]) => key !== "architectures" && key !== "torch_dtype"
  const entries = Object.entries(json)
    .filter(known)
    .map(([key, value]) => [camelCase(key), value])
  return validateConfig(Object.fromEntries(entries) as unknown as DecoderConfig)
}
