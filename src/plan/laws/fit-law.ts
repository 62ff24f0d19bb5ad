// Fitting the parametric law to a table of runs: the sum of Huber losses of the log residuals, from many starts.
import { DataError } from "../../core/index.ts"
import { minimize, type SmoothFunction } from "./minimize.ts"
import type { ParametricLaw, ScalingRun } from "./parametric-law.ts"

/** Residuals of more than a thousandth count linearly: runs that went wrong do not bend the law. */
export const HUBER_DELTA = 1e-3

export interface FitOptions {
  /** Where residuals of `ln L` go from squares to sizes; default {@link HUBER_DELTA}. */
  readonly delta?: number
  /** `α = β`: four constants instead of five, for tables that do not tell them apart (Gadre et al. 2024, arXiv:2403.08540). */
  readonly tied?: boolean
}

export interface LawFit {
  readonly law: ParametricLaw
  /** `Σ Huber(ln L̂ - ln L)` at the minimum. */
  readonly objective: number
  readonly runs: number
  /** Searches that ended within a thousandth of the minimum, and searches that were made. */
  readonly agreeing: number
  readonly searches: number
}

/** Starts that are followed to their end, the best of the grid. 8, 48 and 200 found the same minimum on 240 rows. */
const FOLLOWED = 48

/**
 * Fits `L(N, D) = E + A / N^α + B / D^β` by the least `Σ Huber(ln L̂ - ln L)`.
 *
 * @throws DataError  if there are too few runs, one of them has no finite loss, or all have the same size or the same tokens
 * @see Hoffmann et al. 2022, arXiv:2203.15556, appendix D.3; Besiroglu et al. 2024, arXiv:2404.10102
 */
export function fitLaw(runs: readonly ScalingRun[], options: FitOptions = {}): LawFit {
  checkRuns(runs)
  const logs = logsOf(runs)
  const objective = objectiveOf(logs, options)
  const ends = bestStarts(logs, objective, options).map((start) => minimize(objective, start))
  const best = ends.reduce((x, y) => (y.value < x.value ? y : x))
  return {
    law: lawAt(logs, best.x),
    objective: best.value,
    runs: runs.length,
    agreeing: ends.filter(({ value }) => value <= 1.001 * best.value).length,
    searches: ends.length,
  }
}

// Checks

/** Five constants, and at least one run that could contradict them. */
const LEAST_RUNS = 6

function checkRuns(runs: readonly ScalingRun[]): void {
  if (runs.length < LEAST_RUNS)
    throw new DataError(
      `a scaling law has five constants and needs at least ${LEAST_RUNS} runs, got ${runs.length}`,
      "train more sizes, or the same sizes on more and less text",
    )
  for (const [index, run] of runs.entries())
    for (const [name, value] of Object.entries({ parameters: run.parameters, tokens: run.tokens, loss: run.loss }))
      if (!(value > 0 && Number.isFinite(value)))
        throw new DataError(
          `run ${index + 1}: ${name} must be a positive number, got ${value}`,
          "leave out runs that did not converge",
        )
  for (const name of ["parameters", "tokens"] as const)
    if (new Set(runs.map((run) => run[name])).size < 2)
      throw new DataError(`all ${runs.length} runs have the same ${name}: how the loss depends on it cannot be told`)
}

// The objective

/** ln N, ln D and ln L of each run, ln N and ln D about their means: heights and slopes come apart, and searches go straight. */
interface Logs {
  readonly n: Float64Array
  readonly d: Float64Array
  readonly l: Float64Array
  readonly meanN: number
  readonly meanD: number
}

function logsOf(runs: readonly ScalingRun[]): Logs {
  const [n, meanN] = centered(Float64Array.from(runs, ({ parameters }) => Math.log(parameters)))
  const [d, meanD] = centered(Float64Array.from(runs, ({ tokens }) => Math.log(tokens)))
  return { n, d, l: Float64Array.from(runs, ({ loss }) => Math.log(loss)), meanN, meanD }
}

