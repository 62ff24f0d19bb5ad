// What `train` needs to know of a model: its parameters and a forward function. The decoder is one such pair; a caller may
// hand in another ("a block of one's own").
import { randomStream, sizeOf } from "../core/index.ts"
import {
  type DecoderConfig,
  decoder,
  decoderParameters,
  initializeParameters,
  type ParameterSpec,
  parameterCounts,
} from "../models/index.ts"
import { crossEntropy, type Tensor } from "../tensor/index.ts"

export interface ForwardContext {
  /** i32 scalar, another one each step, for dropout; absent when evaluating. */
  readonly dropoutSeed?: Tensor
}

/** A model as `train` sees it. */
export interface ModelDefinition {
  /** Every trained parameter by name; the role tells the optimizer what it is. */
  readonly parameters: { readonly [name: string]: ParameterSpec }
  /**
   * Next-token logits.
   *
   * @param tokens  i32 `[B, T]`; B and T differ between training, evaluation and sampling
   * @returns       `[B, T, V]`
   */
  forward(parameters: { readonly [name: string]: Tensor }, tokens: Tensor, context: ForwardContext): Tensor
  /**
   * What `forward` makes its logits of: `logits = softcap?(hidden·weightᵀ)`. A model that says it is trained and evaluated
   * without stored logits where that pays: with the default loss, and a large vocabulary.
   */
  head?(parameters: { readonly [name: string]: Tensor }, tokens: Tensor, context: ForwardContext): ModelHead
}

/** The last product of a model. */
export interface ModelHead {
  /** `[B, T, C]` */
  readonly hidden: Tensor
  /** `[V, C]` */
  readonly weight: Tensor
  /** Logits are bent to `softcap · tanh(logits / softcap)`; 0 for none. */
  readonly softcap: number
}

/**
 * A loss per token, `[N]`, from logits `[N, V]` and targets i32 `[N]`; a negative target is padding and must give 0. The
 * step minimizes its mean over the targets that count.
 */
export type LossFunction = (logits: Tensor, targets: Tensor) => Tensor

/** `-ln softmax(logits)[target]`, in nats. */
export const defaultLoss: LossFunction = crossEntropy

/** Kinglet's own decoder. */
export function decoderDefinition(config: DecoderConfig): ModelDefinition {
  return {
    parameters: decoderParameters(config),
    forward: (parameters, tokens, context) => decoder(config, parameters, tokens, context).logits,
    // trained parameters are plain tensors, and so is the head's
    head: (parameters, tokens, context) => decoder(config, parameters, tokens, context).head as ModelHead,
  }
}

/** First values, each parameter from its own random stream. */
export function initialParameters(
  definition: ModelDefinition,
  config: DecoderConfig | undefined,
  seed: number,
): { [name: string]: Float32Array } {
  if (config) return initializeParameters(config, seed)
  return Object.fromEntries(
    Object.entries(definition.parameters).map(([name, spec]) => [name, initialValues(spec, seed, name)]),
  )
}

function initialValues({ shape, init }: ParameterSpec, seed: number, name: string): Float32Array {
  const values = new Float32Array(sizeOf(shape))
  if (init.kind === "constant") return values.fill(init.value)
  if (init.kind !== "normal") return values.fill(init.kind === "ones" ? 1 : 0)
  const stream = randomStream(seed, "init", name)
  return values.map(() => init.std * stream.normal())
}

/** Total, non-embedding and matmul parameters; of a model of one's own by the roles of its parameters. */
export function countParameters(
  definition: ModelDefinition,
  config: DecoderConfig | undefined,
): { total: number; nonEmbedding: number; matmul: number } {
  if (config) return parameterCounts(config)
  const specs = Object.values(definition.parameters)
  const count = (accepts: (spec: ParameterSpec) => boolean): number =>
    specs.filter(accepts).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  return {
    total: count(() => true),
    nonEmbedding: count(({ role }) => role !== "embedding" && role !== "head"),
    matmul: count(({ role }) => role === "matrix" || role === "head"),
  }
}
