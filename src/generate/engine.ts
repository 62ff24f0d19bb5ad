// The engine: ids in, logits out. It keeps one sequence's keys and values in the model's memory, reads prompts in chunks,
// and starts anew from the middle when the context is full. Text, sampling and stopping are not its business.

import type { Executable } from "../backends/index.ts"
import { invariant } from "../core/index.ts"
import { createCache, decoder } from "../models/index.ts"
import { input, program } from "../tensor/index.ts"
import type { Model } from "./model.ts"

/** Prompt tokens read in one pass; what is left over is padded. Larger is faster on long prompts and takes more scratch. */
const PREFILL_TOKENS = 64

export interface Engine {
  /** Tokens that fit before the oldest half is forgotten. */
  readonly contextLength: number
  /**
   * Logits after the last of `ids`. Only what differs from the sequence of the last call is computed; any number of callers
   * may take turns.
   *
   * @param ids  the whole sequence so far, one token or more
   */
  logitsAfter(ids: readonly number[]): Promise<Float32Array>
}

const engines = new WeakMap<Model, Promise<Engine>>()

/** The engine of a model; compiled on first use, then shared. */
export function engineOf(model: Model): Promise<Engine> {
  const known = engines.get(model)
  if (known !== undefined) return known
  const made = createEngine(model)
  engines.set(model, made)
  return made
}

async function createEngine(model: Model): Promise<Engine> {
  const contextLength = model.config.maxPositionEmbeddings
  const chunk = Math.min(PREFILL_TOKENS, contextLength)
  const { decode, prefill } = await compilePasses(model, contextLength, chunk)
  /** What the cache holds. */
  let cached: number[] = []
  let turn: Promise<unknown> = Promise.resolve()

  const readChunk = async (ids: readonly number[], start: number): Promise<Float32Array> => {
    const count = Math.min(chunk, ids.length - start)
    const isSingle = count === 1
    // A chunk is never padded past the end of the context: it starts earlier and reads some tokens again.
    const first = isSingle ? start : Math.min(start, contextLength - chunk)
    const tokens = Int32Array.from({ length: isSingle ? 1 : chunk }, (_, i) => ids[first + i] ?? 0)
    const pass = isSingle ? decode : prefill
    const feed = isSingle
      ? { tokens, position: [first] }
      : { tokens, position: [first], last: [start + count - 1 - first] }
    const { logits } = await pass.run(feed)
    cached = ids.slice(0, start + count)
    return logits!
  }

  const logitsAfter = async (sequence: readonly number[]): Promise<Float32Array> => {
    invariant(sequence.length > 0, "a sequence has one token or more")
    const ids = window(sequence, contextLength)
    let start = commonPrefix(cached, ids)
    if (start === ids.length) start--
    let logits: Float32Array | undefined
    while (start < ids.length) {
      logits = await readChunk(ids, start)
      start = cached.length
    }
    return logits!
  }
  return {
    contextLength,
    logitsAfter: (ids) => {
      const mine = turn.then(() => logitsAfter(ids))
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}

/** The part of a sequence that the model sees: all of it, or after every half context more, the newest half and what follows. */
function window(ids: readonly number[], contextLength: number): readonly number[] {
  if (ids.length <= contextLength) return ids
  const half = Math.max(1, Math.floor(contextLength / 2))
  return ids.slice(half * Math.ceil((ids.length - contextLength) / half))
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** One pass of a single token and one of a chunk, over one cache. */
async function compilePasses(
  model: Model,
  length: number,
  chunk: number,
): Promise<{ decode: Executable; prefill: Executable }> {
  const { config, parameters, workspace } = model
  const cache = createCache(config, 1, length)
  const pass = (count: number) => {
    const tokens = input("tokens", [1, count], "i32")
    const position = input("position", [1], "i32")
    const logitsAt = count === 1 ? undefined : input("last", [1], "i32")
    const { logits, updates } = decoder(config, parameters, tokens, { position, cache, logitsAt })
    return program({ outputs: { logits }, updates })
  }
  if (chunk === 1) {
    const { decode } = await workspace.compile({ decode: pass(1) })
    return { decode, prefill: decode }
  }
  return workspace.compile({ decode: pass(1), prefill: pass(chunk) })
}
