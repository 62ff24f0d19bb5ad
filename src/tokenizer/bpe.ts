// Byte-level byte-pair encoding: text is cut into words, each word's bytes are joined pair by pair in the order the pairs
// were learned. @see Sennrich et al. 2016, arXiv:1508.07909; Radford et al. 2019 for bytes
import { endOfWellFormedUtf8, FormatError, utf8SequenceLength } from "../core/index.ts"
import { assembleTokenizer, specialTokensAfter } from "./assemble.ts"
import { BYTE_LETTERS, bytesToLetters } from "./byte-letters.ts"
import { IdWriter } from "./id-writer.ts"
import { createJoiner, type Join } from "./join.ts"
import { endOfWord } from "./pre-tokenize.ts"
import { END_OF_TEXT, type Tokenizer } from "./tokenizer.ts"
import { WordTable } from "./word-table.ts"

export interface BpeParts {
  /** Default: "bytes" without merges, else "bpe". "bytes" does not cut text into words. */
  readonly kind?: "bytes" | "bpe"
  /** Bytes of each token by id; special tokens have none. Every single byte must be a token. */
  readonly tokens: readonly Uint8Array[]
  /** Pairs of ids in the order they are joined, with the id they become. */
  readonly merges: readonly Join[]
  readonly specialTokens: ReadonlyMap<string, number>
}

/** Words remembered with their ids; natural text repeats itself. */
const MAX_CACHED_WORDS = 200_000
const MAX_CACHED_BYTES = 32

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true }

/**
 * A tokenizer from its parts.
 *
 * @throws FormatError  if a byte has no token
 */
export function createBpe(parts: BpeParts): Tokenizer {
  const { tokens, merges, specialTokens, kind = merges.length === 0 ? "bytes" : "bpe" } = parts
  const names = tokens.map(bytesToLetters)
  for (const [text, id] of specialTokens) names[id] = text
  return assembleTokenizer({
    kind,
    tokens,
    names,
    specialTokens,
    expectedIds: (units) => (kind === "bytes" ? units : units >> 1),
    ...(kind === "bytes" ? bytesEncoder(idsOfBytes(tokens)) : wordsEncoder(idsOfBytes(tokens), merges)),
    json: {
      preTokenizer: { ...BYTE_LEVEL, use_regex: kind === "bpe" },
      decoder: { ...BYTE_LEVEL, use_regex: true },
      merges: merges.map(({ left, right }) => [names[left]!, names[right]!] as const),
    },
  })
}

/** The id of each single byte. */
function idsOfBytes(tokens: readonly Uint8Array[]): Int32Array {
  const ids = new Int32Array(256).fill(-1)
  for (const [id, bytes] of tokens.entries()) if (bytes.length === 1) ids[bytes[0]!] = id
  const missing = ids.indexOf(-1)
  if (missing >= 0)
    throw new FormatError(`the vocabulary has no token for byte ${missing}`, {
      hint: "a byte-level vocabulary has all 256",
    })
  return ids
}

/** How a kind turns text, and any bytes, into ids. */
interface Encoder {
  encodePlain(text: string, out: IdWriter): void
  encodeBytes(bytes: Uint8Array, out: IdWriter): void
}

function bytesEncoder(byteIds: Int32Array): Encoder {
  const encoder = new TextEncoder()
  const encodeBytes = (bytes: Uint8Array, out: IdWriter): void => {
    for (let i = 0; i < bytes.length; i++) out.push(byteIds[bytes[i]!]!)
  }
  return { encodePlain: (text, out) => encodeBytes(encoder.encode(text), out), encodeBytes }
}

function wordsEncoder(byteIds: Int32Array, merges: readonly Join[]): Encoder {
  const join = createJoiner(merges)
  const encoder = new TextEncoder()
  const scratch = new Int32Array(MAX_CACHED_BYTES)
  const joinBytes: JoinBytes = (bytes, at, end, out) => {
    const length = end - at
    const ids = length > scratch.length ? new Int32Array(length) : scratch
    for (let i = 0; i < length; i++) ids[i] = byteIds[bytes[at + i]!]!
    out.append(ids, 0, join(ids, length))
  }
  let cache = new WordCache(joinBytes)

  const encodeWords = (utf8: Uint8Array, out: IdWriter): void => {
    for (let at = 0, end = 0; at < utf8.length; at = end) {
      end = endOfWord(utf8, at)
      if (end - at > MAX_CACHED_BYTES) joinBytes(utf8, at, end, out)
      else cache.append(utf8, at, end, out)
      if (cache.size >= MAX_CACHED_WORDS) cache = new WordCache(joinBytes)
    }
  }
  // What lies between damaged places is encoded as text; each stretch of damage is one word.
  const encodeBytes = (bytes: Uint8Array, out: IdWriter): void => {
    for (let at = 0; at < bytes.length; ) {
      const wellFormed = endOfWellFormedUtf8(bytes, at)
      let damaged = wellFormed
      while (damaged < bytes.length && utf8SequenceLength(bytes, damaged) === 0) damaged++
      encodeWords(bytes.subarray(at, wellFormed), out)
      joinBytes(bytes, wellFormed, damaged, out)
      at = damaged
    }
  }
  return { encodePlain: (text, out) => encodeWords(encoder.encode(text), out), encodeBytes }
}

/** Appends the ids of `bytes[at..end)`, joined, to `out`. */
type JoinBytes = (bytes: Uint8Array, at: number, end: number, out: IdWriter) => void

/** Ids of words met before, worked out by `joinBytes` the first time. */
class WordCache {
  readonly #words = new WordTable()
  readonly #ids = new IdWriter(1 << 12)
  /** Word `i` has the ids `starts[i]..starts[i + 1]`. */
  readonly #starts = [0]
  readonly #joinBytes: JoinBytes

  constructor(joinBytes: JoinBytes) {
    this.#joinBytes = joinBytes
  }

  get size(): number {
    return this.#words.size
  }

  /** Appends the ids of the word `bytes[at..end)` to `out`. */
  append(bytes: Uint8Array, at: number, end: number, out: IdWriter): void {
    const known = this.#words.size
    const word = this.#words.numberOf(bytes, at, end)
    if (word === known) {
      this.#joinBytes(bytes, at, end, this.#ids)
      this.#starts.push(this.#ids.length)
    }
    out.append(this.#ids.view, this.#starts[word], this.#starts[word + 1])
  }
}

/** Every byte is a token; ids are the bytes, special tokens come after. @throws ConfigError  for special tokens of one byte */
export function bytesTokenizer(options: { readonly specialTokens?: readonly string[] } = {}): Tokenizer {
  const { specialTokens = [END_OF_TEXT] } = options
  const bytes = BYTE_LETTERS.map((_, byte) => Uint8Array.of(byte))
  return createBpe({
    tokens: [...bytes, ...specialTokens.map(() => new Uint8Array(0))],
    merges: [],
    specialTokens: specialTokensAfter(BYTE_LETTERS, specialTokens),
  })
}
