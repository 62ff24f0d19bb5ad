// The least that a model must have learned: how often each token occurs.

import { runSliced } from "../baselines/slices.ts"
import { countSymbols, startCounting, unigramOf } from "../baselines/unigram.ts"
import type { Passages } from "./passages.ts"

/**
 * Bits per byte of the held-out passages to one who knows how often each token occurs in the drawn training text, and nothing
 * else: `p(w) = (count(w) + 1) / (N + V)`. The first token of a passage is not predicted, as for the model.
 *
 * @throws the signal's reason  if it is aborted
 */
export async function unigramBitsPerByte(
  { train, heldOut, others }: Passages,
  vocabSize: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const counts = startCounting(vocabSize)
  for (const ids of [...others, ...train.map(({ ids }) => ids)]) await runSliced(countSymbols(counts, ids), signal)
  const { logProbabilities } = unigramOf(counts)
  let [nats, bytes] = [0, 0]
  for (const passage of heldOut) {
    for (const id of passage.ids.slice(1)) nats -= logProbabilities[id]!
    bytes += passage.bytes.length
  }
  return nats / Math.LN2 / bytes
}
