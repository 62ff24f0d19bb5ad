// A hash table from pairs of token ids to small integers, in two typed arrays: the inner loop of byte-pair encoding and of
// its training. Open addressing, at most half full.

const EMPTY = -1

export class PairTable {
  #keys = new Int32Array(0)
  #values = new Int32Array(0)
  #mask = 0
  #size = 0

  constructor(expected = 16) {
    this.#resize(expected)
  }

  #resize(expected: number): void {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * expected)))
    const [keys, values] = [this.#keys, this.#values]
    this.#keys = new Int32Array(2 * capacity).fill(EMPTY)
    this.#values = new Int32Array(capacity)
    this.#mask = capacity - 1
    for (let slot = 0; slot < values.length; slot++) {
      if (keys[2 * slot] === EMPTY) continue
      const target = this.#slot(keys[2 * slot]!, keys[2 * slot + 1]!)
      this.#keys.set([keys[2 * slot]!, keys[2 * slot + 1]!], 2 * target)
      this.#values[target] = values[slot]!
    }
  }

  #slot(left: number, right: number): number {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
    hash ^= hash >>> 15
    let slot = hash & this.#mask
    while (this.#keys[2 * slot] !== EMPTY && (this.#keys[2 * slot] !== left || this.#keys[2 * slot + 1] !== right))
      slot = (slot + 1) & this.#mask
    return slot
  }

  /** The value of a pair, or -1. */
  get(left: number, right: number): number {
    const slot = this.#slot(left, right)
    return this.#keys[2 * slot] === EMPTY ? EMPTY : this.#values[slot]!
  }

  set(left: number, right: number, value: number): void {
    if (2 * (this.#size + 1) > this.#mask) this.#resize(2 * this.#size + 2)
    const slot = this.#slot(left, right)
    if (this.#keys[2 * slot] === EMPTY) {
      this.#size++
      this.#keys[2 * slot] = left
      this.#keys[2 * slot + 1] = right
    }
    this.#values[slot] = value
  }
}
