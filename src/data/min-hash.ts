// How alike two texts are, without comparing them: MinHash signatures over 5-word shingles. One pass over the text, whatever
// its length. Broder 1997, "On the resemblance and containment of documents"; one permutation with optimal densification:
// Shrivastava 2017, arXiv:1703.04664.
import { mix32, randomStream } from "../core/index.ts"

/** Words that make a shingle: runs of five are rarely shared by chance, and an edited word spoils only five of them. */
const SHINGLE_WORDS = 5
/** Numbers in a signature: the estimate's standard error at a likeness of 0.8 is √(0.8·0.2/125) = 0.036. */
export const SIGNATURE_LENGTH = 125
const EMPTY = 0xffffffff
const BASE = 0x01000193 // the FNV prime, as multiplier of a polynomial hash

/** Folded code of each ASCII letter and digit, 0 for all else. */
const ASCII_WORD = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-z]/.test(String.fromCharCode(code)) ? code : /[A-Z]/.test(String.fromCharCode(code)) ? code + 32 : 0,
)

/** Beyond ASCII: 0 between words, 1 part of a word, 2 a word of its own (ideographs, kana, hangul). */
function classOf(code: number): 0 | 1 | 2 {
  if (code >= 0x2e80 && code <= 0xd7af) return code === 0x3000 ? 0 : 2
  return code <= 0xa0 || (code >= 0x2000 && code <= 0x206f) ? 0 : 1
}

/** Calls `visit` with the hash of each word: letters and digits, ASCII case folded. */
function forEachWord(text: string, visit: (hash: number) => void): void {
  let hash = 0
  let inside = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const folded = code < 128 ? ASCII_WORD[code]! : classOf(code) === 1 ? code : 0
    if (folded > 0) {
      hash = Math.imul(hash ^ folded, BASE) + 1
      inside = true
      continue
    }
    if (inside) visit(hash)
    if (code >= 128 && classOf(code) === 2) visit(Math.imul(code, BASE))
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
 * Two texts agree in a bin with probability `J = |A ∩ B| / |A ∪ B|` over their sets of shingles. Empty bins borrow from the
 * first filled bin in a random order of their own, so that short texts agree with probability J too.
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
  const signature = new Uint16Array(SIGNATURE_LENGTH) // the low halves
  for (let bin = 0; bin < SIGNATURE_LENGTH; bin++)
    signature[bin] = smallest[bin] === EMPTY ? borrowed(smallest, bin) : smallest[bin]!
  return signature
}

/** In which order each bin asks the others: a random permutation of its own, `[bin, attempt]`. */
function askingOrders(): Uint8Array {
  const orders = new Uint8Array(SIGNATURE_LENGTH * SIGNATURE_LENGTH)
  const stream = randomStream(0, "min-hash")
  for (let bin = 0; bin < SIGNATURE_LENGTH; bin++) {
    const order = orders.subarray(bin * SIGNATURE_LENGTH, (bin + 1) * SIGNATURE_LENGTH)
    for (let at = 0; at < SIGNATURE_LENGTH; at++) {
      const other = stream.below(at + 1)
      order[at] = order[other]!
      order[other] = at
    }
  }
  return orders
}
let orders: Uint8Array | undefined // made on first use: an import does no work

/** The value of the first filled bin in the order that belongs to `bin`; there must be one. */
function borrowed(smallest: Uint32Array, bin: number): number {
  orders ??= askingOrders()
  let at = bin * SIGNATURE_LENGTH
  while (smallest[orders[at]!] === EMPTY) at++
  return smallest[orders[at]!]!
}

/** Estimated Jaccard likeness: the share of equal numbers. */
export function likeness(a: Uint16Array, b: Uint16Array): number {
  let equal = 0
  for (let index = 0; index < SIGNATURE_LENGTH; index++) if (a[index] === b[index]) equal++
  return equal / SIGNATURE_LENGTH
}
