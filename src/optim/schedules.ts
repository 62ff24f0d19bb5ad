// Learning-rate schedules: plain functions from the step (0, 1, …) to a factor in [0, 1].
import { sincos } from "../core/index.ts"

export type Schedule = (step: number) => number

export interface ScheduleOptions {
  /** Steps from near 0 to 1: step s gets `(s + 1) / (warmupSteps + 1)`. */
  readonly warmupSteps?: number
  /** Steps of the whole run. */
  readonly steps: number
  /** Factor at the end. */
  readonly finalFactor?: number
}

const clamp = (x: number): number => Math.min(Math.max(x, 0), 1)
const warm = (step: number, warmupSteps: number): number => Math.min(1, (step + 1) / (warmupSteps + 1))
const blend = (from: number, to: number, share: number): number => from + (to - from) * share

/** 1, always. */
export const constantSchedule = (): Schedule => () => 1

/** Warm-up, then straight down to `finalFactor`. */
export const linearSchedule = ({ warmupSteps = 0, steps, finalFactor = 0 }: ScheduleOptions): Schedule =>
  wsdSchedule({ warmupSteps, steps, finalFactor, decayFraction: steps > 0 ? (steps - warmupSteps) / steps : 1 })

/** Warm-up, then half a cosine wave down to `finalFactor`. @see Loshchilov & Hutter 2016, arXiv:1608.03983 */
export function cosineSchedule({ warmupSteps = 0, steps, finalFactor = 0 }: ScheduleOptions): Schedule {
  return (step) => {
    if (step < warmupSteps) return warm(step, warmupSteps)
    const progress = clamp((step - warmupSteps) / Math.max(1, steps - warmupSteps))
    return blend(finalFactor, 1, (1 + sincos(Math.PI * progress).cos) / 2)
  }
}

/** Warm-up, flat (stable), then linear decay to `finalFactor` over the last `decayFraction` of the steps. @see Hu et al. 2024, arXiv:2404.06395 */
export function wsdSchedule(options: ScheduleOptions & { readonly decayFraction?: number }): Schedule {
  const { warmupSteps = 0, steps, finalFactor = 0, decayFraction = 0.4 } = options
  const decaySteps = Math.max(1, decayFraction * steps)
  return (step) => warm(step, warmupSteps) * blend(finalFactor, 1, clamp((steps - step) / decaySteps))
}
