// What a model makes of a text, document by document: the nats of every token, read as a stream in windows of the context.
import type { Executable } from "../../backends/index.ts"
import { ConfigError, DataError } from "../../core/index.ts"
import { type DataInput, readOnce } from "../../data/index.ts"
import type { Model } from "../../generate/index.ts"
import { decoder } from "../../models/index.ts"
import { input, program } from "../../tensor/index.ts"
import type { DocumentScore } from "./document-score.ts"
import { headNats, targetsFeed } from "./head-nats.ts"
import { Ledger } from "./ledger.ts"
import { bytesOfTokens, placedTokens } from "./placed-tokens.ts"
import { type Reliability, ReliabilityTally } from "./reliability.ts"
import { runAhead } from "./run-ahead.ts"
import { type WindowBatch, windowsOf } from "./windows.ts"

export interface ScoreTextOptions {
  /** Text to predict: files, strings, documents. Read once, a document at a time. */
  readonly data: DataInput
  /** Tokens by which a window moves on; default the context: windows do not overlap. */
  readonly stride?: number
  /** Also count how well probabilities are meant. */
  readonly reliability?: boolean
  /** Windows of one pass; decides the speed and no bit of the result. Default: some 512 tokens. */
  readonly batchSize?: number
  /** Scores a text shorter than a context too. Default false: what it says holds for little. */
  readonly allowShort?: boolean
  readonly signal?: AbortSignal
  /** Told after each pass; of documents those that were read. */
  readonly onProgress?: (progress: ScoreProgress) => void
}

export interface ScoreProgress {
  readonly tokens: number
  readonly bytes: number
  readonly documents: number
}

/** Sums over all documents, of what was predicted. */
export interface TextScore {
  readonly documents: readonly DocumentScore[]
  /** Predicted tokens: all but the first. */
  readonly tokens: number
  readonly bytes: number
  readonly characters: number
  readonly nats: number
  /** How much context each token had. */
  readonly protocol: string
  readonly reliability?: Reliability
}

/**
 * Tokens of one pass: enough for every lane, little memory. Tokens a second on a busy machine: at 1 M parameters 37,700, 39,100 and
 * 38,700 with 512, 1,024 and 2,048, which is within noise, and a third less with 4,096 and 8,192; at 0.4 M 89,000 to 115,000 in no
 * order from 512 to 8,192. At 10 M 512, 1,024 and 2,048 gave 1,820, 1,630 and 1,380 a processor second.
 */
const TOKENS_PER_PASS = 512

/**
 * Predicts every token of `data` but the first, once: `Σ -ln p(token)` by document, and by block of each.
 *
 * Documents are concatenated, each followed by its end-of-text token where there is one, and read in windows of the model's
 * context; a window sees nothing of the one before it but what they overlap. Memory is that of one document and two passes,
 * however long the text.
 *
 * @throws ConfigError  if the stride is not 1 … context, or the batch size not a positive integer
 * @throws DataError    if the text is shorter than a context (than two tokens, with `allowShort`), holds what the tokenizer does
 *                      not know, or has no bytes to predict, or the loss is not a number (an infinite one is returned)
 * @throws the signal's reason  if it is aborted
 */
export async function scoreText(model: Model, options: ScoreTextOptions): Promise<TextScore> {
  const shape = windowShape(model, options)
  const ledger = new Ledger()
  const tally = options.reliability === true ? new ReliabilityTally() : undefined
  const pass = await windowPass(model, shape.batchSize, tally !== undefined)
  const tokenBytes = bytesOfTokens(model.tokenizer)
  const done = { tokens: 0, bytes: 0 }
  const finish = (results: { readonly [name: string]: Float32Array }, { targets, blocks }: WindowBatch): void => {
    ledger.add(results["nats"]!, blocks)
    tally?.add(results["confidence"]!, results["hit"]!, targets)
    for (const target of targets) if (target >= 0) done.tokens++, (done.bytes += tokenBytes[target]!)
    options.onProgress?.({ ...done, documents: ledger.documents.length })
  }
  const tokens = placedTokens(readOnce(options.data), model.tokenizer, ledger)
  await runAhead(windowsOf(tokens, shape), {
    start: ({ inputs, targets }) => pass.run({ tokens: inputs, ...targetsFeed(targets, model.config.vocabSize) }),
    finish,
    signal: options.signal,
  })
  const documents = ledger.scores()
  const sums = sumsOf(documents)
  requireMeasured(sums)
  return {
    documents,
    ...sums,
    protocol: protocolOf(shape),
    ...(tally ? { reliability: tally.reliability() } : {}),
  }
}

function windowShape({ config }: Model, { stride, batchSize, allowShort = false }: ScoreTextOptions) {
  const length = config.maxPositionEmbeddings
  const shape = {
    batchSize: batchSize ?? Math.max(1, Math.ceil(TOKENS_PER_PASS / length)),
    length,
    stride: stride ?? length,
    allowShort,
  }
  if (!(Number.isInteger(shape.stride) && shape.stride >= 1 && shape.stride <= length))
    throw new ConfigError(
      `the stride must be a whole number from 1 to the context of ${length} tokens, got ${stride}`,
      "without a stride windows do not overlap; half the context gives each token more to go by, at twice the time",
    )
  if (!(Number.isInteger(shape.batchSize) && shape.batchSize >= 1))
    throw new ConfigError(`batchSize must be a positive integer, got ${batchSize}`)
  return shape
}

function protocolOf({ length: T, stride }: { readonly length: number; readonly stride: number }): string {
  if (stride === T)
    return `non-overlapping windows of ${T} tokens: each token sees the ones before it in its window, ${Math.round(T / 2)} on average`
  return `windows of ${T} tokens that move on by ${stride}: each token sees at least the ${T - stride} before it, but for those of the first window; not to be compared with non-overlapping windows`
}

function sumsOf(documents: readonly DocumentScore[]) {
  const sums = { tokens: 0, bytes: 0, characters: 0, nats: 0 }
  for (const document of documents)
    for (const key of ["tokens", "bytes", "characters", "nats"] as const) sums[key] += document[key]
  return sums
}

/** An infinite loss is one: the model excluded what came. */
function requireMeasured({ bytes, nats }: { readonly bytes: number; readonly nats: number }): void {
  if (Number.isNaN(nats))
    throw new DataError(
      "the loss of this model is not a number: its training went astray",
      "take a checkpoint from before, or train again with a lower learning rate",
    )
  if (bytes === 0)
    throw new DataError("expected a text with bytes to predict, got documents without any", "give more text")
}

const passes = new WeakMap<Model, Map<string, Promise<Executable>>>()

/** The pass over B windows: compiled on first use, kept with the model. */
function windowPass(model: Model, B: number, likeliest: boolean): Promise<Executable> {
  const known = passes.get(model) ?? new Map<string, Promise<Executable>>()
  passes.set(model, known)
  const key = `${B} ${likeliest}`
  const made = known.get(key) ?? compileWindowPass(model, B, likeliest)
  known.set(key, made)
  made.catch(() => known.delete(key)) // the next caller tries again
  return made
}

async function compileWindowPass(model: Model, B: number, likeliest: boolean): Promise<Executable> {
  const T = model.config.maxPositionEmbeddings
  const tokens = input("tokens", [B, T], "i32")
  const { head } = decoder(model.config, model.parameters, tokens)
  const { pass } = await model.workspace.compile({
    pass: program({ outputs: { ...headNats(head, { likeliest }) } }),
  })
  return pass
}
