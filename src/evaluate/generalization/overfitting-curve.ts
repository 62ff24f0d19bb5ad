// The overfitting curve: where the held-out loss was lowest while training, and what was lost after that.

/** Part of the lowest held-out loss by which the last one is higher when a model counts as trained too long. */
export const LOST_PART = 0.02

/** Loss at a step, nats per token. */
export interface LossPoint {
  readonly step: number
  readonly nats: number
}

/** Losses of a run, from its events. */
export interface TrainingHistory {
  /** Of `step-end` events: loss of each step's batch before its update. */
  readonly training: readonly LossPoint[]
  /** Of `evaluation-end` events. */
  readonly heldOut: readonly LossPoint[]
}

/** Where the held-out loss was lowest. */
export interface OverfittingCurve {
  readonly minimum: LossPoint
  readonly last: LossPoint
  /** `last - minimum`, nats per token. */
  readonly lostNats: number
  /** The lowest held-out loss is the last: more training may still help. */
  readonly isFallingAtEnd: boolean
  /** Held-out loss minus mean training loss since the evaluation before, at each evaluation that has training steps. */
  readonly gaps: readonly LossPoint[]
  /** {@link lostNats} is more than 2 % of the lowest loss. */
  readonly fires: boolean
}

/**
 * Where the held-out loss was lowest, and how much of it was lost by training on.
 *
 * Training losses are measured with dropout on and before the update, so a gap is a little too small; `trainTestGap` measures
 * both sides alike.
 *
 * @returns undefined with fewer than two evaluations: there is no curve
 */
export function overfittingCurve({ training, heldOut }: TrainingHistory): OverfittingCurve | undefined {
  const points = heldOut.filter(({ nats }) => Number.isFinite(nats)).sort((a, b) => a.step - b.step)
  if (points.length < 2) return undefined
  const last = points.at(-1)!
  const minimum = points.reduce((best, point) => (point.nats < best.nats ? point : best))
  const lostNats = last.nats - minimum.nats
  return {
    minimum,
    last,
    lostNats,
    isFallingAtEnd: minimum === last,
    gaps: points.flatMap(({ step, nats }, i) => {
      const since = training.filter((point) => point.step > (points[i - 1]?.step ?? -1) && point.step <= step)
      if (since.length === 0) return []
      return [{ step, nats: nats - since.reduce((sum, point) => sum + point.nats, 0) / since.length }]
    }),
    fires: lostNats > LOST_PART * minimum.nats,
  }
}
