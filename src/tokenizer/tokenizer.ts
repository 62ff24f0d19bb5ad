// What every tokenizer is: text to ids and back, with the exact bytes of each token known.
import { DataError } from "../core/index.ts"

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
  /** Text of `ids`; bytes that are not UTF-8 become U+FFFD. Special tokens are left out. */
  decode(ids: ArrayLike<number>): string
  /** Exact bytes of `ids`. */
  decodeBytes(ids: ArrayLike<number>): Uint8Array
  /** Exact bytes of one token; none for a special token. @throws DataError  if there is no such id */
  tokenBytes(id: number): Uint8Array
  /** A tokenizer.json; `loadTokenizer` reads it back. */
  toJson(): string
}

export const END_OF_TEXT = "<|endoftext|>"

/** @throws DataError  at the first half of a surrogate pair that stands alone: it has no UTF-8 */
export function requireWellFormed(text: string): void {
  const at = text.search(/\p{Surrogate}/u)
  if (at < 0) return
  const code = text.charCodeAt(at).toString(16).toUpperCase()
  throw new DataError(
    `the text has a lone surrogate U+${code} at position ${at}, which has no UTF-8`,
    "text.toWellFormed() replaces it",
  )
}

/** Exact bytes of `ids`, one after the other. */
export function joinBytes(ids: ArrayLike<number>, bytesOf: (id: number) => Uint8Array): Uint8Array {
  let length = 0
  for (let i = 0; i < ids.length; i++) length += bytesOf(ids[i]!).length
  const joined = new Uint8Array(length)
  let at = 0
  for (let i = 0; i < ids.length; i++) {
    const bytes = bytesOf(ids[i]!)
    joined.set(bytes, at)
    at += bytes.length
  }
  return joined
}

/** Decodes UTF-8; damage becomes U+FFFD, and a byte order mark is text like any other. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
}

/** Looks up a token's bytes. */
export function bytesOfToken(tokens: readonly Uint8Array[], id: number): Uint8Array {
  const bytes = tokens[id]
  if (bytes === undefined) throw new DataError(`token ids are 0 … ${tokens.length - 1}, got ${id}`)
  return bytes
}

/** Cuts `text` at special tokens: plain pieces go to `plain`, the tokens to `special`. */
export function splitAtSpecial(
  text: string,
  specials: ReadonlyMap<string, number>,
  plain: (text: string) => void,
  special: (id: number) => void,
): void {
  let rest = 0
  for (;;) {
    let [next, found] = [text.length, ""]
    for (const token of specials.keys()) {
      const at = text.indexOf(token, rest)
      if (at >= 0 && (at < next || (at === next && token.length > found.length))) [next, found] = [at, token]
    }
    if (next > rest) plain(text.slice(rest, next))
    if (found === "") return
    special(specials.get(found)!)
    rest = next + found.length
  }
}

/** Streams text out of ids: only whole characters. */
export interface StreamDecoder {
  push(id: number): string
  /** What is left of an unfinished character, as U+FFFD. */
  end(): string
}

export function streamDecoder(tokenizer: Pick<Tokenizer, "tokenBytes">): StreamDecoder {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  return {
    push: (id) => decoder.decode(tokenizer.tokenBytes(id), { stream: true }),
    end: () => decoder.decode(),
  }
}
