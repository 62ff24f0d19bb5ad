// The curves of the loss: steps of a run are averaged over equal spans of tokens, runs of a group become a median and a band.
import type { RunFacts } from "../facts.ts"
import { finite } from "../format.ts"
import { type Group, median } from "../groups.ts"

/** Points of a line: what a screen can show. */
const MAX_POINTS = 160

export interface Point {
  readonly tokens: number
  readonly median: number
  readonly low: number
  readonly high: number
  readonly seeds: number
}

export interface HeldOutPoint {
  readonly run: RunFacts
  readonly tokens: number
  readonly nats: number
  readonly bitsPerByte: number | undefined
}

export interface Curve {
  readonly group: Group
  readonly line: readonly Point[]
  /** Per run. */
  readonly heldOut: readonly (readonly HeldOutPoint[])[]
  /** Steps of the longest run that one point stands for. */
  readonly stepsPerPoint: number
}

/** The curve of a group; without points where its runs tell no loss. */
export function curveOf(group: Group): Curve {
  const longest = Math.max(1, ...group.runs.map(({ training = [] }) => training.length))
  const stepsPerPoint = Math.ceil(longest / MAX_POINTS)
  const line = lineOf(group.runs, Math.ceil(longest / stepsPerPoint))
  return { group, line, heldOut: group.runs.map(heldOutOf), stepsPerPoint }
}

const isLoss = ({ tokens, nats }: { readonly tokens: number; readonly nats: number }): boolean =>
  (finite(tokens) ?? -1) >= 0 && (finite(nats) ?? 0) > 0

/** Means over equal spans of tokens, then the median over seeds. */
function lineOf(runs: readonly RunFacts[], points: number): Point[] {
  const usable = runs.map(({ training = [] }) => training.filter(isLoss)).filter((steps) => steps.length > 0)
  const last = Math.max(1, ...usable.map((steps) => steps.at(-1)!.tokens))
  const spans = Array.from({ length: points }, () => [] as { tokens: number; nats: number }[])
  for (const steps of usable) for (const [span, mean] of meansOf(steps, points, last)) spans[span]!.push(mean)
  return spans
    .filter((seeds) => seeds.length > 0)
    .map((seeds) => {
      const nats = seeds.map((seed) => seed.nats)
      const tokens = seeds.reduce((sum, seed) => sum + seed.tokens, 0) / seeds.length
      return { tokens, median: median(nats), low: Math.min(...nats), high: Math.max(...nats), seeds: seeds.length }
    })
}

/** The mean of each span of tokens in which a run made steps. */
function meansOf(steps: readonly { tokens: number; nats: number }[], points: number, last: number) {
  const sums = new Map<number, { tokens: number; nats: number; steps: number }>()
  for (const { tokens, nats } of steps) {
    const span = Math.max(0, Math.min(points - 1, Math.ceil((tokens / last) * points) - 1))
    const sum = sums.get(span) ?? { tokens: 0, nats: 0, steps: 0 }
    sums.set(span, { tokens: sum.tokens + tokens, nats: sum.nats + nats, steps: sum.steps + 1 })
  }
  return [...sums].map(([span, sum]) => [span, { tokens: sum.tokens / sum.steps, nats: sum.nats / sum.steps }] as const)
}

/** Tokens of an evaluation that does not tell them are those of the training step before it. */
function heldOutOf(run: RunFacts): HeldOutPoint[] {
  const tokensAt = new Map((run.training ?? []).map(({ step, tokens }) => [step, tokens]))
  return (run.heldOut ?? [])
    .map(({ step, tokens, nats, bitsPerByte }) => ({
      run,
      tokens: tokens ?? tokensAt.get(step) ?? (step === 0 ? 0 : Number.NaN),
      nats,
      bitsPerByte: finite(bitsPerByte),
    }))
    .filter(isLoss)
}
