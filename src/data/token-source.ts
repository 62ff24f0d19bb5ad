// Token ids by position, wherever they lie. Shards on disk (shards.ts) and arrays in memory look the same to batches.
import { DataError } from "../core/index.ts"
import type { Document } from "./source.ts"

export interface TokenSource {
  /** Tokens in all. */
  readonly length: number
  /**
   * Tokens `[start, start + count)`; at once where they are in memory.
   *
   * The array may be a view of the source itself: read it, do not write it. Throws DataError outside the source.
   */
  read(start: number, count: number): Int32Array | Promise<Int32Array>
  /** Position of each document's first token, ascending. */
  readonly documentStarts: ArrayLike<number>
  close(): Promise<void>
}

/** What is asked of a tokenizer here; rooms that need more know more. */
export interface TokenEncoder {
  readonly vocabSize: number
  readonly endOfText: number | undefined
  encode(text: string): Int32Array
}

/** @throws DataError  unless `[start, start + count)` lies inside `length` */
export function checkRange(start: number, count: number, length: number): void {
  if (!(Number.isInteger(start) && Number.isInteger(count) && start >= 0 && count >= 0 && start + count <= length))
    throw new DataError(`tokens ${start} to ${start + count} were asked of a source that holds ${length}`)
}

/** A token source over an array, without a copy. */
export function memoryTokens(
  tokens: Int32Array,
  documentStarts: ArrayLike<number> = tokens.length > 0 ? [0] : [],
): TokenSource {
  return {
    length: tokens.length,
    read: (start, count) => {
      checkRange(start, count, tokens.length)
      return tokens.subarray(start, start + count)
    },
    documentStarts,
    close: async () => {},
  }
}

/** A document's tokens, closed by the end-of-text token where the tokenizer has one. */
export function encodeDocument(text: string, encoder: TokenEncoder): Int32Array {
  const ids = encoder.encode(text)
  if (encoder.endOfText === undefined) return ids
  const closed = new Int32Array(ids.length + 1)
  closed.set(ids)
  closed[ids.length] = encoder.endOfText
  return closed
}

/** All documents encoded into one array in memory. */
export async function encodeToMemory(documents: AsyncIterable<Document>, encoder: TokenEncoder): Promise<TokenSource> {
  const parts: Int32Array[] = []
  const starts: number[] = []
  let length = 0
  for await (const { text } of documents) {
    const ids = encodeDocument(text, encoder)
    starts.push(length)
    parts.push(ids)
    length += ids.length
  }
  const tokens = new Int32Array(length)
  for (const [index, part] of parts.entries()) tokens.set(part, starts[index])
  return memoryTokens(tokens, starts)
}
