// Tensors under the names of Hugging Face's files and back. Our names are Llama's; GPT-2 fuses q, k and v into one matrix and
// stores matrices `[in, out]`.
import { FormatError, formatShape, type Shape, sameShape } from "../core/index.ts"
import type { DecoderConfig } from "./config.ts"
import { huggingFaceFamily, toHuggingFaceConfig, writeGpt2 } from "./hugging-face.ts"
import { decoderParameters } from "./parameters.ts"

export interface NamedTensor {
  readonly shape: Shape
  readonly values: Float32Array
}
type Tensors = { readonly [name: string]: NamedTensor }

/** One of GPT-2's modules and ours that it is made of. */
interface Module {
  readonly theirs: string
  readonly ours: readonly string[]
  /** Weights are matrices stored `[in, out]`. */
  readonly isLinear: boolean
}

const LAYER_MODULES: readonly Module[] = [
  { theirs: "ln_1", ours: ["input_layernorm"], isLinear: false },
  { theirs: "attn.c_attn", ours: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], isLinear: true },
  { theirs: "attn.c_proj", ours: ["self_attn.o_proj"], isLinear: true },
  { theirs: "ln_2", ours: ["post_attention_layernorm"], isLinear: false },
  { theirs: "mlp.c_fc", ours: ["mlp.up_proj"], isLinear: true },
  { theirs: "mlp.c_proj", ours: ["mlp.down_proj"], isLinear: true },
]
/** Present in files of a whole model, absent in some. */
const PREFIX = "transformer."

function gpt2Modules({ numHiddenLayers }: DecoderConfig): Module[] {
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    LAYER_MODULES.map(({ theirs, ours, isLinear }) => ({
      theirs: `${PREFIX}h.${layer}.${theirs}`,
      ours: ours.map((name) => `model.layers.${layer}.${name}`),
      isLinear,
    })),
  )
  return [
    { theirs: `${PREFIX}wte`, ours: ["model.embed_tokens"], isLinear: false },
    { theirs: `${PREFIX}wpe`, ours: ["model.embed_positions"], isLinear: false },
    ...layers.flat(),
    { theirs: `${PREFIX}ln_f`, ours: ["model.norm"], isLinear: false },
    { theirs: "lm_head", ours: ["lm_head"], isLinear: false },
  ]
}

/**
 * Parameters as the files of their Hugging Face family: config.json and tensors that belong together. A GPT-2's are renamed,
 * fused and transposed; those of a Llama or a Kinglet stay as they are.
 */
export function toHuggingFaceCheckpoint(
  config: DecoderConfig,
  parameters: { readonly [name: string]: Float32Array },
): { config: object; tensors: { [name: string]: NamedTensor } } {
  const specs = decoderParameters(config)
  const ours = Object.entries(specs).map(([name, { shape }]) => [name, { shape, values: parameters[name]! }] as const)
  if (huggingFaceFamily(config) !== "gpt2")
    return { config: toHuggingFaceConfig(config), tensors: Object.fromEntries(ours) }
  return { config: writeGpt2(config), tensors: writeGpt2Tensors(config, Object.fromEntries(ours)) }
}

/**
 * Our parameters from a file of any family; what the model has no use for, such as a tied head's copy, is passed over.
 *
 * @throws FormatError  if a tensor is missing or has another shape than the config says
 */
export function fromHuggingFaceTensors(config: DecoderConfig, tensors: Tensors): { [name: string]: Float32Array } {
  const isGpt2 = Object.keys(tensors).some((name) => /^(transformer\.)?wte\./.test(name))
  const ours = isGpt2 ? readGpt2Tensors(config, tensors) : tensors
  return Object.fromEntries(
    Object.entries(decoderParameters(config)).map(([name, { shape }]) => {
      const tensor = ours[name]
      if (tensor === undefined)
        throw new FormatError(`the file has no tensor "${name}"`, {
          hint: "config.json and weights do not belong together",
        })
      if (!sameShape(tensor.shape, shape))
        throw new FormatError(
          `${name} must be ${formatShape(shape)} as config.json says, got ${formatShape(tensor.shape)}`,
        )
      return [name, tensor.values]
    }),
  )
}

function writeGpt2Tensors(config: DecoderConfig, ours: Tensors): { [name: string]: NamedTensor } {
  const written: { [name: string]: NamedTensor } = {}
  for (const module of gpt2Modules(config))
    for (const suffix of ["weight", "bias"]) {
      const parts = module.ours.flatMap((name) => ours[`${name}.${suffix}`] ?? [])
      if (parts.length === 0) continue
      const joined = joinRows(parts)
      written[`${module.theirs}.${suffix}`] = module.isLinear && suffix === "weight" ? swapAxes(joined) : joined
    }
  return written
}

function readGpt2Tensors(config: DecoderConfig, theirs: Tensors): Tensors {
  const specs = decoderParameters(config)
  const read: { [name: string]: NamedTensor } = {}
  for (const module of gpt2Modules(config))
    for (const suffix of ["weight", "bias"]) {
      const name = `${module.theirs}.${suffix}`
      const tensor = theirs[name] ?? theirs[name.replace(PREFIX, "")]
      if (tensor === undefined) continue
      const joined = module.isLinear && suffix === "weight" ? swapAxes(tensor) : tensor
      const names = module.ours.map((our) => `${our}.${suffix}`).filter((our) => Object.hasOwn(specs, our))
      for (const [index, part] of splitRows(joined, names.length).entries()) read[names[index]!] = part
    }
  return read
}

/** Joined along the first axis. */
function joinRows(parts: readonly NamedTensor[]): NamedTensor {
  const values = new Float32Array(parts.reduce((total, part) => total + part.values.length, 0))
  let at = 0
  for (const part of parts) {
    values.set(part.values, at)
    at += part.values.length
  }
  return { shape: [parts.reduce((rows, { shape }) => rows + shape[0]!, 0), ...parts[0]!.shape.slice(1)], values }
}

/** `count` equal parts along the first axis. */
function splitRows({ shape, values }: NamedTensor, count: number): NamedTensor[] {
  const size = values.length / count
  return Array.from({ length: count }, (_, i) => ({
    shape: [shape[0]! / count, ...shape.slice(1)],
    values: values.slice(i * size, (i + 1) * size),
  }))
}

/** `[R, C]` to `[C, R]`. */
function swapAxes({ shape, values }: NamedTensor): NamedTensor {
  const [R, C] = shape as [number, number]
  return { shape: [C, R], values: values.map((_, i) => values[(i % R) * C + Math.floor(i / R)]!) }
}
