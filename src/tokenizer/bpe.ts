// Byte-level byte-pair encoding: text is cut into words, each word's bytes are joined pair by pair in the order the pairs
// were learned. @see Sennrich et al. 2016, arXiv:1508.07909; Radford et al. 2019 for bytes
import { FormatError } from "../core/index.ts"
import { serializeTokenizerJson } from "../formats/index.ts"
import { BYTE_LETTERS, bytesToLetters } from "./byte-letters.ts"
import { createHeap } from "./heap.ts"
import { PairTable } from "./pair-table.ts"
import { forEachWord } from "./pre-tokenize.ts"
import {
  bytesOfToken,
  decodeUtf8,
  END_OF_TEXT,
  joinBytes,
  requireWellFormed,
  splitAtSpecial,
  type Tokenizer,
} from "./tokenizer.ts"

export interface BpeParts {
  /** Bytes of each token by id; special tokens have none. Every single byte must be a token. */
  readonly tokens: readonly Uint8Array[]
  /** Pairs of ids in the order they are joined, with the id they become. */
  readonly merges: readonly { readonly left: number; readonly right: number; readonly joined: number }[]
  readonly specialTokens: ReadonlyMap<string, number>
}

/** Words longer than this are joined with a heap: rescanning them for every join would be quadratic. */
const LONG_WORD_BYTES = 48
/** Words remembered with their ids; natural text repeats itself. */
const MAX_CACHED_WORDS = 200_000
const MAX_CACHED_LENGTH = 32

/**
 * A tokenizer from its parts.
 *
 * @throws FormatError  if a byte has no token
 */
