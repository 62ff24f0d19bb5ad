// The engine: ids in, logits out. It keeps one sequence's keys and values in the model's memory, reads prompts in chunks,
// and starts anew from the middle when the context is full. Text, sampling and stopping are not its business.

import type { Executable, Feed } from "../backends/index.ts"
import { invariant } from "../core/index.ts"
import { createCache, decoder } from "../models/index.ts"
import { input, program } from "../tensor/index.ts"
import type { Model } from "./model.ts"

/** Prompt tokens read in one pass; what is left over is padded. Larger is faster on long prompts and takes more scratch. */
const PREFILL_TOKENS = 64

/** Ids in, logits out. */
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
  made.catch(() => engines.delete(model)) // the next caller tries again
  return made
}

async function createEngine(model: Model): Promise<Engine> {
  const contextLength = model.config.maxPositionEmbeddings
  const reader = createReader(await compilePasses(model, contextLength), contextLength)
  let turn: Promise<unknown> = Promise.resolve()
  return {
    contextLength,
    logitsAfter(ids) {
      const mine = turn.then(() => reader(window(ids, contextLength)))
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}

/** Reads what the cache does not hold yet of a sequence that fits the context; gives the logits after its last token. */
function createReader(passes: Passes, contextLength: number): (ids: readonly number[]) => Promise<Float32Array> {
  /** What the cache holds. */
  let cached: readonly number[] = []

  const readChunk = async (ids: readonly number[], start: number): Promise<Float32Array> => {
    const isSingle = ids.length - start === 1
    const [pass, width] = isSingle ? [passes.decode, 1] : [passes.prefill, passes.chunk]
    // A chunk is never padded past the end of the context: it starts earlier and reads some tokens again.
    const first = Math.min(start, contextLength - width)
    const end = Math.min(start + width, ids.length)
    const tokens = Int32Array.from({ length: width }, (_, i) => ids[first + i] ?? 0)
    cached = cached.slice(0, first) // should the run fail, nothing is known of what follows
    const { logits } = await pass.run(feedOf(pass, { tokens, position: [first], last: [end - 1 - first] }))
    cached = ids.slice(0, end)
    return logits!
  }

  return async (ids) => {
    invariant(ids.length > 0, "a sequence has one token or more")
    let logits: Float32Array | undefined
    for (let start = Math.min(commonPrefix(cached, ids), ids.length - 1); start < ids.length; start = cached.length)
      logits = await readChunk(ids, start)
    return logits!
  }
}

/** What a pass asks for: one token has no row to choose, a model without layers no place to know. */
const feedOf = ({ program: { inputs } }: Executable, feed: Feed): Feed =>
  Object.fromEntries(Object.entries(feed).filter(([name]) => Object.hasOwn(inputs, name)))

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

/** One pass of a single token and one of `chunk` tokens, over one cache. */
interface Passes {
  readonly decode: Executable
  readonly prefill: Executable
  readonly chunk: number
}

async function compilePasses({ config, parameters, workspace }: Model, length: number): Promise<Passes> {
  const chunk = Math.min(PREFILL_TOKENS, length)
  const cache = createCache(config, 1, length)
  const pass = (count: number) => {
    const tokens = input("tokens", [1, count], "i32")
    const position = input("position", [1], "i32")
    const logitsAt = count === 1 ? undefined : input("last", [1], "i32")
    const { logits, updates } = decoder(config, parameters, tokens, { position, cache, logitsAt })
    return program({ outputs: { logits }, updates })
  }
  if (chunk > 1) return { ...(await workspace.compile({ decode: pass(1), prefill: pass(chunk) })), chunk }
  const { decode } = await workspace.compile({ decode: pass(1) })
  return { decode, prefill: decode, chunk }
}
