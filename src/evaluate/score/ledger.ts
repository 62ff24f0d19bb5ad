// The books of one reading: nats by block of every document, in f64, and what is known of the documents themselves.
import { BLOCK_BYTES, type DocumentScore } from "./document-score.ts"

/** A document that was read to its end; its blocks are numbered through the whole reading. */
export type ReadDocument = Omit<DocumentScore, "nats" | "blockNats"> & {
  readonly firstBlock: number
  /** At least 1: an empty document's end-of-text token must lie somewhere. */
  readonly blocks: number
}

const FIRST_BLOCKS = 1024

/** Blocks of a document of so many bytes. */
export const blocksOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / BLOCK_BYTES))

export class Ledger {
  #nats = new Float64Array(FIRST_BLOCKS)
  readonly #documents: ReadDocument[] = []

  /** Documents that were read to their end; their nats may come later. */
  get documents(): readonly ReadDocument[] {
    return this.#documents
  }

  close(document: ReadDocument): void {
    this.#documents.push(document)
  }

  /** Adds each row's nats to its block, in the order of the rows. A negative block takes none. */
  add(nats: Float32Array, blocks: Int32Array): void {
    for (let row = 0; row < blocks.length; row++) {
      const block = blocks[row]!
      if (block < 0) continue
      if (block >= this.#nats.length) this.#grow(block)
      this.#nats[block]! += nats[row]!
    }
  }

  /** All documents with their nats. */
  scores(): DocumentScore[] {
    return this.#documents.map(({ firstBlock, blocks, ...facts }) => {
      const blockNats = Array.from(this.#nats.subarray(firstBlock, firstBlock + blocks))
      for (let missing = blocks - blockNats.length; missing > 0; missing--) blockNats.push(0)
      return { ...facts, nats: total(blockNats), blockNats }
    })
  }

  #grow(block: number): void {
    const grown = new Float64Array(2 * block)
    grown.set(this.#nats)
    this.#nats = grown
  }
}

export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
