// The reference: a count model that has read the same documents as the model, but none of the passages it is asked about. What
// it finds easier in the training text is the authors' doing, not memory's.
import { fitKneserNey } from "../baselines/kneser-ney.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"
import { makeSymbols } from "../baselines/symbols.ts"
import type { Passage, Passages } from "./passages.ts"

/** Parts of the passages; each is judged by a count model that has read the others. */
const FOLDS = 4

/** Symbols of an n-gram, for small alphabets and for vocabularies of words; a carve-out chooses. */
const ORDERS = { small: [3, 4, 5, 6], large: [2, 3, 4] }

/** Up to so many symbols an alphabet is small: bytes are 256 and an end-of-text token. */
const SMALL_ALPHABET = 512

/**
 * `Σ -ln p` of each passage, training side first, under Kneser-Ney trained on the rest of the training text: a training passage
 * is judged by a model of the other three quarters of the passages and of all other stretches, a held-out one likewise.
 *
 * The first token of a passage is context, as for the model. Where nothing is left to learn from, all tokens are alike.
 */
export async function referenceNats(
  passages: Passages,
  vocabSize: number,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const { train, heldOut, others } = passages
  const nats = new Array<number>(train.length + heldOut.length).fill(0)
  for (let fold = 0; fold < FOLDS; fold++) {
    const read = [...others, ...train.filter((_, k) => k % FOLDS !== fold).map(({ ids }) => ids)]
    const scoreOf = await countModel(read, vocabSize, signal)
    await runSliced(scoreFold([train, heldOut], fold, scoreOf, nats), signal)
  }
  return nats
}

function* scoreFold(
  sides: readonly (readonly Passage[])[],
  fold: number,
  scoreOf: (passage: Passage) => number,
  nats: number[],
): Sliced<void> {
  let first = 0
  for (const side of sides) {
    for (let k = fold; k < side.length; k += FOLDS) {
      nats[first + k] = scoreOf(side[k]!)
      yield
    }
    first += side.length
  }
}

async function countModel(
  texts: readonly ArrayLike<number>[],
  vocabSize: number,
  signal: AbortSignal | undefined,
): Promise<(passage: Passage) => number> {
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  if (length < 2) return ({ ids }) => (ids.length - 1) * Math.log(vocabSize)
  const read = makeSymbols(length, vocabSize)
  let at = 0
  for (const text of texts) {
    read.set(text, at)
    at += text.length
  }
  const orders = vocabSize <= SMALL_ALPHABET ? ORDERS.small : ORDERS.large
  const model = await runSliced(fitKneserNey(read, { orders, vocabSize }), signal)
  return ({ ids }) => model.scoreNats(ids) - model.scoreNats(ids.slice(0, 1))
}
