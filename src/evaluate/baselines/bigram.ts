// The bigram count model in closed form: what a network that sees one symbol can reach at best on its training data.
import { ConfigError, log } from "../../core/index.ts"
import { checkIds, checkVocabSize } from "./symbols.ts"

/** A dense table of V² counts; larger vocabularies want the sparse tables of kneser-ney.ts. 4096² counts are 64 MiB. */
const MAX_BIGRAM_VOCAB = 4096

export interface BigramModel {
  /** How often `next` followed `previous`: `[V, V]` in C order, without smoothing. */
  readonly counts: Uint32Array
  readonly numBigrams: number
  /** Mean of `-ln p(next | previous)` over the bigrams that were counted. */
  readonly averageNats: number
  probability(previous: number, next: number): number
}

/**
 * Counts bigrams: `p(b | a) = count(a, b) / count(a, ·)`, with `addOne` `(count(a, b) + 1) / (count(a, ·) + V)`.
 *
 * Without smoothing this is the maximum-likelihood bigram model, whose average is the lower bound for any model of one
 * symbol of context on the same data.
 *
 * @param ids  one sequence; delimiters between documents are symbols of it
 * @throws ConfigError  if the dense table would be too large
 */
export function bigramCounts(ids: ArrayLike<number>, vocabSize: number, options: { addOne: boolean }): BigramModel {
  checkVocabSize(vocabSize)
  if (vocabSize > MAX_BIGRAM_VOCAB)
    throw new ConfigError(
      `a bigram table holds at most ${MAX_BIGRAM_VOCAB} symbols, got vocabSize ${vocabSize}`,
      "trainKneserNey with order 2 keeps only the bigrams that occur",
    )
  checkIds(ids, vocabSize)
  const added = options.addOne ? 1 : 0
  const counts = new Uint32Array(vocabSize * vocabSize)
  const totals = new Float64Array(vocabSize).fill(added * vocabSize)
  for (let at = 1; at < ids.length; at++) {
    counts[ids[at - 1] * vocabSize + ids[at]]++
    totals[ids[at - 1]]++
  }
  const probability = (previous: number, next: number) =>
    (counts[previous * vocabSize + next] + added) / totals[previous]
  const numBigrams = Math.max(ids.length - 1, 0)
  return { counts, numBigrams, averageNats: totalNats(counts, vocabSize, probability) / numBigrams, probability }
}

function totalNats(counts: Uint32Array, vocabSize: number, probability: (a: number, b: number) => number): number {
  let nats = 0
  for (let cell = 0; cell < counts.length; cell++)
    if (counts[cell] > 0) nats -= counts[cell] * log(probability(Math.floor(cell / vocabSize), cell % vocabSize))
  return nats
}
