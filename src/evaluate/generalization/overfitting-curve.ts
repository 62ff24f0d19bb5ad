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
  /** Step of the model that is measured, where it is not the run's last. */
  readonly measuredStep?: number
}

/** Where the held-out loss was lowest. */
export interface OverfittingCurve {
  readonly minimum: LossPoint
  readonly last: LossPoint
  /** Step of the model that is measured: the last evaluation's unless the history says another. */
  readonly measuredStep: number
  /** What the measured model lost: `loss at its last evaluation - minimum`, nats per token; 0 at the minimum or before it. */
  readonly lostNats: number
  /** The lowest held-out loss is the last: more training may still help. */
  readonly isFallingAtEnd: boolean
  /** Held-out loss minus mean training loss since the evaluation before, at each evaluation that has training steps. */
  readonly gaps: readonly LossPoint[]
  /** {@link lostNats} is more than 2 % of the lowest loss: the measured model was trained too long. */
  readonly fires: boolean
}

/**
 * Where the held-out loss was lowest, and how much of it the measured model lost by training on. What a run did after that
 * model's step belongs to the curve and is not its loss.
 *
 * Training losses are measured with dropout on and before the update, so a gap is a little too small; `trainTestGap` measures
 * both sides alike.
 *
 * @returns undefined with fewer than two evaluations: there is no curve
 */
export function overfittingCurve(history: TrainingHistory): OverfittingCurve | undefined {
  const { training, heldOut } = history
  const points = heldOut.filter(({ nats }) => Number.isFinite(nats)).sort((a, b) => a.step - b.step)
  if (points.length < 2) return undefined
  const last = points.at(-1)!
  const minimum = points.reduce((best, point) => (point.nats < best.nats ? point : best))
  const measuredStep = history.measuredStep ?? last.step
  const isPast = measuredStep > minimum.step
  const lostNats = isPast ? points.findLast(({ step }) => step <= measuredStep)!.nats - minimum.nats : 0
  return {
    minimum,
    last,
    measuredStep,
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
