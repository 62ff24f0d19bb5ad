// From prompts to streams of text: encode, ask the engine, draw, decode at character boundaries, stop where told.

import { ConfigError } from "../core/index.ts"
import { type StreamDecoder, streamDecoder } from "../tokenizer/index.ts"
import { batchEngineOf } from "./engine.ts"
import type { Model } from "./model.ts"
import { createSampler, type SamplerOptions } from "./sampler.ts"
import { createStopMatcher, type StopMatcher } from "./stop-strings.ts"

/** How much is generated, how it is drawn, and what ends it. */
export interface GenerateOptions extends SamplerOptions {
  /** Default 200. */
  readonly maxTokens?: number
  /** Text ends before any of these. */
  readonly stop?: readonly string[]
  /** Ends the stream after the token under way. */
  readonly signal?: AbortSignalLike
}

/** The part of AbortSignal that is used. */
export interface AbortSignalLike {
  readonly aborted: boolean
}

/** A piece of generated text. */
export interface Generated {
  /** Whole characters; empty while a character is incomplete or a stop string may be beginning. */
  readonly text: string
  /** The token just drawn; undefined for text that was held back to the end. */
  readonly id?: number
  /** Why this was the last piece. */
  readonly finished?: "end-of-text" | "stop" | "length" | "aborted"
}

/** A piece of one of several texts that are generated together. */
export interface GeneratedOf extends Generated {
  /** Which prompt it continues. */
  readonly index: number
}

/**
 * Continues `prompt`. Deterministic for a seed; pulling drives it, `break` ends it.
 *
 * An empty prompt starts a new document (the end-of-text token, if the tokenizer has one).
 *
 * @throws ConfigError  if an option is out of range, or the prompt is empty and there is no end-of-text token
 * @throws DataError    if the prompt has characters the tokenizer does not know
 */
export async function* generate(
  model: Model,
  prompt: string,
  options: GenerateOptions = {},
): AsyncGenerator<Generated, void, void> {
  for await (const { index: _, ...piece } of generateBatch(model, [prompt], options)) yield piece
}

/**
 * Continues several prompts together, each as {@link generate} would alone with the same options: a pass reads the weights once
 * for all of them. Pieces come in turns, one of each text in the order of the prompts, until all have ended.
 *
 * @throws ConfigError  if an option is out of range, or a prompt is empty and there is no end-of-text token
 * @throws DataError    if a prompt has characters the tokenizer does not know
 */
export async function* generateBatch(
  model: Model,
  prompts: readonly string[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedOf, void, void> {
  const { maxTokens = 200, signal } = options
  if (!(Number.isInteger(maxTokens) && maxTokens >= 0))
    throw new ConfigError(`maxTokens must be a whole number from 0, got ${maxTokens}`)
  const texts = prompts.map((prompt) => createContinuation(model, prompt, options))
  const live = new Set(texts.keys())
  for (let count = 0; count < maxTokens && live.size > 0; count++) {
    if (signal?.aborted === true) return yield* ended(texts, live, "aborted")
    const logits = await batchEngineOf(model, texts.length).logitsAfterEach(texts.map(({ ids }) => ids))
    for (const index of [...live]) {
      const piece = texts[index]!.next(logits[index]!)
      if (piece.finished !== undefined) live.delete(index)
      yield { index, ...piece }
    }
  }
  yield* ended(texts, live, "length")
}

/** The last piece of every text that has not ended by itself. */
function* ended(
  texts: readonly Continuation[],
  live: ReadonlySet<number>,
  finished: "aborted" | "length",
): Generator<GeneratedOf, void, void> {
  for (const index of live) yield { index, ...texts[index]!.end(finished) }
}

/** One text under way. */
interface Continuation {
  /** What was read and drawn so far. */
  readonly ids: readonly number[]
  /** Draws the next token. */
  next(logits: Float32Array): Generated
  /** What was held back, if nothing is to be drawn any more. */
  end(finished: "aborted" | "length"): Generated
}

function createContinuation(model: Model, prompt: string, options: GenerateOptions): Continuation {
  const ids = promptIds(model, prompt)
  const { tokenizer } = model
  const [sampler, stops, decoder] = [
    createSampler(options),
    createStopMatcher(options.stop ?? []),
    streamDecoder(tokenizer),
  ]
  return {
    ids,
    next(logits) {
      const { id } = sampler.sample(logits.subarray(0, tokenizer.vocabSize), ids)
      if (id === tokenizer.endOfText) return { text: flush(decoder, stops), finished: "end-of-text" }
      ids.push(id)
      const { emit, stopped } = stops.push(decoder.push(id))
      return stopped ? { text: emit, id, finished: "stop" } : { text: emit, id }
    },
    end: (finished) => ({ text: finished === "aborted" ? stops.end() : flush(decoder, stops), finished }),
  }
}

/** What was held back: an unfinished character, then the beginning of a stop string that never came. */
function flush(decoder: StreamDecoder, stops: StopMatcher): string {
  const { emit } = stops.push(decoder.end())
  return emit + stops.end()
}

function promptIds({ tokenizer }: Model, prompt: string): number[] {
  const ids = [...tokenizer.encode(prompt)]
  if (ids.length > 0) return ids
  if (tokenizer.endOfText !== undefined) return [tokenizer.endOfText]
  throw new ConfigError(
    "the prompt is empty, and this tokenizer has no token that starts a document",
    'give a prompt, a newline if need be: --prompt "\\n"',
  )
}
