// The one decoder: config and parameters in, logits out. GPT-2 and Llama are two settings of it.
import { ConfigError, ShapeError } from "../core/index.ts"
import {
  dropout,
  embedding,
  gelu,
  geluTanh,
  layerNorm,
  linear,
  type Projection,
  type RopeTables,
  reluSquared,
  rmsNorm,
  ropeTables,
  selfAttention,
  softcap,
  swiglu,
  type Weight,
} from "../nn/index.ts"
import {
  add,
  data,
  gather,
  greater,
  matmul,
  multiply,
  reshape,
  slice,
  subtract,
  sum,
  type Tensor,
  toFloat,
  type Update,
} from "../tensor/index.ts"
import type { KeyValueCache } from "./cache.ts"
import type { DecoderConfig } from "./config.ts"
import { TOKEN_TABLE } from "./parameters.ts"

export interface DecoderOptions {
  /** Place of the first token of each sequence, i32 `[B]`; 0 when not given. */
  readonly position?: Tensor | undefined
  /** Keys and values of earlier tokens are read from here, and new ones written by the returned updates. */
  readonly cache?: KeyValueCache | undefined
  /** i32 scalar, another one each step; nothing is dropped without it. */
  readonly dropoutSeed?: Tensor | undefined
  /** Row t whose logits are wanted, one per sequence, i32 `[B]`; all rows when not given. */
  readonly logitsAt?: Tensor | undefined
}

/** What logits are made of, for those who do not want them stored: `logits = softcap?(hidden·weightᵀ)`. */
export interface DecoderHead {
  /** The last rows, normalized: the shape of the logits, with C for V. */
  readonly hidden: Tensor
  /** `[V, C]` */
  readonly weight: Weight
  /** 0 for none. */
  readonly softcap: number
}

/** What every part of one forward pass needs. */
interface Pass {
  readonly config: DecoderConfig
  readonly parameters: { readonly [name: string]: Weight }
  readonly options: DecoderOptions
  readonly position: Tensor
  readonly rope: RopeTables | undefined
}

/**
 * Next-token logits of a batch of token sequences.
 *
 * `x = norm?(E[tokens] (+ P[position])`, then for each layer `x += attention(norm(x))`, `x += feedForward(norm(x))`, then
 * `logits = softcap?(norm(x)·headᵀ)`. Zero layers leave embedding, norm and head.
 *
 * @param parameters  what `linear` and `embedding` read may be packed, all else is plain
 * @param tokens      i32 `[B, T]`
 * @returns           logits `[B, T, V]`, or `[B, V]` with `logitsAt`; the head that they come from; updates that fill the cache
 * @throws ConfigError  if a parameter is missing, or packed where it must be plain
 * @throws ShapeError   if T is longer than the config's maxPositionEmbeddings
 */
export function decoder(
  config: DecoderConfig,
  parameters: { readonly [name: string]: Weight },
  tokens: Tensor,
  options: DecoderOptions = {},
): { logits: Tensor; head: DecoderHead; updates: Update[] } {
  const [B, T] = tokens.shape as [number, number]
  if (T > config.maxPositionEmbeddings)
    throw new ShapeError(`decoder: at most ${config.maxPositionEmbeddings} tokens fit the context, got ${T}`)
  const position = options.position ?? data(new Int32Array(B), [B])
  const rotates = config.positions === "rope" && config.numHiddenLayers > 0
  const pass: Pass = { config, parameters, options, position, rope: rotates ? ropeTablesOf(config) : undefined }
  const updates: Update[] = []
  const x0 = embed(pass, tokens)
  let x = x0
  for (let layer = 0; layer < config.numHiddenLayers; layer++) x = block(pass, layer, x, x0, updates)
  const head = headOf(pass, x)
  const logits = linear(head.hidden, head.weight)
  return { logits: head.softcap === 0 ? logits : softcap(logits, head.softcap), head, updates }
}

/** Tables of the configs in use: the passes of a model share one tensor, which a workspace keeps once. */
const tables = new WeakMap<DecoderConfig, RopeTables>()

function ropeTablesOf(config: DecoderConfig): RopeTables {
  const made = tables.get(config) ?? ropeTables(config.maxPositionEmbeddings, config.headDim, config.ropeTheta)
  tables.set(config, made)
  return made
}

function weight({ parameters }: Pass, name: string): Weight {
  const found = parameters[name]
  if (found === undefined)
    throw new ConfigError(`the model has no parameter "${name}"`, "config and checkpoint do not belong together")
  return found
}

/** A parameter that is not multiplied with: a gain, a bias, a table of positions. */
function parameter(pass: Pass, name: string): Tensor {
  const found = weight(pass, name)
  if (!("kind" in found)) return found
  throw new ConfigError(`parameter "${name}" must be a plain tensor, got a ${found.kind} weight`)
}

const projection = (pass: Pass, name: string): Projection => ({
  weight: weight(pass, `${name}.weight`),
  bias: pass.config.linearBias ? parameter(pass, `${name}.bias`) : undefined,
})

/** Token and position embeddings, `[B, T, C]`. */
function embed(pass: Pass, tokens: Tensor): Tensor {
  const { config, options } = pass
  const rows = embedding(tokens, weight(pass, TOKEN_TABLE))
  const placed = config.positions === "learned" ? add(rows, embedPositions(pass, tokens.shape[1]!)) : rows
  const x = config.embeddingNorm ? plainNorm(config, placed) : placed
  return options.dropoutSeed === undefined ? x : dropout(x, config.dropout, options.dropoutSeed, 0)
}

