// How well a table of runs determines its law: the bootstrap over runs.
import { randomStream } from "../../core/index.ts"
import { type FitOptions, refitLaw } from "./fit-law.ts"
import { lossOf, type ParametricLaw, type ScalingRun } from "./parametric-law.ts"

export interface Range {
  readonly low: number
  readonly high: number
}

export interface LawUncertainty {
  /** 95 % intervals of the constants. */
  readonly constants: { readonly [K in keyof ParametricLaw]: Range }
  readonly resamples: number
  /** 95 % interval of the law's loss for one size and one number of tokens: of the mean, not of a single run. */
  lossRange(parameters: number, tokens: number): Range
  /** The laws themselves, for anything else that depends on them. */
  readonly laws: readonly ParametricLaw[]
}

export interface UncertaintyOptions extends FitOptions {
  /** Default 4,000, as Besiroglu et al. */
  readonly resamples?: number
  readonly seed?: number
}

/** Refits the law to tables drawn with replacement from `runs`; percentiles of what comes out. */
export function lawUncertainty(
  runs: readonly ScalingRun[],
  fitted: ParametricLaw,
  { resamples = 4000, seed = 1, ...options }: UncertaintyOptions = {},
): LawUncertainty {
  const laws = Array.from({ length: resamples }, (_, index) =>
    refitLaw(drawn(runs, randomStream(seed, "law", index)), fitted, options),
  )
  const of = (key: keyof ParametricLaw) => middle95(laws.map((law) => law[key]))
  return {
    constants: { A: of("A"), B: of("B"), E: of("E"), alpha: of("alpha"), beta: of("beta") },
    resamples,
    lossRange: (parameters, tokens) => middle95(laws.map((law) => lossOf(law, parameters, tokens))),
    laws,
  }
}

const drawn = (runs: readonly ScalingRun[], random: { below(bound: number): number }): ScalingRun[] =>
  runs.map(() => runs[random.below(runs.length)]!)

function middle95(values: readonly number[]): Range {
  const sorted = Float64Array.from(values).sort()
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))]!
  return { low: at(0.025), high: at(0.975) }
}
