// Passages of equal length from random places of two texts: training text, and text that was held out. All that compares the
// two rests on the same passages.
import { DataError, type RandomStream, randomStream } from "../../core/index.ts"
import { type DataInput, toSource } from "../../data/index.ts"
import type { Tokenizer } from "../../tokenizer/index.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"

/** A piece of a text, as ids. */
export interface Passage {
  /** Number of its document in the text, from 0. */
  readonly document: number
  readonly ids: readonly number[]
  /** Of all but the first token. */
  readonly bytes: Uint8Array
}

/** As many passages of each side, all of the same number of tokens. */
export interface Passages {
  readonly train: readonly Passage[]
  readonly heldOut: readonly Passage[]
  /** Other stretches of the training text, as ids: what a reference that has not read the passages learns from. */
  readonly others: readonly Int32Array[]
  /** Of each passage; the first is context and is not predicted. */
  readonly tokens: number
  /** UTF-8 bytes of the whole training text. */
  readonly trainBytes: number
  readonly heldOutBytes: number
}

/** What passages are drawn from, how many and how long. */
export interface PassageOptions {
  readonly train: DataInput
  /** Text of the same kind that the model has not seen. */
  readonly heldOut: DataInput
  /** Passages of each side; fewer where a text is shorter. Default 400. */
  readonly count?: number
  /** Tokens of a passage; fewer where most documents are shorter. */
  readonly tokens: number
  /** Default 1. */
  readonly seed?: number
  readonly signal?: AbortSignal
}

/** Least tokens of a passage: a loss over fewer says nothing. */
const MIN_TOKENS = 8

/** Part of the passages that may be left out because their documents are too short. */
const SHORT_PART = 0.25

/** Tokens of other stretches, about: enough for a count model to know the authors, few enough for a second of work. */
const OTHER_TOKENS = 400_000

/** Part of a stretch in which a passage may begin: what follows holds it, though its tokens be short. */
const BEGIN_PART = 0.4

/** White space at which a passage begins is looked for this far. */
const MAX_WORD_UNITS = 100

/**
 * Draws passages in one pass over each text: stretches are drawn at random, one from each document before a second from any,
 * and a passage begins at a random place in its stretch, at a white space. Stretches do not overlap.
 *
 * Both sides get the same number, and all are cut to one length: the one asked, or the one that three in four reach.
 *
 * @throws DataError  if a text is empty, or its documents are too short
 */
export async function samplePassages(tokenizer: Tokenizer, options: PassageOptions): Promise<Passages> {
  const { seed = 1, count = 400, tokens, signal } = options
  const most = count + Math.ceil(OTHER_TOKENS / (1.5 * tokens))
  const train = await drawPassages(tokenizer, options.train, { count: most, tokens, seed, name: "train", signal })
  const heldOut = await drawPassages(tokenizer, options.heldOut, { count, tokens, seed, name: "held-out", signal })
  const drawn = [train.passages.slice(0, count), heldOut.passages] as const
  const length = commonLength(drawn.flat(), tokens)
  const longEnough = drawn.map((side) => side.filter(({ ids }) => ids.length >= length))
  const equal = Math.min(...longEnough.map((side) => side.length))
  if (!(length >= MIN_TOKENS && equal > 0))
    throw new DataError(
      `training and held-out text must have passages of ${MIN_TOKENS} tokens or more, got ${train.bytes} and ${heldOut.bytes} bytes in documents of about ${length} tokens`,
      "memorizing is measured on text in longer pieces; give longer documents",
    )
  const [ofTrain, ofHeldOut] = longEnough.map((side) => side.slice(0, equal)) as [Drawn[], Drawn[]]
  const chosen = new Set(ofTrain)
  return {
    train: ofTrain.map((passage) => cutTo(passage, length, tokenizer)),
    heldOut: ofHeldOut.map((passage) => cutTo(passage, length, tokenizer)),
    others: train.passages.filter((passage) => !chosen.has(passage)).map(({ ids }) => ids),
    tokens: length,
    trainBytes: train.bytes,
    heldOutBytes: heldOut.bytes,
  }
}

/** A passage before it is cut to length. */
export interface Drawn {
  readonly document: number
  readonly ids: Int32Array
}

/** Which stretches are taken: those of lower tier first, and among them those of lower luck. */
interface Rank {
  readonly tier: number
  readonly luck: number
}

/** A stretch that is kept, as UTF-8: a slice of a string would keep its whole document alive. */
interface Stretch extends Rank {
  readonly document: number
  readonly bytes: Uint8Array
}

