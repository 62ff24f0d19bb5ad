// Distinct words of texts, numbered as they come. Their bytes are copied into one array: words cut from a text would keep
// that whole text alive, and a corpus may be larger than memory.

const EMPTY = -1
/**
 * A word that meets this many others at its place is numbered anew. Words of equal hashes can be made at will, and a table
 * that went past them all would take time in proportion to the square of the text. Chance makes chains a third as long.
 */
const MAX_PROBES = 64

export class WordTable {
  #bytes = new Uint8Array(1 << 12)
  /** Word `i` has the bytes `starts[i]..starts[i + 1]`. */
  #starts = new Int32Array(1 << 9)
  #hashes = new Int32Array(1 << 9)
  #slots = new Int32Array(1 << 10).fill(EMPTY)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The number of the word `bytes[from..to)`; one not seen before (or among too many of its kind) gets the next number. */
  numberOf(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashOf(bytes, from, to)
    const mask = this.#slots.length - 1
    for (let slot = hash & mask, probes = 0; probes < MAX_PROBES; slot = (slot + 1) & mask, probes++) {
      const word = this.#slots[slot]!
      if (word === EMPTY) {
        this.#slots[slot] = this.#size
        break
      }
      if (this.#hashes[word] === hash && this.#equals(word, bytes, from, to)) return word
    }
    return this.#append(bytes, from, to, hash)
  }

  #equals(word: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[word]!
    if (this.#starts[word + 1]! - start !== to - from) return false
    for (let i = from; i < to; i++) if (this.#bytes[start + i - from] !== bytes[i]) return false
    return true
  }

  #append(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const word = this.#size++
    const start = this.#starts[word]!
    const end = start + to - from
    while (end > this.#bytes.length) this.#bytes = larger(this.#bytes, new Uint8Array(2 * this.#bytes.length))
    if (word + 2 > this.#starts.length) {
      this.#starts = larger(this.#starts, new Int32Array(2 * this.#starts.length))
      this.#hashes = larger(this.#hashes, new Int32Array(2 * this.#hashes.length))
    }
    for (let i = from; i < to; i++) this.#bytes[start + i - from] = bytes[i]!
    this.#starts[word + 1] = end
    this.#hashes[word] = hash
    if (2 * this.#size > this.#slots.length) this.#rehash()
    return word
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(EMPTY)
    const mask = this.#slots.length - 1
    for (let word = 0; word < this.#size; word++) {
      let slot = this.#hashes[word]! & mask
      for (let probes = 1; this.#slots[slot] !== EMPTY && probes < MAX_PROBES; probes++) slot = (slot + 1) & mask
      if (this.#slots[slot] === EMPTY) this.#slots[slot] = word
    }
  }

  /** All words, one after the other: word `i` is `bytes[starts[i]..starts[i + 1])`. */
  list(): { readonly bytes: Uint8Array; readonly starts: Int32Array } {
    const starts = this.#starts.slice(0, this.#size + 1)
    return { bytes: this.#bytes.slice(0, starts[this.#size]), starts }
  }
}

export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x9e3779b1) ^ (hash >>> 15)
  return hash ^ (hash >>> 13)
}

function larger<A extends Uint8Array | Int32Array>(from: A, to: A): A {
  to.set(from)
  return to
}
