// Count models as examinees: what a suite gives to a model that has only counted the training text.
import type { KneserNeyModel } from "../baselines/kneser-ney.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"
import type { UnigramModel } from "../baselines/unigram.ts"
import type { EndingScore, EndingsItem, ScoreEndingsOptions } from "../score/score-endings.ts"
import type { EndingScorer, Examinee } from "./examinee.ts"

/** What is asked of a count model here. */
interface CountModel {
  readonly vocabSize: number
  /** Symbols of context that it looks at. */
  readonly reach: number
  /** `Σ -ln p` of `ids`, the first given nothing. */
  natsOf(ids: readonly number[]): number
  logProbability(context: readonly number[], next: number): number
}

/** Scores endings by an n-gram model over bytes or tokens. */
export function kneserNeyScorer(model: KneserNeyModel): EndingScorer {
  return countScorer({
    vocabSize: model.vocabSize,
    reach: model.order - 1,
    natsOf: (ids) => model.scoreNats(ids),
    logProbability: (context, next) => model.logProbability(context, next),
  })
}

/** Scores endings by how often each symbol occurs, whatever stands before. */
export function unigramScorer({ logProbabilities }: UnigramModel): EndingScorer {
  return countScorer({
    vocabSize: logProbabilities.length,
    reach: 0,
    natsOf: (ids) => -ids.reduce((sum, id) => sum + logProbabilities[id]!, 0),
    logProbability: (_, next) => logProbabilities[next]!,
  })
}

/** An examinee that reads UTF-8 bytes and forgets nothing: texts begin on a new line. */
export function byteExaminee(scoreEndings: EndingScorer): Examinee {
  const encoder = new TextEncoder()
  const encode = (text: string) => Int32Array.from(encoder.encode(text))
  return { tokenizer: { encode, endOfText: undefined }, contextTokens: Infinity, scoreEndings }
}

const countScorer =
  (model: CountModel): EndingScorer =>
  (items, options) =>
    runSliced(scoreAll(model, items, options), options.signal)

function* scoreAll(
  model: CountModel,
  items: readonly EndingsItem[],
  { greedy = false, onProgress }: ScoreEndingsOptions,
): Sliced<EndingScore[][]> {
  const scores: EndingScore[][] = []
  for (const { prefix, endings } of items) {
    const itemScores: EndingScore[] = []
    for (const ending of endings) {
      itemScores.push(scoreEnding(model, prefix, ending, greedy))
      yield
    }
    scores.push(itemScores)
    if (scores.length % 1024 === 0 || scores.length === items.length)
      onProgress?.({ items: scores.length, total: items.length })
  }
  return scores
}

/** Where nothing precedes the ending, its first symbol is context and not scored. */
function scoreEnding(
  model: CountModel,
  prefix: readonly number[],
  ending: readonly number[],
  greedy: boolean,
): EndingScore {
  const all = [...prefix.slice(prefix.length - Math.min(model.reach, prefix.length)), ...ending]
  const scored = prefix.length === 0 ? ending.length - 1 : ending.length
  const from = all.length - scored
  const nats = model.natsOf(all) - model.natsOf(all.slice(0, from))
  return { nats, tokens: scored, ...(greedy && { isGreedy: isGreedy(model, all, from) }) }
}

/** Whether each symbol from `from` on is the single likeliest after those before it. */
function isGreedy(model: CountModel, ids: readonly number[], from: number): boolean {
  for (let at = from; at < ids.length; at++) {
    const context = ids.slice(Math.max(0, at - model.reach), at)
    const own = model.logProbability(context, ids[at]!)
    for (let other = 0; other < model.vocabSize; other++)
      if (other !== ids[at] && model.logProbability(context, other) >= own) return false
  }
  return true
}
