// A list of token ids that grows.

export class IdWriter {
  #ids: Int32Array
  #length = 0

  constructor(expected: number) {
    this.#ids = new Int32Array(Math.max(16, expected))
  }

  get length(): number {
    return this.#length
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#ids.length) return
    const larger = new Int32Array(Math.max(2 * this.#ids.length, this.#length + count))
    larger.set(this.#ids)
    this.#ids = larger
  }

  push(id: number): void {
    if (this.#length === this.#ids.length) this.#reserve(1)
    this.#ids[this.#length++] = id
  }

  /** Appends `source[from..to)`; a loop, because most pieces are one or two ids. */
  append(source: Int32Array, from: number, to: number): void {
    this.#reserve(to - from)
    for (let i = from; i < to; i++) this.#ids[this.#length++] = source[i]!
  }

  /** The array behind, valid up to `length` until the next write. */
  get view(): Int32Array {
    return this.#ids
  }

  ids(): Int32Array {
    return this.#ids.slice(0, this.#length)
  }
}