export function createBpe({ tokens, merges, specialTokens }: BpeParts): Tokenizer {
  const byteIds = idsOfBytes(tokens)
  const ranks = new PairTable(merges.length)
  for (const [rank, { left, right }] of merges.entries()) if (ranks.get(left, right) < 0) ranks.set(left, right, rank)
  const joined = Int32Array.from(merges, (merge) => merge.joined)
  const isBytes = merges.length === 0
  const encoder = new TextEncoder()
  let cache = new Map<string, Int32Array>()

  const encodeWord = (word: string): Int32Array => {
    const ids = Int32Array.from(encoder.encode(word), (byte) => byteIds[byte]!)
    return ids.length > LONG_WORD_BYTES ? joinLong(ids, ranks, joined) : joinShort(ids, ranks, joined)
  }
  const idsOfWord = (word: string): Int32Array => {
    const known = cache.get(word)
    if (known !== undefined) return known
    const ids = encodeWord(word)
    if (word.length > MAX_CACHED_LENGTH) return ids
    if (cache.size >= MAX_CACHED_WORDS) cache = new Map()
    cache.set(word, ids)
    return ids
  }
  const encodePlain = (text: string, out: IdWriter): void => {
    if (isBytes) for (const byte of encoder.encode(text)) out.push(byteIds[byte]!)
    else forEachWord(text, (word) => out.append(idsOfWord(word)))
  }
  const tokenBytes = (id: number) => bytesOfToken(tokens, id)
  const decodeBytes = (ids: ArrayLike<number>) => joinBytes(ids, tokenBytes)
  return {
    kind: isBytes ? "bytes" : "bpe",
    vocabSize: tokens.length,
    specialTokens,
    endOfText: specialTokens.get(END_OF_TEXT),
    encode(text, { allowSpecial = false } = {}) {
      requireWellFormed(text)
      const out = new IdWriter(text.length >> (isBytes ? 0 : 1))
      if (allowSpecial)
        splitAtSpecial(
          text,
          specialTokens,
          (plain) => encodePlain(plain, out),
          (id) => out.push(id),
        )
      else encodePlain(text, out)
      return out.ids()
    },
    decode: (ids) => decodeUtf8(decodeBytes(ids)),
    decodeBytes,
    tokenBytes,
    toJson: () => toJson({ tokens, merges, specialTokens }),
  }
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

/** Grows as ids come. */
class IdWriter {
  #ids: Int32Array
  #length = 0

  constructor(expected: number) {
    this.#ids = new Int32Array(Math.max(16, expected))
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#ids.length) return
    const larger = new Int32Array(Math.max(2 * this.#ids.length, this.#length + count))
    larger.set(this.#ids)
    this.#ids = larger
  }

  push(id: number): void {
    this.#reserve(1)
    this.#ids[this.#length++] = id
  }

  append(ids: Int32Array): void {
    this.#reserve(ids.length)
    for (let i = 0; i < ids.length; i++) this.#ids[this.#length++] = ids[i]!
  }

  ids(): Int32Array {
    return this.#ids.slice(0, this.#length)
  }
}

/** Joins the pair of lowest rank, leftmost first, until none is left; rescans, which is fastest for a few ids. */
function joinShort(ids: Int32Array, ranks: PairTable, joined: Int32Array): Int32Array {
  let length = ids.length
  for (;;) {
    let [best, at] = [joined.length, -1]
    for (let i = 0; i + 1 < length; i++) {
      const rank = ranks.get(ids[i]!, ids[i + 1]!)
      if (rank >= 0 && rank < best) [best, at] = [rank, i]
    }
    if (at < 0) return ids.slice(0, length)
    ids[at] = joined[best]!
    ids.copyWithin(at + 1, at + 2, length)
    length--
  }
}

/** The same with a linked list and a heap of candidate pairs, `n log n`. */
function joinLong(ids: Int32Array, ranks: PairTable, joined: Int32Array): Int32Array {
  const next = Int32Array.from(ids, (_, i) => i + 1)
  const previous = Int32Array.from(ids, (_, i) => i - 1)
  const rankAt = new Int32Array(ids.length).fill(-1)
  const candidates: { rank: number; at: number }[] = []
  const heap = createHeap(
    (a, b) =>
      candidates[a]!.rank < candidates[b]!.rank ||
      (candidates[a]!.rank === candidates[b]!.rank && candidates[a]!.at < candidates[b]!.at),
  )
  const consider = (at: number): void => {
    if (at < 0) return
    rankAt[at] = next[at]! < ids.length ? ranks.get(ids[at]!, ids[next[at]!]!) : -1
    if (rankAt[at]! >= 0) heap.push(candidates.push({ rank: rankAt[at]!, at }) - 1)
  }
  for (let at = 0; at < ids.length; at++) consider(at)
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const { rank, at } = candidates[top]!
    if (rankAt[at] !== rank) continue
    const gone = next[at]!
    ids[at] = joined[rank]!
    rankAt[gone] = -1
    next[at] = next[gone]!
    if (next[at]! < ids.length) previous[next[at]!] = at
    consider(at)
    consider(previous[at]!)
  }
  const result: number[] = []
  for (let at = 0; at < ids.length; at = next[at]!) result.push(ids[at]!)
  return Int32Array.from(result)
}

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true }

function toJson({ tokens, merges, specialTokens }: BpeParts): string {
  const names = tokens.map(bytesToLetters)
  for (const [text, id] of specialTokens) names[id] = text
  return serializeTokenizerJson({
    addedTokens: [...specialTokens].map(([content, id]) => ({ id, content, special: true })),
    normalizer: null,
    preTokenizer: { ...BYTE_LEVEL, use_regex: merges.length > 0 },
    postProcessor: null,
    decoder: { ...BYTE_LEVEL, use_regex: true },
    vocab: names,
    merges: merges.map(({ left, right }) => [names[left]!, names[right]!] as const),
    ignoreMerges: false,
  })
}

/** Every byte is a token; ids are the bytes, special tokens come after. */
export function bytesTokenizer(options: { readonly specialTokens?: readonly string[] } = {}): Tokenizer {
  const { specialTokens = [END_OF_TEXT] } = options
  const bytes = BYTE_LETTERS.map((_, byte) => Uint8Array.of(byte))
  return createBpe({
    tokens: [...bytes, ...specialTokens.map(() => new Uint8Array(0))],
    merges: [],
    specialTokens: new Map(specialTokens.map((text, i) => [text, 256 + i])),
  })
}
