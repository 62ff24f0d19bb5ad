// What a run's events add up to: where it stands, how fast it is, when it will be done. Read by every view.
import type { EvaluationEndEvent, RunStartEvent, SampleEvent, StepEndEvent, TrainEvent } from "../train/index.ts"

/** Seconds over which the time of a step is averaged for the time left. */
const STEADY_SECONDS = 20
/** Losses averaged for the number shown: single batches jump about. */
const SHOWN_LOSSES = 10
/** Losses kept for the curve; beyond, neighbors are merged. */
const MAX_CURVE = 2048

export interface Progress {
  read(event: TrainEvent): void
  readonly start: RunStartEvent | undefined
  readonly last: StepEndEvent | undefined
  readonly step: number
  readonly steps: number
  /** Mean of the last few steps, nats per token. */
  readonly loss: number | undefined
  /** The same over the training text's bytes. */
  readonly bitsPerByte: number | undefined
  /** Losses of the whole run, thinned out. */
  readonly curve: readonly number[]
  readonly flopsPerSecond: number | undefined
  readonly evaluation: EvaluationEndEvent | undefined
  /** Part of the evaluation under way that is done. */
  readonly evaluating: number | undefined
  readonly sample: SampleEvent | undefined
  /** Until the prompt is back; undefined until a few steps were made. */
  secondsLeft(): number | undefined
}

/** @param tailSeconds  what comes after the run and before the prompt, by the bytes of its text */
export function createProgress(tailSeconds: (textBytes: number) => number = () => 0): Progress {
  const state: {
    start?: RunStartEvent
    last?: StepEndEvent
    evaluation?: EvaluationEndEvent
    evaluating?: number | undefined
    sample?: SampleEvent
    before?: TrainEvent
  } = {}
  const curve = createCurve()
  const recent: number[] = []
  const stepTime = createMean()
  const evaluationTime = createMean()

  const readStep = (event: StepEndEvent): void => {
    const { before } = state
    if (before?.type === "step-end") stepTime.add(event.seconds - before.seconds)
    else if (event.tokensPerSecond > 0) stepTime.add(event.tokens / event.tokensPerSecond)
    curve.add(event.loss)
    recent.push(event.loss)
    if (recent.length > SHOWN_LOSSES) recent.shift()
    state.last = event
  }
  const read = (event: TrainEvent): void => {
    if (event.type === "run-start") state.start = event
    if (event.type === "step-end") readStep(event)
    if (event.type === "evaluation-start") state.evaluating = 0
    if (event.type === "evaluation-progress") state.evaluating = event.tokens / event.totalTokens
    if (event.type === "sample") state.sample = event
    if (event.type === "evaluation-end") {
      evaluationTime.add(event.seconds / Math.max(1, event.tokens))
      state.evaluation = event
      state.evaluating = undefined
    }
    state.before = event
  }
  return {
    read,
    curve: curve.values,
    get start() {
      return state.start
    },
    get last() {
      return state.last
    },
    get step() {
      return state.last?.step ?? state.start?.resumedFromStep ?? 0
    },
    get steps() {
      return state.start?.recipe.steps ?? 0
    },
    get loss() {
      return recent.length === 0 ? undefined : recent.reduce((sum, loss) => sum + loss, 0) / recent.length
    },
    get bitsPerByte() {
      const train = state.start?.data.train
      return this.loss === undefined || !train ? undefined : (this.loss * train.tokens) / train.bytes / Math.LN2
    },
    get flopsPerSecond() {
      const { start, last } = state
      return start && last ? (last.tokensPerSecond / start.tokensPerStep) * start.flopsPerStep : undefined
    },
    get evaluation() {
      return state.evaluation
    },
    get evaluating() {
      return state.evaluating
    },
    get sample() {
      return state.sample
    },
    secondsLeft() {
      const perStep = stepTime.value()
      if (perStep === undefined || !state.start) return undefined
      const { data } = state.start
      const left = this.steps - this.step
      const perToken = evaluationTime.value() ?? perStep / state.start.tokensPerStep / 3 // assumption: forward is a third
      return (
        left * perStep +
        evaluationTokensLeft(state.start, this.step) * perToken +
        tailSeconds(data.train.bytes + data.valid.bytes)
      )
    },
  }
}

/** Held-out tokens still to be read: the last evaluation reads all of them. */
function evaluationTokensLeft({ recipe, data }: RunStartEvent, step: number): number {
  const { everySteps, maxTokens = Infinity } = recipe.evaluation
  const all = data.valid.tokens
  if (everySteps === 0) return all
  const before = Math.floor((recipe.steps - 1) / everySteps) - Math.floor(step / everySteps)
  return Math.max(0, before) * Math.min(all, maxTokens) + all
}

/** A mean that forgets: each value weighs by its own size in time. */
function createMean() {
  let mean: number | undefined
  let values = 0
  return {
    add(value: number): void {
      values++
      const weight = Math.max(1 / values, 1 - Math.exp(-value / STEADY_SECONDS))
      mean = mean === undefined ? value : mean + weight * (value - mean)
    },
    value: () => mean,
  }
}

/** All values while they are few, then means of 2, 4, 8, … neighbors. */
function createCurve() {
  const values: number[] = []
  let share = 1
  let pending: number[] = []
  const halve = (): void => {
    for (let at = 0; at < values.length / 2; at++) values[at] = (values[2 * at]! + values[2 * at + 1]!) / 2
    values.length = values.length / 2
    share *= 2
  }
  return {
    values,
    add(value: number): void {
      pending.push(value)
      if (pending.length < share) return
      values.push(pending.reduce((sum, each) => sum + each, 0) / share)
      pending = []
      if (values.length === MAX_CURVE) halve()
    },
  }
}
