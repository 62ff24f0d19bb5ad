// What an item is worth: the right ending must be the likeliest, and those that tie share the point.
import { DataError } from "../../core/index.ts"
import type { EndingScore } from "../score/score-endings.ts"
import type { TaskItem, TaskKind } from "./task.ts"

export interface Credit {
  readonly item: TaskItem
  /** 1 if right, 1/k if k endings tie, else 0. */
  readonly credit: number
  /** The same by nats per byte of the ending; multiple choice only. */
  readonly normalized?: number
  /** Nats of the right ending. */
  readonly nats: number
}

/** Costs nearer than this part of their size are a tie: logits in f32 tell no more. */
const TIE = 1e-6

/** @throws DataError  if the scores hold no number */
export function creditOf(item: TaskItem, scores: readonly EndingScore[], kind: TaskKind): Credit {
  const costs = scores.map((score) => score.nats)
  if (costs.some(Number.isNaN))
    throw new DataError(
      `the probability of ${JSON.stringify(item.endings[costs.findIndex(Number.isNaN)])} is not a number`,
      "a model whose training has gone astray gives such numbers: look at its loss",
    )
  const nats = costs[item.answer]!
  if (kind === "cloze") return { item, nats, credit: scores[item.answer]!.isGreedy === true ? 1 : 0 }
  const credit = shareOfLeast(costs, item.answer)
  if (kind === "minimal-pairs") return { item, nats, credit }
  const bytes = item.endings.map((ending) => encoder.encode(ending).length)
  const perByte = costs.map((cost, at) => cost / bytes[at]!)
  return { item, nats, credit, normalized: shareOfLeast(perByte, item.answer) }
}

const encoder = new TextEncoder()

/** `1 / k` if the cost at `answer` is among the k least, else 0. */
function shareOfLeast(costs: readonly number[], answer: number): number {
  const least = Math.min(...costs)
  const ties = (cost: number) => cost === least || cost - least <= TIE * Math.abs(least)
  return ties(costs[answer]!) ? 1 / costs.filter(ties).length : 0
}
