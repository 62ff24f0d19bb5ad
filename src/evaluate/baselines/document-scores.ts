// Held-out documents under a model of counts: the same plain numbers that a model's own evaluation gives.
import { BLOCK_BYTES, type DocumentScore } from "../score/document-score.ts"
import { blocksOf, total } from "../score/ledger.ts"
import type { BaselineText, DocumentFacts, SymbolUnit } from "./baseline-text.ts"
import type { CountModel, CountReader } from "./count-model.ts"
import { runSliced } from "./slices.ts"

export interface ScoringOptions {
  readonly signal?: AbortSignal | undefined
  readonly onWork?: (cost: number) => void
}

/** Scores all held-out documents as one stream: a document's first symbols see the end of the one before. */
export async function scoreDocuments(
  model: CountModel,
  text: BaselineText,
  unit: SymbolUnit,
  options: ScoringOptions,
): Promise<DocumentScore[]> {
  const reader = model.startReading()
  const scores: DocumentScore[] = []
  for await (const document of text.heldOut.documents())
    scores.push(await scoreDocument(reader, document.text, text.facts[scores.length], unit, options))
  return scores
}

async function scoreDocument(
  reader: CountReader,
  document: string,
  facts: DocumentFacts,
  { lengths, piecesOf }: SymbolUnit,
  { signal, onWork }: ScoringOptions,
): Promise<DocumentScore> {
  const blockNats = new Array<number>(blocksOf(facts.bytes)).fill(0)
  let [byte, tokens] = [0, 0]
  for await (const piece of piecesOf(document, signal)) {
    const nats = new Float64Array(piece.length)
    await runSliced(reader.read(piece, nats), signal, onWork)
    for (let index = 0; index < piece.length; index++) {
      const block = Math.min(Math.floor(byte / BLOCK_BYTES), blockNats.length - 1) // the end has no byte of its own
      blockNats[block] += nats[index]
      byte += lengths[piece[index]]
    }
    tokens += piece.length
  }
  return { ...facts, nats: total(blockNats), tokens, blockNats }
}
