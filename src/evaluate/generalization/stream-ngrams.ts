// A long text streams by; every n-gram of it that an index knows is told.
import type { Document } from "../../data/index.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"
import type { NgramIndex } from "./ngram-index.ts"
import type { Cut } from "./symbols.ts"

export interface StreamOptions {
  readonly cut: Cut
  readonly indexes: readonly NgramIndex[]
  /** `index[which]` knows the n-gram `number`, and `document` has it. */
  readonly onHit: (which: number, number: number, document: Document) => void
  readonly signal?: AbortSignal | undefined
  /** UTF-16 units read so far. */
  readonly onProgress?: ((units: number) => void) | undefined
}

/** Reads all documents, one at a time; an n-gram does not cross from one into the next. */
export async function streamNgrams(documents: AsyncIterable<Document>, options: StreamOptions): Promise<void> {
  let units = 0
  for await (const document of documents) {
    options.signal?.throwIfAborted()
    await runSliced(searchDocument(document, options), options.signal)
    units += document.text.length
    options.onProgress?.(units)
  }
}

function* searchDocument(document: Document, { cut, indexes, onHit }: StreamOptions): Sliced<void> {
  const readers = indexes.map((index) => index.reader())
  yield* cut(document.text, (symbol) => {
    for (let which = 0; which < readers.length; which++) {
      const number = readers[which]!(symbol)
      if (number >= 0) onHit(which, number, document)
    }
  })
}
