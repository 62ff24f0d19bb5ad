// From a prompt to a stream of text: encode, ask the engine, draw, decode at character boundaries, stop where told.

import { platform } from "#platform"
import { ConfigError } from "../core/index.ts"
import { type StreamDecoder, streamDecoder } from "../tokenizer/index.ts"
import { engineOf } from "./engine.ts"
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

/** Milliseconds of work between two turns of the event loop. */
const TURN_MS = 8

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
  const { maxTokens = 200, stop = [], signal } = options
  if (!(Number.isInteger(maxTokens) && maxTokens >= 0))
    throw new ConfigError(`maxTokens must be a whole number from 0, got ${maxTokens}`)
  const ids = promptIds(model, prompt)
  const [sampler, stops, decoder] = [createSampler(options), createStopMatcher(stop), streamDecoder(model.tokenizer)]
  const engine = await engineOf(model)
  let turnStart = platform.now()
  for (let count = 0; count < maxTokens; count++) {
    if (signal?.aborted === true) return yield { text: stops.end(), finished: "aborted" }
    const logits = await engine.logitsAfter(ids)
    const { id } = sampler.sample(logits.subarray(0, model.tokenizer.vocabSize), ids)
    if (id === model.tokenizer.endOfText) return yield { text: flush(decoder, stops), finished: "end-of-text" }
    ids.push(id)
    const { emit, stopped } = stops.push(decoder.push(id))
    if (stopped) return yield { text: emit, id, finished: "stop" }
    yield { text: emit, id }
    if (platform.now() - turnStart < TURN_MS) continue
    await platform.yieldToEventLoop()
    turnStart = platform.now()
  }
  yield { text: flush(decoder, stops), finished: "length" }
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
