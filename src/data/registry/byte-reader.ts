// Bytes by number out of a stream of chunks.

export interface ByteReader {
  /** Bytes taken so far. */
  readonly offset: number
  /** The next `length` bytes; fewer only at the end of the stream. */
  read(length: number): Promise<Uint8Array>
  /** Passes over `length` bytes, or what is left. */
  skip(length: number): Promise<void>
  /** Lets go of the stream. */
  close(): Promise<void>
}

export function createByteReader(chunks: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]()
  let chunk: Uint8Array = new Uint8Array(0)
  let offset = 0
  /** At most `length` bytes of one chunk; none at the end. */
  const take = async (length: number): Promise<Uint8Array> => {
    while (chunk.length === 0) {
      const next = await iterator.next()
      if (next.done === true) return chunk
      chunk = next.value
    }
    const taken = chunk.subarray(0, length)
    chunk = chunk.subarray(taken.length)
    offset += taken.length
    return taken
  }
  return {
    get offset() {
      return offset
    },
    async read(length) {
      const bytes = new Uint8Array(length)
      let filled = 0
      for (let part = await take(length); part.length > 0; part = await take(length - filled)) {
        bytes.set(part, filled)
        filled += part.length
        if (filled === length) break
      }
      return bytes.subarray(0, filled)
    },
    async skip(length) {
      for (let left = length; left > 0; ) {
        const { length: taken } = await take(left)
        if (taken === 0) return
        left -= taken
      }
    },
    close: async () => void (await iterator.return?.()),
  }
}
