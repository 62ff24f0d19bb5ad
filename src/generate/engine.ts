// The engine: ids in, logits out. It keeps the keys and values of one sequence or of several in the model's memory, reads prompts
// in chunks, gives every sequence its next logits in one pass, and starts anew from the middle when the context is full. Text,
// sampling and stopping are not its business.

import { platform } from "#platform"
import type { Executable, Feed } from "../backends/index.ts"
import { invariant } from "../core/index.ts"
import { createCache, decoder, type KeyValueCache, parameterCounts } from "../models/index.ts"
import { input, program } from "../tensor/index.ts"
import type { Model } from "./model.ts"

/**
 * Tokens of each sequence that one pass reads; compiled on first use. A pass of one token is as fast as memory gives the
 * weights, one of many as fast as the products: at 135M parameters 21, 94 and 303 ms.
 */
const PASS_TOKENS = [1, 16, 64]
/** A pass must be filled this far, or the next smaller one serves: the rest of it would be computed for nothing. */
const LEAST_FILL = 0.75
/** Tokens times parameters below which one by one is done sooner than a longer pass is compiled (some 50 ms). */
const LEAST_WORK = 2e8
/** Milliseconds of work between two turns of the event loop. */
const TURN_MS = 8

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

/** An engine of several sequences, each with a cache of its own: one pass reads the weights once for all of them. */
export interface BatchEngine {
  /** Logits after the last of each of the sequences, as many as the engine was made for; see {@link Engine.logitsAfter}. */
  logitsAfterEach(sequences: readonly (readonly number[])[]): Promise<readonly Float32Array[]>
}

const engines = new WeakMap<Model, Map<number, BatchEngine>>()

/** The engine of a model for so many sequences; made on first use, then shared. */
export function batchEngineOf(model: Model, batch: number): BatchEngine {
  const known = engines.get(model) ?? new Map<number, BatchEngine>()
  engines.set(model, known)
  const engine = known.get(batch) ?? createEngine(model, batch)
  known.set(batch, engine)
  return engine
}

/** The engine of one sequence. */
export function engineOf(model: Model): Engine {
  const engine = batchEngineOf(model, 1)
  return {
    contextLength: model.config.maxPositionEmbeddings,
    logitsAfter: async (ids) => (await engine.logitsAfterEach([ids]))[0]!,
  }
}

