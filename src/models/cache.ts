// The key/value cache: what earlier tokens left behind, one pair of states per layer.
import { ConfigError } from "../core/index.ts"
import type { LayerCache } from "../nn/index.ts"
import { state } from "../tensor/index.ts"
import type { DecoderConfig } from "./config.ts"

export interface KeyValueCache {
  readonly batch: number
  /** Tokens that fit. */
  readonly length: number
  /** Keys and values `[B, S, K, D]` by layer. */
  readonly layers: readonly LayerCache[]
}

/**
 * States for `batch` sequences of up to `length` tokens: `2·L·B·S·K·D` floats.
 *
 * @throws ConfigError  if `length` is more than the model has positions
 */
export function createCache(config: DecoderConfig, batch: number, length: number): KeyValueCache {
  const { numHiddenLayers, numKeyValueHeads, headDim, maxPositionEmbeddings } = config
  if (length > maxPositionEmbeddings)
    throw new ConfigError(`the cache must fit the context of ${maxPositionEmbeddings} tokens, got ${length}`)
  const shape = [batch, length, numKeyValueHeads, headDim]
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) => ({
    keys: state(`cache.${layer}.keys`, shape),
    values: state(`cache.${layer}.values`, shape),
  }))
  return { batch, length, layers }
}
