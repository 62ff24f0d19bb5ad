// What the kinds of tokenizers have in common: once it is known how plain text becomes ids, the rest follows from the tokens.
import { ConfigError, DataError } from "../core/index.ts"
import { serializeTokenizerJson, type TokenizerJson } from "../formats/index.ts"
import { IdWriter } from "./id-writer.ts"
import { END_OF_TEXT, type Tokenizer, type TokenizerKind } from "./tokenizer.ts"

export interface TokenizerParts {
  readonly kind: TokenizerKind
  /** Exact bytes of each token by id; special tokens have none. */
  readonly tokens: readonly Uint8Array[]
  /** How tokenizer.json writes each token. */
  readonly names: readonly string[]
  readonly specialTokens: ReadonlyMap<string, number>
  /** About how many ids a text of `units` UTF-16 units has. */
  readonly expectedIds: (units: number) => number
  /** Text without special tokens; `offset` is its place in the whole, for messages. */
  readonly encodePlain: (text: string, out: IdWriter, offset: number) => void
  readonly encodeBytes: (bytes: Uint8Array, out: IdWriter) => void
  /** The parts of tokenizer.json that the kind decides. */
  readonly json: Pick<TokenizerJson, "preTokenizer" | "decoder" | "merges">
}

export function assembleTokenizer(parts: TokenizerParts): Tokenizer {
  const { kind, tokens, names, specialTokens, expectedIds, encodePlain, encodeBytes } = parts
  const ids = new Map(names.map((name, id) => [name, id]))
  const tokenBytes = (id: number): Uint8Array => tokens[id] ?? unknownId(id, tokens.length)
  const decodeBytes = (list: ArrayLike<number>): Uint8Array => joinBytes(list, tokenBytes)
  return {
    kind,
    vocabSize: tokens.length,
    specialTokens,
    endOfText: specialTokens.get(END_OF_TEXT),
    encode(text, { allowSpecial = false } = {}) {
      requireWellFormed(text)
      const out = new IdWriter(expectedIds(text.length))
      if (!allowSpecial || specialTokens.size === 0) encodePlain(text, out, 0)
      else
        for (const { at, end, id } of splitAtSpecial(text, specialTokens))
          if (id === undefined) encodePlain(text.slice(at, end), out, at)
          else out.push(id)
      return out.ids()
    },
    encodeBytes(bytes) {
      const out = new IdWriter(expectedIds(bytes.length))
      encodeBytes(bytes, out)
      return out.ids()
    },
    decode: (list) => decodeUtf8(decodeBytes(list)),
    decodeBytes,
    tokenBytes,
    idToToken: (id) => names[id] ?? unknownId(id, tokens.length),
    tokenToId: (token) => ids.get(token),
    toJson: () => serializeTokenizerJson({ ...parts.json, ...shared(names, specialTokens) }),
  }
}

function shared(names: readonly string[], specialTokens: ReadonlyMap<string, number>) {
  const addedTokens = [...specialTokens].map(([content, id]) => ({ id, content, special: true }))
  return { addedTokens, normalizer: null, postProcessor: null, vocab: names, ignoreMerges: false }
}

function unknownId(id: number, size: number): never {
  throw new DataError(`token ids are 0 … ${size - 1}, got ${id}`)
}

/**
 * Checks special tokens against the other tokens; those come first in the vocabulary, special tokens after them.
 *
 * @throws ConfigError  if one is empty, given twice, or spelled like another token
 */
export function specialTokensAfter(names: readonly string[], texts: readonly string[]): Map<string, number> {
  const taken = new Set(names)
  return new Map(
    texts.map((text, i) => {
      if (text === "") throw new ConfigError("a special token must not be empty")
      if (!text.isWellFormed()) throw new ConfigError(`the special token ${JSON.stringify(text)} has a lone surrogate`)
      if (taken.has(text))
        throw new ConfigError(
          `the special token ${JSON.stringify(text)} is given twice, or spelled like another token`,
          "choose a spelling that text does not have, such as <|name|>",
        )
      taken.add(text)
      return [text, names.length + i]
    }),
  )
}

/** @throws DataError  at the first half of a surrogate pair that stands alone: it has no UTF-8 */
export function requireWellFormed(text: string): void {
  if (text.isWellFormed()) return
  const at = text.search(/\p{Surrogate}/u)
  const code = text.charCodeAt(at).toString(16).toUpperCase()
  throw new DataError(
    `the text has a lone surrogate U+${code} at position ${at}, which has no UTF-8`,
    "text.toWellFormed() replaces it",
  )
}

/** Exact bytes of `ids`, one after the other. */
function joinBytes(ids: ArrayLike<number>, bytesOf: (id: number) => Uint8Array): Uint8Array {
  let length = 0
  for (let i = 0; i < ids.length; i++) length += bytesOf(ids[i]!).length
  const joined = new Uint8Array(length)
  for (let i = 0, at = 0; i < ids.length; i++) {
    const bytes = bytesOf(ids[i]!)
    // Tokens are a few bytes: a loop is faster than `set`.
    for (let j = 0; j < bytes.length; j++) joined[at++] = bytes[j]!
  }
  return joined
}

/** Decodes UTF-8; damage becomes U+FFFD, and a byte order mark is text like any other. */
function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
}

interface Piece {
  readonly at: number
  readonly end: number
  /** Of a special token; undefined for plain text. */
  readonly id: number | undefined
}

/** Cuts `text` at special tokens; where two begin at one place, the longer one counts. */
function* splitAtSpecial(text: string, specials: ReadonlyMap<string, number>): Generator<Piece> {
  const longestFirst = [...specials.keys()].sort((a, b) => b.length - a.length)
  const pattern = new RegExp(longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"), "gu")
  let rest = 0
  for (const { 0: token, index } of text.matchAll(pattern)) {
    if (index > rest) yield { at: rest, end: index, id: undefined }
    rest = index + token.length
    yield { at: index, end: rest, id: specials.get(token) }
  }
  if (rest < text.length) yield { at: rest, end: text.length, id: undefined }
}