/** An engine with a cache of its own. @param leastWork  tokens times parameters that are worth a longer pass */
export function createEngine(model: Model, batch: number, leastWork = LEAST_WORK): BatchEngine {
  const contextLength = model.config.maxPositionEmbeddings
  const read = createReader(model, batch, leastWork)
  let turn: Promise<unknown> = Promise.resolve()
  return {
    logitsAfterEach(sequences) {
      const mine = turn.then(() => read(sequences.map((ids) => window(ids, contextLength))))
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}

type Ids = readonly number[]

/** Reads what the caches do not hold yet of sequences that fit the context; gives the logits after each one's last token. */
function createReader(
  model: Model,
  batch: number,
  leastWork: number,
): (sequences: readonly Ids[]) => Promise<Float32Array[]> {
  const passOf = createPasses(model, batch)
  const { maxPositionEmbeddings: contextLength } = model.config
  const parameters = parameterCounts(model.config).matmul
  const giveTurns = createTurns()
  /** What each sequence's cache holds. */
  const cached = Array.from({ length: batch }, (): Ids => [])

  /** Reads up to `width` tokens of each sequence from where it stands; those that are at their end read padding. */
  const readChunk = async (
    sequences: readonly Ids[],
    starts: readonly number[],
    width: number,
  ): Promise<Float32Array> => {
    // A chunk is never padded past the end of the context: it starts earlier and reads some tokens again.
    const spans = sequences.map((ids, b) => ({
      ids,
      first: Math.min(starts[b]!, contextLength - width),
      end: Math.min(starts[b]! + width, ids.length),
    }))
    // Should the run fail, nothing is known of what follows.
    for (const [b, { first }] of spans.entries()) cached[b] = cached[b]!.slice(0, first)
    const tokens = spans.flatMap(({ ids, first }) => Array.from({ length: width }, (_, i) => ids[first + i] ?? 0))
    const [position, last] = [spans.map(({ first }) => first), spans.map(({ first, end }) => end - 1 - first)]
    const pass = await passOf(width)
    const { logits } = await pass.run(feedOf(pass, { tokens, position, last }))
    for (const [b, { ids, end }] of spans.entries()) cached[b] = ids.slice(0, end)
    return logits!
  }

  return async (sequences) => {
    invariant(sequences.length === batch, `this engine takes ${batch} sequences`)
    invariant(!sequences.some((ids) => ids.length === 0), "a sequence has one token or more")
    const starts = sequences.map((ids, b) => Math.min(commonPrefix(cached[b]!, ids), ids.length - 1))
    const found: Float32Array[] = []
    for (;;) {
      const left = Math.max(...sequences.map((ids, b) => ids.length - starts[b]!))
      if (left === 0) return found
      const logits = await readChunk(
        sequences,
        starts,
        left * parameters < leastWork ? 1 : passTokens(left, contextLength),
      )
      await giveTurns()
      for (const [b, ids] of sequences.entries()) {
        if (starts[b] === ids.length) continue
        starts[b] = cached[b]!.length
        const V = logits.length / batch
        found[b] = logits.subarray(b * V, (b + 1) * V)
      }
    }
  }
}

/** Timers, signals and input get their turn, though a device on the calling thread never waits by itself. */
function createTurns(): () => Promise<void> {
  let start = platform.now()
  return async () => {
    if (platform.now() - start < TURN_MS) return
    await platform.yieldToEventLoop()
    start = platform.now()
  }
}

/** Tokens of the next pass when `left` are to be read. */
export function passTokens(left: number, contextLength: number): number {
  const widths = PASS_TOKENS.filter((width) => width <= contextLength)
  const holding = widths.find((width) => width >= left) ?? Infinity
  return left >= LEAST_FILL * holding ? holding : widths.findLast((width) => width <= left)!
}

/** What a pass asks for: one token has no row to choose, a model without layers no place to know. */
const feedOf = ({ program: { inputs } }: Executable, feed: Feed): Feed =>
  Object.fromEntries(Object.entries(feed).filter(([name]) => Object.hasOwn(inputs, name)))

/** The part of a sequence that the model sees: all of it, or after every half context more, the newest half and what follows. */
function window(ids: Ids, contextLength: number): Ids {
  if (ids.length <= contextLength) return ids
  const half = Math.max(1, Math.floor(contextLength / 2))
  return ids.slice(half * Math.ceil((ids.length - contextLength) / half))
}

function commonPrefix(a: Ids, b: Ids): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** The pass that reads so many tokens of each sequence. */
type PassOf = (width: number) => Promise<Executable>

/** Passes over one cache, compiled as they are asked for: a short prompt needs one of them. */
function createPasses(model: Model, batch: number): PassOf {
  const cache = createCache(model.config, batch, model.config.maxPositionEmbeddings)
  const passes = new Map<number, Promise<Executable>>()
  return (width) => {
    const known = passes.get(width)
    if (known !== undefined) return known
    const made = compilePass(model, cache, width)
    passes.set(width, made)
    made.catch(() => passes.delete(width)) // the next caller tries again
    return made
  }
}

async function compilePass(
  { config, parameters, workspace }: Model,
  cache: KeyValueCache,
  width: number,
): Promise<Executable> {
  const tokens = input("tokens", [cache.batch, width], "i32")
  const position = input("position", [cache.batch], "i32")
  const logitsAt = width === 1 ? undefined : input("last", [cache.batch], "i32")
  const { logits, updates } = decoder(config, parameters, tokens, { position, cache, logitsAt })
  const { pass } = await workspace.compile({ pass: program({ outputs: { logits }, updates }) })
  return pass
}
