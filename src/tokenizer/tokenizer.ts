// What every tokenizer is: text to ids and back, with the exact bytes of each token known.

export type TokenizerKind = "bytes" | "characters" | "bpe"

export interface EncodeOptions {
  /** Text that spells a special token becomes that token. Default false: what a user writes never controls the model. */
  readonly allowSpecial?: boolean
}

export interface Tokenizer {
  readonly kind: TokenizerKind
  readonly vocabSize: number
  /** Control tokens by their text; they have no bytes and are never produced from plain text. */
  readonly specialTokens: ReadonlyMap<string, number>
  /** The token that ends a document, if there is one. */
  readonly endOfText: number | undefined
  /**
   * Ids of `text`; `decode` gives it back exactly.
   *
   * @throws DataError  if the text has a lone surrogate, or (characters) one the vocabulary lacks
   */
  encode(text: string, options?: EncodeOptions): Int32Array
  /**
   * Ids of any bytes; `decodeBytes` gives them back exactly. The UTF-8 of a text has the ids of the text.
   *
   * @throws DataError  (characters) if the bytes are not UTF-8 of known characters
   */
  encodeBytes(bytes: Uint8Array): Int32Array
  /** Text of `ids`; bytes that are not UTF-8 become U+FFFD. Special tokens are left out. */
  decode(ids: ArrayLike<number>): string
  /** Exact bytes of `ids`. */
  decodeBytes(ids: ArrayLike<number>): Uint8Array
  /** Exact bytes of one token; none for a special token. @throws DataError  if there is no such id */
  tokenBytes(id: number): Uint8Array
  /** A token as tokenizer.json spells it (bytes as letters: `Ġthe`). @throws DataError  if there is no such id */
  idToToken(id: number): string
  /** The id of a token spelled so, if there is one. */
  tokenToId(token: string): number | undefined
  /** A tokenizer.json; `loadTokenizer` reads it back. */
  toJson(): string
}

export const END_OF_TEXT = "<|endoftext|>"

/** Streams text out of ids: only whole characters. */
export interface StreamDecoder {
  push(id: number): string
  /** What is left of an unfinished character, as U+FFFD. */
  end(): string
}

/** All that `push` and `end` give is what `decode` gives for the same ids. */
export function streamDecoder(tokenizer: Pick<Tokenizer, "tokenBytes">): StreamDecoder {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  return {
    push: (id) => decoder.decode(tokenizer.tokenBytes(id), { stream: true }),
    end: () => decoder.decode(),
  }
}
