// How well a model predicts a text: bits per byte, per character and per token, with the context protocol said.

import type { Executable } from "../backends/index.ts"
import { DataError, invariant } from "../core/index.ts"
import { type DataInput, type Document, encodeToMemory, evaluationWindows, toSource } from "../data/index.ts"
import type { Model } from "../generate/index.ts"
import { decoder } from "../models/index.ts"
import { crossEntropy, input, program, reshape, sum } from "../tensor/index.ts"

export interface EvaluateOptions {
  /** Text to predict: files, strings, documents. */
  readonly data: DataInput
  readonly signal?: { readonly aborted: boolean }
  readonly onProgress?: (progress: { readonly tokens: number; readonly totalTokens: number }) => void
}

export interface Evaluation {
  /** Over the exact UTF-8 bytes of what was predicted. */
  readonly bitsPerByte: number
  readonly bitsPerCharacter: number
  readonly bitsPerToken: number
  readonly natsPerToken: number
  /** Predicted tokens: all but the first. */
  readonly tokens: number
  readonly bytes: number
  readonly characters: number
  readonly documents: number
  /** How much context each token had. */
  readonly protocol: string
}

/** Tokens of one forward pass: enough for every lane, little memory. */
const TOKENS_PER_PASS = 2048

/**
 * Predicts every token of `data` but the first, once, in non-overlapping windows of the model's context.
 *
 * `bitsPerByte = Σ -log2 p(token) / bytes`; end-of-text tokens between documents are predicted too and have no bytes.
 *
 * @throws DataError  if the text is shorter than two tokens, or holds what the tokenizer does not know
 */
export async function evaluate(model: Model, options: EvaluateOptions): Promise<Evaluation> {
  const counts = { characters: 0, bytes: 0, documents: 0 }
  const tokens = await encodeToMemory(counted(toSource(options.data).documents(), counts), model.tokenizer)
  const T = model.config.maxPositionEmbeddings
  const B = Math.max(1, Math.ceil(TOKENS_PER_PASS / T))
  const windows = evaluationWindows(tokens, T, B)
  const pass = await passOf(model, B, T)
  let nats = 0
  let done = 0
  for await (const { inputs, targets } of windows) {
    if (options.signal?.aborted === true) throw new DataError("the evaluation was stopped")
    const { rows } = await pass.run({ tokens: inputs, targets })
    for (const row of rows!) nats += row
    done += B * T
    options.onProgress?.({ tokens: Math.min(done, windows.targets), totalTokens: windows.targets })
  }
  const first = model.tokenizer.decodeBytes(await tokens.read(0, 1))
  const bytes = counts.bytes - first.length
  invariant(bytes >= 0, "a text has at least the bytes of its first token")
  const bits = nats / Math.LN2
  return {
    bitsPerByte: bits / bytes,
    bitsPerCharacter: bits / (counts.characters - [...new TextDecoder().decode(first)].length),
    bitsPerToken: bits / windows.targets,
    natsPerToken: nats / windows.targets,
    tokens: windows.targets,
    bytes,
    characters: counts.characters,
    documents: counts.documents,
    protocol: `non-overlapping windows of ${T} tokens: each token sees the ones before it in its window, ${Math.round(T / 2)} on average`,
  }
}

async function* counted(
  documents: AsyncIterable<Document>,
  counts: { characters: number; bytes: number; documents: number },
): AsyncGenerator<Document> {
  const encoder = new TextEncoder()
  for await (const document of documents) {
    for (const _ of document.text) counts.characters++
    counts.bytes += encoder.encode(document.text).length
    counts.documents++
    yield document
  }
}

const passes = new WeakMap<Model, Promise<Executable>>()

/** Nats of each window `[B]`; compiled on first use, kept with the model. */
function passOf(model: Model, B: number, T: number): Promise<Executable> {
  const known = passes.get(model)
  if (known !== undefined) return known
  const tokens = input("tokens", [B, T], "i32")
  const targets = input("targets", [B * T], "i32")
  const { logits } = decoder(model.config, model.parameters, tokens)
  const nats = crossEntropy(reshape(logits, [B * T, model.config.vocabSize]), targets)
  const rows = sum(reshape(nats, [B, T]), [1])
  const compiled = model.workspace
    .compile({ evaluate: program({ outputs: { rows } }) })
    .then(({ evaluate: pass }) => pass)
  passes.set(model, compiled)
  return compiled
}
