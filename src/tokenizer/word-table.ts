// Distinct words of texts, numbered as they come. The characters are copied into one array: strings cut from a text would
// keep that whole text alive, and a corpus may be larger than memory.

const EMPTY = -1

export class WordTable {
  #units = new Uint16Array(1 << 12)
  /** Word `i` has the units `starts[i]..starts[i + 1]`. */
  #starts = new Int32Array(1 << 9)
  #hashes = new Int32Array(1 << 9)
  #slots = new Int32Array(1 << 10).fill(EMPTY)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The number of the word `text[from..to)`; a word not seen before gets the next one. */
  numberOf(text: string, from: number, to: number): number {
    let hash = to - from
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e3779b1) ^ (hash >>> 15)
    hash ^= hash >>> 13
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const word = this.#slots[slot]!
      if (word === EMPTY) return this.#insert(text, from, to, hash, slot)
      if (this.#hashes[word] === hash && this.#equals(word, text, from, to)) return word
    }
  }

  #equals(word: number, text: string, from: number, to: number): boolean {
    const start = this.#starts[word]!
    if (this.#starts[word + 1]! - start !== to - from) return false
    for (let i = from; i < to; i++) if (this.#units[start + i - from] !== text.charCodeAt(i)) return false
    return true
  }

  #insert(text: string, from: number, to: number, hash: number, slot: number): number {
    const word = this.#size++
    const start = this.#starts[word]!
    const end = start + to - from
    while (end > this.#units.length) this.#units = larger(this.#units, new Uint16Array(2 * this.#units.length))
    if (word + 2 > this.#starts.length) {
      this.#starts = larger(this.#starts, new Int32Array(2 * this.#starts.length))
      this.#hashes = larger(this.#hashes, new Int32Array(2 * this.#hashes.length))
    }
    for (let i = from; i < to; i++) this.#units[start + i - from] = text.charCodeAt(i)
    this.#starts[word + 1] = end
    this.#hashes[word] = hash
    this.#slots[slot] = word
    if (2 * this.#size > this.#slots.length) this.#rehash()
    return word
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(EMPTY)
    const mask = this.#slots.length - 1
    for (let word = 0; word < this.#size; word++) {
      let slot = this.#hashes[word]! & mask
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask
      this.#slots[slot] = word
    }
  }

  word(number: number): string {
    return String.fromCharCode(...this.#units.subarray(this.#starts[number], this.#starts[number + 1]))
  }
}

function larger<A extends Uint16Array | Int32Array>(from: A, to: A): A {
  to.set(from)
  return to
}
