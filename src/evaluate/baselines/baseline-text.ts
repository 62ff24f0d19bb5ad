// What the baselines read: the training text, from the tokens that the model was trained on, and the held-out text, document
// by document and as often as there are baselines. Both as tokens and as bytes, in the model's own protocol: one stream, an
// end after each document where the model predicts one too.
import { platform } from "#platform"
import { DataError } from "../../core/index.ts"
import {
  countCharacters,
  type DataInput,
  type DataSource,
  encodeToMemory,
  type TokenSource,
  toSource,
} from "../../data/index.ts"
import { type Tokenizer, wholeWordPieces } from "../../tokenizer/index.ts"
import { makeSymbols, type SymbolArray } from "./symbols.ts"

export interface BaselineText {
  readonly tokenizer: Tokenizer
  readonly train: TokenSource
  readonly trainBytes: number
  readonly heldOut: DataSource
  /** Of the held-out documents, in order. */
  readonly facts: readonly DocumentFacts[]
  readonly heldOutBytes: number
}

export interface DocumentFacts {
  readonly id: string
  readonly sha256: string
  readonly bytes: number
  readonly characters: number
}

export interface TextInputs {
  readonly train: DataInput | TokenSource
  readonly valid: DataInput
  readonly tokenizer: Tokenizer
  readonly signal?: AbortSignal
}

/** Measures both texts. @throws DataError  if one of them is empty */
export async function openText({ train, valid, tokenizer, signal }: TextInputs): Promise<BaselineText> {
  const tokens = isTokens(train) ? train : await encodeToMemory(toSource(train).documents(), tokenizer)
  const heldOut = toSource(valid)
  const facts = await surveyDocuments(heldOut, signal)
  const heldOutBytes = facts.reduce((sum, { bytes }) => sum + bytes, 0)
  const text = { tokenizer, train: tokens, trainBytes: 0, heldOut, facts, heldOutBytes }
  if (heldOutBytes === 0) throw new DataError("the held-out text must not be empty for the baselines, got 0 bytes")
  let trainBytes = 0
  for await (const piece of trainingBytes(text, signal)) trainBytes += piece.length
  if (tokens.length < 2 || trainBytes < 2)
    throw new DataError(
      `baselines need a training text of at least 2 tokens and 2 bytes, got ${tokens.length} and ${trainBytes}`,
    )
  return { ...text, trainBytes }
}

const isTokens = (input: DataInput | TokenSource): input is TokenSource =>
  typeof input === "object" && "documentStarts" in input

async function surveyDocuments(source: DataSource, signal?: AbortSignal): Promise<DocumentFacts[]> {
  const facts: DocumentFacts[] = []
  for await (const { id, text } of source.documents()) {
    const hash = platform.createSha256()
    let [bytes, characters] = [0, 0]
    for await (const piece of inTurns(utf8Pieces(text), signal)) {
      hash.update(piece)
      bytes += piece.length
      characters += countCharacters(piece)
    }
    facts.push({ id, sha256: hash.digest(), bytes, characters })
  }
  return facts
}

/** UTF-16 units of a document encoded at a time: a few milliseconds at most. */
const PIECE_UNITS = 1 << 15

const encoder = new TextEncoder()

function* utf8Pieces(document: string): Generator<Uint8Array> {
  for (const piece of wholeWordPieces(document, PIECE_UNITS)) yield encoder.encode(piece)
}

function* tokenPieces(document: string, tokenizer: Tokenizer): Generator<Int32Array> {
  for (const piece of wholeWordPieces(document, PIECE_UNITS)) yield encodePiece(piece, document, tokenizer)
}

function encodePiece(piece: string, whole: string, tokenizer: Tokenizer): Int32Array {
  try {
    return tokenizer.encode(piece)
  } catch (error) {
    tokenizer.encode(whole) // says the place in the whole document
    throw error
  }
}

/** The same pieces, with a turn of the event loop before each. */
async function* inTurns<T>(pieces: Iterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  for (const piece of pieces) {
    await platform.yieldToEventLoop()
    signal?.throwIfAborted()
    yield piece
  }
}

/** Tokens of one read: some 100 kB of text, a millisecond or two. */
const PIECE_TOKENS = 1 << 15

