// Documents as one stream of tokens, each with the block in which its nats will be booked. One document is held at a time,
// and of its tokens one piece.
import { platform } from "#platform"
import { countCharacters, type Document } from "../../data/index.ts"
import { type Tokenizer, wholeWordPieces } from "../../tokenizer/index.ts"
import { BLOCK_BYTES } from "./document-score.ts"
import { blocksOf, type Ledger } from "./ledger.ts"
import { createTurns } from "./turns.ts"

/** Tokens in a row of one document. */
export interface PlacedTokens {
  readonly ids: Int32Array
  /** The block of each one's first byte, numbered through all documents. */
  readonly blocks: Int32Array
}

/** UTF-16 units encoded at a time: a few milliseconds, unless there is no blank to cut at. */
const PIECE_UNITS = 1 << 15

const encoder = new TextEncoder()

/**
 * All documents, each followed by its end-of-text token where there is one; closed in `ledger` when their last token is out.
 *
 * The event loop gets a turn between pieces.
 *
 * @throws DataError  if a text holds what the tokenizer does not know
 */
export async function* placedTokens(
  documents: AsyncIterable<Document>,
  tokenizer: Tokenizer,
  ledger: Ledger,
): AsyncGenerator<PlacedTokens> {
  const tokenBytes = bytesOfTokens(tokenizer)
  const at = { block: 0, isStart: true }
  const giveTurn = createTurns()
  for await (const document of documents) {
    const hash = platform.createSha256()
    const read = { bytes: 0, characters: 0, tokens: 0 }
    const unpredicted = { bytes: 0, characters: 0, tokens: 0 }
    for (const { ids, utf8 } of encodedPieces(document.text, tokenizer)) {
      hash.update(utf8)
      if (at.isStart) Object.assign(unpredicted, firstTokenOf(ids, tokenizer))
      await giveTurn()
      yield { ids, blocks: blocksOfTokens(ids, tokenBytes, at.block, read.bytes) }
      at.isStart &&= ids.length === 0
      read.bytes += utf8.length
      read.characters += countCharacters(utf8)
      read.tokens += ids.length
    }
    const blocks = blocksOf(read.bytes)
    if (tokenizer.endOfText !== undefined) {
      if (at.isStart) unpredicted.tokens = 1
      yield { ids: Int32Array.of(tokenizer.endOfText), blocks: Int32Array.of(at.block + blocks - 1) }
      at.isStart = false
      read.tokens++
    }
    ledger.close({
      id: document.id,
      sha256: hash.digest(),
      tokens: read.tokens - unpredicted.tokens,
      bytes: read.bytes - unpredicted.bytes,
      characters: read.characters - unpredicted.characters,
      firstBlock: at.block,
      blocks,
    })
    at.block += blocks
  }
}

/** Bytes of each token, by id. */
export const bytesOfTokens = (tokenizer: Tokenizer): Int32Array =>
  Int32Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id).length)

/** What nobody predicts: the first token of all, before which nothing stands. */
function firstTokenOf(ids: Int32Array, tokenizer: Tokenizer) {
  if (ids.length === 0) return { bytes: 0, characters: 0, tokens: 0 }
  const bytes = tokenizer.tokenBytes(ids[0]!)
  return { bytes: bytes.length, characters: countCharacters(bytes), tokens: 1 }
}

interface EncodedPiece {
  readonly ids: Int32Array
  readonly utf8: Uint8Array
}

function* encodedPieces(text: string, tokenizer: Tokenizer): Generator<EncodedPiece> {
  for (const piece of wholeWordPieces(text, PIECE_UNITS)) yield encodePiece(piece, text, tokenizer)
}

function encodePiece(piece: string, whole: string, tokenizer: Tokenizer): EncodedPiece {
  try {
    return { ids: tokenizer.encode(piece), utf8: encoder.encode(piece) }
  } catch (error) {
    tokenizer.encode(whole) // says the place in the whole text
    throw error
  }
}

/** `firstBlock + ⌊byte / BLOCK_BYTES⌋` of tokens that begin `offset` bytes into their document. */
function blocksOfTokens(ids: Int32Array, tokenBytes: Int32Array, firstBlock: number, offset: number): Int32Array {
  const blocks = new Int32Array(ids.length)
  for (let i = 0, byte = offset; i < ids.length; i++) {
    blocks[i] = firstBlock + Math.floor(byte / BLOCK_BYTES)
    byte += tokenBytes[ids[i]!]!
  }
  return blocks
}
