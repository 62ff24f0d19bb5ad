// The weakest baseline: how often each symbol occurs, whatever came before.
import { log } from "../../core/index.ts"
import type { CountModel } from "./count-model.ts"
import { inSlices, runToEnd, type Sliced } from "./slices.ts"
import { checkIds, checkVocabSize } from "./symbols.ts"

export interface UnigramModel extends CountModel {
  /** `ln p` of each symbol, `[V]`. */
  readonly logProbabilities: Float64Array
  /** Sum of `-ln p` over `ids`, in nats. */
  scoreNats(ids: ArrayLike<number>): number
}

/**
 * Unigram model with add-one smoothing: `p(w) = (count(w) + 1) / (N + V)`, so that unseen symbols stay finite.
 *
 * @throws DataError  if an id is not in `0..vocabSize-1`
 */
export function trainUnigram(ids: ArrayLike<number>, vocabSize: number): UnigramModel {
  const counts = startCounting(vocabSize)
  runToEnd(countSymbols(counts, ids))
  return unigramOf(counts)
}

/** Counts of no symbols yet, `[V]`. */
export function startCounting(vocabSize: number): Float64Array {
  checkVocabSize(vocabSize)
  return new Float64Array(vocabSize)
}

/** Adds the symbols of one more piece. */
export function* countSymbols(counts: Float64Array, ids: ArrayLike<number>): Sliced<void> {
  yield* inSlices(ids.length, (from, to) => {
    checkIds(ids, counts.length, from, to)
    for (let at = from; at < to; at++) counts[ids[at]]++
  })
}

/** The model of {@link trainUnigram} from what was counted. */
export function unigramOf(counts: Float64Array): UnigramModel {
  const vocabSize = counts.length
  const logTotal = log(counts.reduce((sum, count) => sum + count, vocabSize))
  const logProbabilities = counts.map((count) => log(count + 1) - logTotal)
  function* read(ids: ArrayLike<number>, nats: Float64Array): Sliced<void> {
    yield* inSlices(ids.length, (from, to) => {
      checkIds(ids, vocabSize, from, to)
      for (let at = from; at < to; at++) nats[at] = -logProbabilities[ids[at]]
    })
  }
  return {
    tableBytes: logProbabilities.byteLength,
    logProbabilities,
    startReading: () => ({ read }),
    scoreNats: (ids) => sumOfNats(read, ids),
  }
}

function sumOfNats(read: (ids: ArrayLike<number>, nats: Float64Array) => Sliced<void>, ids: ArrayLike<number>): number {
  const nats = new Float64Array(ids.length)
  runToEnd(read(ids, nats))
  return nats.reduce((sum, one) => sum + one, 0)
}