async function* trainingTokens({ train }: BaselineText, signal?: AbortSignal): AsyncGenerator<Int32Array> {
  for (let at = 0; at < train.length; at += PIECE_TOKENS) {
    await platform.yieldToEventLoop()
    signal?.throwIfAborted()
    yield await train.read(at, Math.min(PIECE_TOKENS, train.length - at))
  }
}

/** The training text as it was, in pieces. */
async function* trainingBytes(text: BaselineText, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const ids of trainingTokens(text, signal)) yield text.tokenizer.decodeBytes(ids)
}

/** Tokens or bytes: what a model of counts counts. */
export interface SymbolUnit {
  readonly name: "token" | "byte"
  readonly vocabSize: number
  /** Bytes of text that each symbol stands for, `[V]`. */
  readonly lengths: ArrayLike<number>
  /** The symbol after each document, if there is one. */
  readonly endOfDocument: number | undefined
  /** Symbols of the training text. */
  readonly trainLength: number
  /** Symbols of the held-out text, about. */
  readonly heldOutLength: number
  training(signal?: AbortSignal): AsyncIterable<ArrayLike<number>>
  /** Symbols of one held-out document with its end, in pieces, each after a turn of the event loop. */
  piecesOf(document: string, signal?: AbortSignal): AsyncIterable<SymbolArray>
}

export function tokenUnit(text: BaselineText): SymbolUnit {
  const { tokenizer, train, trainBytes, heldOutBytes } = text
  const end = tokenizer.endOfText
  return {
    name: "token",
    vocabSize: tokenizer.vocabSize,
    lengths: Uint32Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id).length),
    endOfDocument: end,
    trainLength: train.length,
    heldOutLength: Math.ceil((heldOutBytes * train.length) / trainBytes),
    training: (signal) => trainingTokens(text, signal),
    piecesOf: (document, signal) => inTurns(closed(tokenPieces(document, tokenizer), end), signal),
  }
}

/** No byte of a UTF-8 text: it ends documents where the model's end-of-text token does. */
const END_BYTE = 0xff

export function byteUnit(text: BaselineText): SymbolUnit {
  const { tokenizer, train, trainBytes, facts, heldOutBytes } = text
  const hasEnds = tokenizer.endOfText !== undefined
  const end = hasEnds ? END_BYTE : undefined
  return {
    name: "byte",
    vocabSize: 256,
    lengths: Uint8Array.from({ length: 256 }, (_, byte) => Number(byte !== END_BYTE)),
    endOfDocument: end,
    trainLength: trainBytes + (hasEnds ? train.documentStarts.length : 0),
    heldOutLength: heldOutBytes + (hasEnds ? facts.length : 0),
    training: (signal) => (hasEnds ? bytesWithEnds(text, signal) : trainingBytes(text, signal)),
    piecesOf: (document, signal) => inTurns(closed(utf8Pieces(document), end), signal),
  }
}

/** The training text with {@link END_BYTE} in the place of each end-of-text token. */
async function* bytesWithEnds(text: BaselineText, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { tokenizer } = text
  for await (const ids of trainingTokens(text, signal)) {
    let from = 0
    for (let end = ids.indexOf(tokenizer.endOfText!); end >= 0; end = ids.indexOf(tokenizer.endOfText!, from)) {
      yield tokenizer.decodeBytes(ids.subarray(from, end))
      yield Uint8Array.of(END_BYTE)
      from = end + 1
    }
    yield tokenizer.decodeBytes(ids.subarray(from))
  }
}

function* closed(pieces: Iterable<SymbolArray>, end: number | undefined): Generator<SymbolArray> {
  yield* pieces
  if (end !== undefined) yield Int32Array.of(end)
}

/** The last `length` training symbols in one array. */
export async function lastSymbols(unit: SymbolUnit, length: number, signal?: AbortSignal): Promise<SymbolArray> {
  const symbols = makeSymbols(length, unit.vocabSize)
  let at = length - unit.trainLength
  for await (const piece of unit.training(signal)) {
    const from = Math.max(0, -at)
    for (let index = from; index < piece.length; index++) symbols[at + index] = piece[index]
    at += piece.length
  }
  return symbols
}
