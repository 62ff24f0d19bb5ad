// How alike two texts are, without comparing them: MinHash signatures over 5-word shingles. One pass over the text, whatever
// its length. Broder 1997, "On the resemblance and containment of documents"; one permutation with optimal densification:
// Shrivastava 2017, arXiv:1703.04664.
import { mix32 } from "../core/index.ts"

/** Words that make a shingle: runs of five are rarely shared by chance, and an edited word spoils only five of them. */
const SHINGLE_WORDS = 5
/** Numbers in a signature: the estimate's standard error at a likeness of 0.8 is √(0.8·0.2/125) = 0.036. */
export const SIGNATURE_LENGTH = 125
const EMPTY = 0xffffffff
const BASE = 0x01000193 // the FNV prime, as multiplier of a polynomial hash

/** Character classes: 0 between words, 1 part of a word, 2 a word of its own (ideographs, kana, hangul). */
function classOf(code: number): 0 | 1 | 2 {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) ? 1 : 0
  if (code >= 0x2e80 && code <= 0xd7af) return 2
  return code === 0xa0 || (code >= 0x2000 && code <= 0x206f) || code === 0x3000 ? 0 : 1
}

/** Calls `visit` with the hash of each word: letters and digits, ASCII case folded. */
function forEachWord(text: string, visit: (hash: number) => void): void {
  let hash = 0
  let inside = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const kind = classOf(code)
    if (kind === 1) {
      hash = Math.imul(hash ^ (code >= 65 && code <= 90 ? code | 32 : code), BASE) + 1
      inside = true
      continue
    }
    if (inside) visit(hash)
    if (kind === 2) visit(Math.imul(code, BASE))
    hash = 0
    inside = false
  }
  if (inside) visit(hash)
}

/** Calls `visit` with the 32-bit hash of each run of five words; of all words where there are fewer. */
function forEachShingle(text: string, visit: (hash: number) => void): void {
  const ring = new Int32Array(SHINGLE_WORDS)
  let words = 0
  forEachWord(text, (word) => {
    ring[words++ % SHINGLE_WORDS] = word
    if (words < SHINGLE_WORDS) return
    let hash = 0
    for (let back = 0; back < SHINGLE_WORDS; back++)
      hash = Math.imul(hash, BASE) + ring[(words + back) % SHINGLE_WORDS]!
    visit(mix32(hash))
  })
  if (words > 0 && words < SHINGLE_WORDS)
    visit(mix32(ring.subarray(0, words).reduce((h, w) => Math.imul(h, BASE) + w, words)))
}

/**
 * The MinHash signature of a text: each shingle's hash falls into one of 125 bins, each bin keeps its smallest.
 *
 * Two texts agree in a bin with probability `J = |A ∩ B| / |A ∪ B|` over their sets of shingles. Empty bins borrow from a bin
 * chosen by a hash of the bin and the attempt, so that short texts agree with probability J too.
 *
 * @returns  125 numbers of 16 bits; undefined for a text without words, which is like no other
 */
export function minHash(text: string): Uint16Array | undefined {
  const smallest = new Uint32Array(SIGNATURE_LENGTH).fill(EMPTY)
  let any = false
  forEachShingle(text, (hash) => {
    const bin = hash % SIGNATURE_LENGTH
    const rank = mix32(hash ^ 0x5bd1e995)
    if (rank < smallest[bin]!) smallest[bin] = rank
    any = true
  })
  if (!any) return undefined
  return Uint16Array.from(smallest, (rank, bin) => (rank !== EMPTY ? rank : borrowed(smallest, bin)) & 0xffff)
}

/** The value of the first filled bin on the walk that belongs to `bin`. */
function borrowed(smallest: Uint32Array, bin: number): number {
  for (let attempt = 1; ; attempt++) {
    const other = smallest[mix32(Math.imul(bin + 1, 0x9e3779b1) ^ attempt) % SIGNATURE_LENGTH]!
    if (other !== EMPTY) return other
  }
}

/** Estimated Jaccard likeness: the share of equal numbers. */
export function likeness(a: Uint16Array, b: Uint16Array): number {
  let equal = 0
  for (let index = 0; index < SIGNATURE_LENGTH; index++) if (a[index] === b[index]) equal++
  return equal / SIGNATURE_LENGTH
}
