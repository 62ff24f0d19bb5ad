// The weakest baseline: how often each symbol occurs, whatever came before.
import { log } from "../../core/index.ts"
import { inSlices, runToEnd, type Sliced } from "./slices.ts"
import { checkIds, checkVocabSize } from "./symbols.ts"

export interface UnigramModel {
  readonly tableBytes: number
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
  return runToEnd(trainUnigramSliced(ids, vocabSize))
}

/** {@link trainUnigram} with pauses. */
export function* trainUnigramSliced(ids: ArrayLike<number>, vocabSize: number): Sliced<UnigramModel> {
  const counts = yield* countSymbols(ids, vocabSize)
  const logTotal = log(ids.length + vocabSize)
  const logProbabilities = Float64Array.from(counts, (count) => log(count + 1) - logTotal)
  return {
    tableBytes: logProbabilities.byteLength,
    logProbabilities,
    scoreNats: (scored) => runToEnd(scoreUnigramSliced({ logProbabilities }, scored)),
  }
}

/** Sum of `-ln p` by counting first: the order of `ids` does not matter to a unigram model. */
export function* scoreUnigramSliced(
  { logProbabilities }: Pick<UnigramModel, "logProbabilities">,
  ids: ArrayLike<number>,
): Sliced<number> {
  const counts = yield* countSymbols(ids, logProbabilities.length)
  return -counts.reduce((sum, count, id) => sum + count * logProbabilities[id], 0)
}

function* countSymbols(ids: ArrayLike<number>, vocabSize: number): Sliced<Float64Array> {
  checkVocabSize(vocabSize)
  const counts = new Float64Array(vocabSize)
  yield* inSlices(ids.length, (from, to) => {
    checkIds(ids, vocabSize, from, to)
    for (let at = from; at < to; at++) counts[ids[at]]++
  })
  return counts
}
