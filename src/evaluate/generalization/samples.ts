// What a model writes after the beginnings of held-out passages, beside what people wrote there.

import type { DataInput } from "../../data/index.ts"
import { generateBatch, type Model } from "../../generate/index.ts"
import { drawPassages } from "./passages.ts"
import type { PassOptions } from "./score-passages.ts"

/** Tokens of each passage that are given. */
const PROMPT_TOKENS = 8

/** Bytes that are written after each: a hundred words. A short context gets less, for going on beyond it is slow. */
const SAMPLE_BYTES = 600
const LEAST_SAMPLE_TOKENS = 128

/** Keys and values of all texts that are written together, bytes. */
const MOST_CACHE_BYTES = 1 << 27

export interface WrittenSamples {
  /** By the model, without the prompts. */
  readonly samples: readonly string[]
  /** The same passages as people went on, in as many tokens. */
  readonly controls: readonly string[]
}

export interface SampleOptions extends PassOptions {
  readonly count: number
  readonly seed: number
  /** Default 1: as the model means its probabilities. */
  readonly temperature?: number
}

/** Continues `count` passages of `heldOut`; no two of the texts begin alike. */
export async function writeSamples(model: Model, heldOut: DataInput, options: SampleOptions): Promise<WrittenSamples> {
  const { count, seed, temperature = 1, signal, onProgress } = options
  const { tokenizer } = model
  const mostTokens = Math.max(LEAST_SAMPLE_TOKENS, model.config.maxPositionEmbeddings)
  const tokens = Math.min(mostTokens, PROMPT_TOKENS + (await tokensOf(SAMPLE_BYTES, model, heldOut, options)))
  const { passages } = await drawPassages(tokenizer, heldOut, { count, tokens, seed, name: "samples", signal })
  const long = passages.filter(({ ids }) => ids.length > 2 * PROMPT_TOKENS)
  const samples: string[] = []
  const group = groupSize(model)
  for (let from = 0; from < long.length; from += group) {
    const prompts = long.slice(from, from + group).map(({ ids }) => tokenizer.decode(ids.subarray(0, PROMPT_TOKENS)))
    const maxTokens = tokens - PROMPT_TOKENS
    const pieces = generateBatch(model, prompts, { maxTokens, temperature, seed, ...(signal && { signal }) })
    const texts = new Array<string>(prompts.length).fill("")
    let written = 0
    for await (const { index, text } of pieces) {
      texts[index] += text
      if (++written % prompts.length === 0)
        onProgress?.({ items: from + Math.floor(written / maxTokens), total: long.length })
    }
    signal?.throwIfAborted() // a stream that was stopped ends early
    samples.push(...texts)
  }
  return { samples, controls: long.map(({ ids }) => tokenizer.decode(ids.subarray(PROMPT_TOKENS, tokens))) }
}

/** Tokens that hold so many bytes of this text. */
async function tokensOf(bytes: number, { tokenizer }: Model, text: DataInput, { seed, signal }: SampleOptions) {
  const { passages } = await drawPassages(tokenizer, text, { count: 1, tokens: 1000, seed, name: "length", signal })
  const ids = passages[0]?.ids ?? []
  return Math.ceil((bytes * ids.length) / Math.max(1, tokenizer.decodeBytes(ids).length))
}

/** Texts whose keys and values fit together. */
function groupSize({ config }: Model): number {
  const { numHiddenLayers, maxPositionEmbeddings, numKeyValueHeads, headDim } = config
  const bytes = Math.max(1, 8 * numHiddenLayers * maxPositionEmbeddings * numKeyValueHeads * headDim)
  return Math.max(1, Math.min(64, Math.floor(MOST_CACHE_BYTES / bytes)))
}
