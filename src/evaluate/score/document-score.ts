// What a model scored on one document: the plain numbers that intervals, comparisons and reports are made of.

/** Bytes of one block: documents are also scored in contiguous blocks of this size, for texts of few documents. */
export const BLOCK_BYTES = 10_000

export interface DocumentScore {
  readonly id: string
  /** Of its UTF-8 bytes, hexadecimal: two models are paired by it, and a document that occurs twice is one unit. */
  readonly sha256: string
  /** `Σ -ln p` over its predicted tokens, the end-of-text token included. */
  readonly nats: number
  /** Predicted tokens. */
  readonly tokens: number
  /** UTF-8 bytes of what was predicted: all of the document, but for a first token that nothing precedes. */
  readonly bytes: number
  /** Unicode code points of what was predicted. */
  readonly characters: number
  /**
   * Nats of each {@link BLOCK_BYTES} bytes of the document, in order; the last one is shorter. A token counts where its first
   * byte lies, so that blocks of two models with different tokenizers cover the same bytes.
   */
  readonly blockNats: readonly number[]
}
