// Held-out documents under a model of counts: the same plain numbers that a model's own evaluation gives.
import { BLOCK_BYTES, type DocumentScore } from "../score/document-score.ts"
import type { BaselineText, DocumentFacts, SymbolUnit } from "./baseline-text.ts"
import type { CountModel, CountReader } from "./count-model.ts"
import { runSliced } from "./slices.ts"
import type { SymbolArray } from "./symbols.ts"

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
    scores.push(await scoreDocument(reader, text.facts[scores.length], unit, unit.symbolsOf(document.text), options))
  return scores
}

/** Symbols read at a time; their nats are kept no longer. */
const PIECE = 1 << 16

async function scoreDocument(
  reader: CountReader,
  facts: DocumentFacts,
  { lengths }: SymbolUnit,
  ids: SymbolArray,
  { signal, onWork }: ScoringOptions,
): Promise<DocumentScore> {
  const nats = new Float64Array(Math.min(PIECE, ids.length))
  const blockNats = new Array<number>(Math.max(1, Math.ceil(facts.bytes / BLOCK_BYTES))).fill(0)
  let byte = 0
  for (let at = 0; at < ids.length; at += PIECE) {
    const piece = ids.subarray(at, at + PIECE)
    await runSliced(reader.read(piece, nats), signal, onWork)
    for (let index = 0; index < piece.length; index++) {
      const block = Math.min(Math.floor(byte / BLOCK_BYTES), blockNats.length - 1) // the end has no byte of its own
      blockNats[block] += nats[index]
      byte += lengths[piece[index]]
    }
  }
  const total = blockNats.reduce((sum, block) => sum + block, 0)
  return { ...facts, nats: total, tokens: ids.length, blockNats }
}