/** See {@link PassageOptions}; for one text. */
export interface DrawOptions {
  readonly count: number
  readonly tokens: number
  readonly seed: number
  /** Names the random stream: two texts get different places. */
  readonly name: string
  readonly signal: AbortSignal | undefined
}

/** Up to `count` passages of one text, of `tokens` tokens or some more, or of less where documents are shorter. */
export async function drawPassages(
  tokenizer: Tokenizer,
  input: DataInput,
  { count, tokens, seed, name, signal }: DrawOptions,
): Promise<{ readonly bytes: number; readonly passages: readonly Drawn[] }> {
  const stream = randomStream(seed, "passages", name)
  const kept: Stretch[] = []
  const encoder = new TextEncoder()
  let [document, bytes, units] = [0, 0, 0]
  for await (const { text } of toSource(input).documents()) {
    signal?.throwIfAborted()
    bytes += encoder.encode(text).length
    units ||= stretchUnits(text, tokens, tokenizer)
    for (const { text: piece, ...rank } of stretchesOf(text, units, stream, count))
      if (isAmongBest(kept, rank, count)) keep(kept, { document, ...rank, bytes: encoder.encode(piece) }, count)
    document++
  }
  return { bytes, passages: await runSliced(encodeAll(kept, tokenizer), signal) }
}

function* encodeAll(stretches: readonly Stretch[], tokenizer: Tokenizer): Sliced<Drawn[]> {
  const drawn: Drawn[] = []
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  for (const { document, bytes } of stretches) {
    drawn.push({ document, ids: tokenizer.encode(decoder.decode(bytes)) })
    yield
  }
  return drawn
}

/** UTF-16 units of which `tokens` tokens are about the half. */
function stretchUnits(text: string, tokens: number, tokenizer: Tokenizer): number {
  const sample = text.slice(0, pairEnd(text, 20_000))
  return sample === "" ? 0 : Math.ceil(2 * tokens * (sample.length / tokenizer.encode(sample).length))
}

function* stretchesOf(text: string, units: number, stream: RandomStream, count: number) {
  if (text === "") return
  const total = Math.max(1, Math.floor(text.length / units))
  const lucks = Array.from({ length: total }, (_, k) => ({ k, luck: stream.uniform() }))
  const order = lucks.sort((a, b) => a.luck - b.luck).slice(0, count)
  for (const [tier, { k, luck }] of order.entries()) {
    const end = (k + 1) * units
    const begin = total === 1 ? 0 : wordStart(text, k * units + stream.below(Math.ceil(BEGIN_PART * units)))
    yield { tier, luck, text: text.slice(begin, pairEnd(text, end)) }
  }
}

/** The next white space from `at` on, or `at` where none is near; never inside a surrogate pair. */
function wordStart(text: string, at: number): number {
  const found = text.slice(at, at + MAX_WORD_UNITS).search(/\s/)
  return found >= 0 ? at + found : pairEnd(text, at)
}

/** `at`, or one more if a surrogate pair is cut there. */
function pairEnd(text: string, at: number): number {
  const isTail = (text.charCodeAt(at) & 0xfc00) === 0xdc00
  return isTail ? at + 1 : at
}

const isBefore = (a: Rank, b: Rank): boolean => a.tier < b.tier || (a.tier === b.tier && a.luck < b.luck)

const isAmongBest = (kept: readonly Rank[], rank: Rank, count: number): boolean =>
  kept.length < count || isBefore(rank, kept.at(-1)!)

/** Puts a stretch where it belongs among the best `count`. */
function keep(kept: Stretch[], stretch: Stretch, count: number): void {
  let [low, high] = [0, kept.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(kept[middle]!, stretch)) low = middle + 1
    else high = middle
  }
  kept.splice(low, 0, stretch)
  if (kept.length > count) kept.pop()
}

/** What three in four reach, at most `tokens`. */
function commonLength(drawn: readonly Drawn[], tokens: number): number {
  const lengths = drawn.map(({ ids }) => ids.length).sort((a, b) => a - b)
  return Math.min(tokens, lengths[Math.floor(SHORT_PART * lengths.length)] ?? 0)
}

function cutTo({ document, ids }: Drawn, length: number, tokenizer: Tokenizer): Passage {
  const cut = Array.from(ids.subarray(0, length))
  return { document, ids: cut, bytes: tokenizer.decodeBytes(cut.slice(1)) }
}
