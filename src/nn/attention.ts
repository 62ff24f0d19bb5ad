// Self-attention with grouped key/value heads, rotary positions, QK-norm and a key/value cache; and the rotation tables.
import { exp, log, sincos } from "../core/index.ts"
import { attention, cacheWrite, data, reshape, rope, type Tensor, type Update } from "../tensor/index.ts"
import { linear, type Projection } from "./linear.ts"
import { rmsNorm } from "./normalization.ts"

/** Cosines and sines of rotary position embedding, `[length, dim/2]` each. */
export interface RopeTables {
  readonly cos: Tensor
  readonly sin: Tensor
}

/**
 * Angles `position · theta^(-2i/dim)` for i < dim/2, as cosines and sines.
 *
 * Computed in f64 from our own exp, log, sin and cos, so that every engine gets the same bits, then rounded to f32.
 *
 * @param length  number of positions
 * @param dim     head dimension, even
 * @param theta   10,000 in the paper; larger for longer contexts
 * @see Su et al. 2021, arXiv:2104.09864
 */
export function ropeTables(length: number, dim: number, theta = 10000): RopeTables {
  const half = dim / 2
  const frequencies = Array.from({ length: half }, (_, i) => exp((-2 * i * log(theta)) / dim))
  const [cos, sin] = [new Float32Array(length * half), new Float32Array(length * half)]
  for (let position = 0; position < length; position++)
    for (let i = 0; i < half; i++) {
      const turn = sincos(position * frequencies[i]!)
      cos[position * half + i] = turn.cos
      sin[position * half + i] = turn.sin
    }
  return { cos: data(cos, [length, half]), sin: data(sin, [length, half]) }
}

/** Keys and values of one layer that earlier runs left behind: states `[B, S, K, D]`. */
export interface LayerCache {
  readonly keys: Tensor
  readonly values: Tensor
}

export interface SelfAttentionWeights {
  readonly q: Projection
  readonly k: Projection
  readonly v: Projection
  readonly o: Projection
}

export interface SelfAttentionOptions {
  readonly numHeads: number
  readonly numKeyValueHeads: number
  readonly headDim: number
  /** Place of the first token of each sequence, i32 `[B]`. */
  readonly position: Tensor
  readonly rope?: RopeTables | undefined
  /** RMSNorm of each head's queries and keys, with gains `[D]` or without. */
  readonly qkNorm?:
    | { readonly eps: number; readonly q?: Tensor | undefined; readonly k?: Tensor | undefined }
    | undefined
  readonly cache?: LayerCache | undefined
}

/**
 * Causal self-attention: project to heads, normalize, rotate, attend, project back.
 *
 * With a cache the new keys and values are written at `position` and attention sees all rows up to each query's own; without
 * one the sequence sees itself. QK-norm comes before the rotation, as in Qwen 3; without gains the order does not matter.
 *
 * @param x   `[B, T, C]`
 * @returns   `y [B, T, C]`, and the updates that fill the cache
 * @see Vaswani et al. 2017, arXiv:1706.03762; Ainslie et al. 2023 (grouped queries), arXiv:2305.13245; Henry et al. 2020
 *      (QK-norm), arXiv:2010.04245
 */
export function selfAttention(
  x: Tensor,
  weights: SelfAttentionWeights,
  options: SelfAttentionOptions,
): { y: Tensor; updates: Update[] } {
  const [B, T] = x.shape as [number, number, number]
  const { numHeads, numKeyValueHeads, headDim, position, cache } = options
  const heads = (of: Projection, count: number) => reshape(linear(x, of.weight, of.bias), [B, T, count, headDim])
  const q = placeHeads(heads(weights.q, numHeads), options, options.qkNorm?.q)
  const k = placeHeads(heads(weights.k, numKeyValueHeads), options, options.qkNorm?.k)
  const v = heads(weights.v, numKeyValueHeads)
  const keys = cache === undefined ? k : cacheWrite(cache.keys, k, position)
  const values = cache === undefined ? v : cacheWrite(cache.values, v, position)
  const attended = attention(q, keys, values, position) // [B, T, H, D]
  const y = linear(reshape(attended, [B, T, numHeads * headDim]), weights.o.weight, weights.o.bias)
  const updates =
    cache === undefined
      ? []
      : [
          { state: cache.keys, value: keys },
          { state: cache.values, value: values },
        ]
  return { y, updates }
}

/** QK-norm and rotation of queries or keys `[B, T, heads, D]`. */
function placeHeads(x: Tensor, { qkNorm, rope: tables, position }: SelfAttentionOptions, gain?: Tensor): Tensor {
  const normed = qkNorm === undefined ? x : rmsNorm(x, gain, qkNorm.eps)
  return tables === undefined ? normed : rope(normed, tables, position)
}
