// A growing array of bytes with the number encodings of the WebAssembly binary format (LEB128, IEEE 754 little-endian).

/** Where a float is turned into its bytes. */
const FLOAT = new DataView(new ArrayBuffer(8))
const FLOAT_BYTES = new Uint8Array(FLOAT.buffer)
const FIRST_FOUR = FLOAT_BYTES.subarray(0, 4)

export class ByteWriter {
  #bytes = new Uint8Array(256)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): this {
    if (this.#length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#length++] = value
    return this
  }

  raw(values: ArrayLike<number>): this {
    this.#grow(values.length)
    this.#bytes.set(values, this.#length)
    this.#length += values.length
    return this
  }

  append(other: ByteWriter): this {
    return this.raw(other.#bytes.subarray(0, other.#length))
  }

  /** Forgets what was written and keeps the room. */
  clear(): void {
    this.#length = 0
  }

  /** Unsigned LEB128 of an integer below 2^32. */
  unsigned(value: number): this {
    let rest = value >>> 0
    for (; rest >= 0x80; rest >>>= 7) this.byte((rest & 0x7f) | 0x80)
    return this.byte(rest)
  }

  /** Signed LEB128 of a 32-bit integer; 2^31 to 2^32 wrap, so addresses above 2 GiB can be written as they are. */
  signed(value: number): this {
    let rest = value | 0
    for (; rest < -64 || rest > 63; rest >>= 7) this.byte((rest & 0x7f) | 0x80)
    return this.byte(rest & 0x7f)
  }

  signed64(value: bigint): this {
    let rest = BigInt.asIntN(64, value)
    for (; rest < -64n || rest > 63n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80)
    return this.byte(Number(rest & 0x7fn))
  }

  i32(value: number): this {
    return this.byte(value & 0xff)
      .byte((value >> 8) & 0xff)
      .byte((value >> 16) & 0xff)
      .byte((value >> 24) & 0xff)
  }

  f32(value: number): this {
    FLOAT.setFloat32(0, value, true)
    return this.raw(FIRST_FOUR)
  }

  f64(value: number): this {
    FLOAT.setFloat64(0, value, true)
    return this.raw(FLOAT_BYTES)
  }

  /** A name of ASCII characters, preceded by its length. */
  name(text: string): this {
    return this.unsigned(text.length).raw(Array.from(text, (char) => char.charCodeAt(0) & 0x7f))
  }

  /** The number of items, then each as `write` writes it. */
  vector<T>(items: readonly T[], write: (item: T) => unknown): this {
    this.unsigned(items.length)
    for (const item of items) write(item)
    return this
  }

  /** `content` preceded by its size in bytes. */
  sized(content: ByteWriter): this {
    return this.unsigned(content.length).append(content)
  }

  /** A section of a module: its number and its sized content. */
  section(id: number, write: (w: ByteWriter) => unknown): this {
    const content = new ByteWriter()
    write(content)
    return this.byte(id).sized(content)
  }

  /** A copy of what was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  #grow(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + extra))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