function centered(values: Float64Array): [values: Float64Array, mean: number] {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length
  return [values.map((each) => each - mean), mean]
}

/**
 * `Σ Huber(ln L̂ - ln L)` at `(a, b, e, α, β)`, or `(a, b, e, α)` when tied: `ln L̂ = ln(exp(a - αn) + exp(b - βd) + exp(e))`.
 *
 * The sum, not the mean: a mean lies below the tolerances of optimizers, which then stop early.
 */
function objectiveOf({ n, d, l }: Logs, { delta = HUBER_DELTA, tied = false }: FitOptions): SmoothFunction {
  const betaAt = tied ? 3 : 4
  return (x, gradient) => {
    const [a, b, e, alpha, beta] = [x[0]!, x[1]!, x[2]!, x[3]!, x[betaAt]!]
    const limit = Math.exp(e)
    let sum = 0
    gradient.fill(0)
    for (let i = 0; i < n.length; i++) {
      const bySize = Math.exp(a - alpha * n[i]!)
      const byTokens = Math.exp(b - beta * d[i]!)
      const total = bySize + byTokens + limit
      const residual = Math.log(total) - l[i]!
      const size = Math.abs(residual)
      sum += size <= delta ? 0.5 * residual * residual : delta * (size - 0.5 * delta)
      const slope = (size <= delta ? residual : Math.sign(residual) * delta) / total
      gradient[0]! += slope * bySize
      gradient[1]! += slope * byTokens
      gradient[2]! += slope * limit
      gradient[3]! -= slope * bySize * n[i]!
      gradient[betaAt]! -= slope * byTokens * d[i]!
    }
    return sum
  }
}

function lawAt({ meanN, meanD }: Logs, [a, b, e, alpha, beta = alpha!]: Float64Array): ParametricLaw {
  return {
    A: Math.exp(a! + alpha! * meanN),
    B: Math.exp(b! + beta! * meanD),
    E: Math.exp(e!),
    alpha: alpha!,
    beta: beta!,
  }
}

// Starts

/** The grid of Hoffmann et al., 4,500 starts; `height` is `ln A` and `ln B`. */
const GRID = { height: [0, 5, 10, 15, 20, 25], e: [-1, -0.5, 0, 0.5, 1], exponent: [0, 0.5, 1, 1.5, 2] }

function* gridOf({ meanN, meanD }: Logs, tied: boolean): Generator<Float64Array> {
  for (const alpha of GRID.exponent)
    for (const beta of tied ? [alpha] : GRID.exponent)
      for (const e of GRID.e)
        for (const a of GRID.height)
          for (const b of GRID.height)
            yield Float64Array.of(a - alpha * meanN, b - beta * meanD, e, alpha, ...(tied ? [] : [beta]))
}

function bestStarts(logs: Logs, objective: SmoothFunction, { tied = false }: FitOptions): Float64Array[] {
  const scratch = new Float64Array(5)
  return [...gridOf(logs, tied)]
    .map((start) => ({ start, value: objective(start, scratch) }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((x, y) => x.value - y.value)
    .slice(0, FOLLOWED)
    .map(({ start }) => start)
}

// Refitting

/** Fits tables that resemble one whose fit is known: one search each, from there. */
export function refitLaw(runs: readonly ScalingRun[], near: ParametricLaw, options: FitOptions = {}): ParametricLaw {
  const logs = logsOf(runs)
  const { A, B, E, alpha, beta } = near
  const heights = [Math.log(A) - alpha * logs.meanN, Math.log(B) - beta * logs.meanD, Math.log(E)]
  const start = [...heights, alpha, ...(options.tied === true ? [] : [beta])]
  return lawAt(logs, minimize(objectiveOf(logs, options), start, { tolerance: 1e-12 }).x)
}
