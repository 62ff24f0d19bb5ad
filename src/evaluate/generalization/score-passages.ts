// What a model makes of passages: the loss of each, in evaluation mode, all with the same context.
import type { Model } from "../../generate/index.ts"
import { scoreEndings } from "../score/score-endings.ts"
import { MIN_UNITS } from "../statistics/units.ts"
import type { Passage, Passages } from "./passages.ts"
import { referenceNats } from "./reference.ts"

/** A passage and its losses. */
export interface ScoredPassage extends Passage {
  /** `Σ -ln p` over all but its first token, which is their only context from before. */
  readonly nats: number
  /** The same of the reference: a count model of the training text that has not read this passage. */
  readonly referenceNats: number
}

/** Passages of both sides and their losses. */
export interface ScoredPassages extends Passages {
  readonly train: readonly ScoredPassage[]
  readonly heldOut: readonly ScoredPassage[]
}

/** Options that all measures share. */
export interface PassOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: { readonly items: number; readonly total: number }) => void) | undefined
}

/** The nats of every passage of both sides, and what the reference makes of them. */
export async function scorePassages(
  model: Model,
  passages: Passages,
  options: PassOptions = {},
): Promise<ScoredPassages> {
  const all = [...passages.train, ...passages.heldOut]
  const items = all.map(({ ids }) => ({ prefix: ids.slice(0, 1), endings: [ids.slice(1)] }))
  const scores = await scoreEndings(model, items, given(options))
  const references = await referenceNats(passages, model.tokenizer.vocabSize, options.signal)
  const scored = all.map((passage, i): ScoredPassage => {
    return { ...passage, nats: scores[i]![0]!.nats, referenceNats: references[i]! }
  })
  const { length } = passages.train
  return { ...passages, train: scored.slice(0, length), heldOut: scored.slice(length) }
}

/** Options without those that are undefined. */
export function given({ signal, onProgress }: PassOptions) {
  return { ...(signal && { signal }), ...(onProgress && { onProgress }) }
}

/** Passages that are resampled together: those of one document where each side has 20 of them, else each by itself. */
export function passageUnits({ train, heldOut }: ScoredPassages) {
  const counts = [train, heldOut].map((side) => new Set(side.map(({ document }) => document)).size)
  const byDocument = Math.min(...counts) >= MIN_UNITS
  const unitsOf = (side: readonly ScoredPassage[]): ScoredPassage[][] => {
    if (!byDocument) return side.map((passage) => [passage])
    const documents = new Map<number, ScoredPassage[]>()
    for (const passage of side) documents.set(passage.document, [...(documents.get(passage.document) ?? []), passage])
    return [...documents.values()]
  }
  return {
    byDocument,
    train: unitsOf(train),
    heldOut: unitsOf(heldOut),
    ...(byDocument
      ? {}
      : { note: `passages from ${counts[0]} and ${counts[1]} documents: this does not cover others` }),
  }
}