/** Rows `position + t` of the position table: `[T, C]` when all start at 0, else `[B, T, C]`. */
function embedPositions(pass: Pass, T: number): Tensor {
  const table = parameter(pass, "model.embed_positions.weight")
  const { position } = pass.options
  if (position === undefined) return slice(table, 0, 0, T)
  if (T === 1) return reshape(gather(table, position), [position.shape[0]!, 1, -1])
  // Ids have no arithmetic: row b, t is one-hot at p - t = position[b], and the lookup a product.
  const [P] = table.shape as [number, number]
  const offsets = Float32Array.from({ length: T * P }, (_, i) => (i % P) - Math.floor(i / P))
  return matmul(equal(data(offsets, [T, P]), reshape(toFloat(position), [-1, 1, 1])), table)
}

/** 1 where a = b, else 0. */
const equal = (a: Tensor, b: Tensor): Tensor => subtract(1, add(greater(a, b), greater(b, a)))

const plainNorm = ({ norm, normEps }: DecoderConfig, x: Tensor): Tensor =>
  norm === "rmsnorm" ? rmsNorm(x, undefined, normEps) : layerNorm(x, undefined, undefined, normEps)

function normalize(pass: Pass, name: string, x: Tensor): Tensor {
  const { norm, normEps, normGain, normBias } = pass.config
  const gain = normGain ? parameter(pass, `${name}.weight`) : undefined
  const bias = normBias ? parameter(pass, `${name}.bias`) : undefined
  return norm === "rmsnorm" ? rmsNorm(x, gain, normEps) : layerNorm(x, gain, bias, normEps)
}

/** One layer: `x += attention(norm(x))`, `x += feedForward(norm(x))`. */
function block(pass: Pass, layer: number, x: Tensor, x0: Tensor, updates: Update[]): Tensor {
  const name = `model.layers.${layer}`
  const start = pass.config.residualScalars
    ? add(
        multiply(x, parameter(pass, `${name}.residual_scale`)),
        multiply(x0, parameter(pass, `${name}.embedding_scale`)),
      )
    : x
  const attended = attend(pass, layer, normalize(pass, `${name}.input_layernorm`, start), updates)
  const middle = add(start, drop(pass, attended, 2 * layer + 1))
  const fed = feedForward(pass, `${name}.mlp`, normalize(pass, `${name}.post_attention_layernorm`, middle))
  return add(middle, drop(pass, fed, 2 * layer + 2))
}

const drop = ({ config, options }: Pass, x: Tensor, stream: number): Tensor =>
  options.dropoutSeed === undefined ? x : dropout(x, config.dropout, options.dropoutSeed, stream)

function attend(pass: Pass, layer: number, x: Tensor, updates: Update[]): Tensor {
  const { config, options, position, rope } = pass
  const name = `model.layers.${layer}.self_attn`
  const [q, k, v, o] = ["q_proj", "k_proj", "v_proj", "o_proj"].map((part) => projection(pass, `${name}.${part}`)) as [
    Projection,
    Projection,
    Projection,
    Projection,
  ]
  const gain = (part: string) => (config.normGain ? parameter(pass, `${name}.${part}.weight`) : undefined)
  const attended = selfAttention(
    x,
    { q, k, v, o },
    {
      numHeads: config.numAttentionHeads,
      numKeyValueHeads: config.numKeyValueHeads,
      headDim: config.headDim,
      position,
      rope,
      qkNorm: config.qkNorm ? { eps: config.normEps, q: gain("q_norm"), k: gain("k_norm") } : undefined,
      cache: options.cache?.layers[layer],
    },
  )
  updates.push(...attended.updates)
  return attended.y
}

const activations = { gelu, gelu_tanh: geluTanh, relu2: reluSquared } as const

/** `down(activation(up(x)))`, or `down(silu(gate(x)) · up(x))`. */
function feedForward(pass: Pass, name: string, x: Tensor): Tensor {
  const { activation } = pass.config
  const through = (part: string, input: Tensor): Tensor => {
    const of = projection(pass, `${name}.${part}`)
    return linear(input, of.weight, of.bias)
  }
  const up = through("up_proj", x)
  return through(
    "down_proj",
    activation === "swiglu" ? swiglu(through("gate_proj", x), up) : activations[activation](up),
  )
}

function headOf(pass: Pass, x: Tensor): DecoderHead {
  const { config, options } = pass
  const rows = options.logitsAt === undefined ? x : selectRows(x, options.logitsAt)
  return {
    hidden: normalize(pass, "model.norm", rows),
    weight: weight(pass, config.tieWordEmbeddings ? TOKEN_TABLE : "lm_head.weight"),
    softcap: config.logitSoftcap,
  }
}

/** Row `at[b]` of each sequence: `x [B, T, C]`, at i32 `[B]` → `[B, C]`. */
function selectRows(x: Tensor, at: Tensor): Tensor {
  const [B, T, C] = x.shape as [number, number, number]
  if (T === 1) return reshape(x, [B, C])
  if (B === 1) return gather(reshape(x, [T, C]), at)
  const rows = data(
    Float32Array.from({ length: T }, (_, t) => t),
    [1, T, 1],
  )
  return sum(multiply(x, equal(rows, reshape(toFloat(at), [B, 1, 1]))), [1])
}
