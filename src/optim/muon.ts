// Muon: momentum whose update matrix is made orthogonal, so that every direction moves by the same amount. For matrices only;
// embeddings, head, gains and scalars go to AdamW.
import {
  add,
  divide,
  greater,
  input,
  matmul,
  multiply,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
} from "../tensor/index.ts"
import { type AdamWOptions, adamWRule, adamWScalars } from "./adamw.ts"
import type { Optimizer } from "./optimizer.ts"
import { applyRule, forEach, type ParametersRule } from "./rules.ts"

export interface MuonOptions {
  /** Momentum at step 0, and after `momentumWarmupSteps`, linear between. */
  readonly momentum?: { readonly from: number; readonly to: number; readonly warmupSteps: number }
  /** Looks one momentum step ahead. */
  readonly nesterov?: boolean
  /** Newton-Schulz iterations. */
  readonly iterations?: number
  /** Decay of the matrices, times the learning rate. */
  readonly weightDecay?: number
  /** Decays only where the step makes the weight smaller too. @see Chen et al. 2025, arXiv:2510.12402 */
  readonly cautious?: boolean
  /** For what is not a matrix; its learning rates are the common one times `learningRateFactors`. */
  readonly adamW?: AdamWOptions
  /** Largest global gradient norm; 0 for no clipping. */
  readonly clipNorm?: number
}

const MOMENTUM = "muon.momentum"
const DEFAULT_MOMENTUM = { from: 0.85, to: 0.95, warmupSteps: 300 } as const
/** Quintic chosen for the steepest slope at 0 that keeps singular values near 1 (0.7 to 1.2). @see Jordan et al. 2024, kellerjordan.github.io/posts/muon */
const [A, B, C] = [3.4445, -4.775, 2.0315]

/**
 * Nearly the nearest (semi-)orthogonal matrix: singular values of `x` all become about 1.
 *
 * `X = x / ||x||`, then `iterations` times `X ← a·X + (b·S + c·S²)·X` with the smaller Gram matrix `S`: `X·Xᵀ`, or `Xᵀ·X` on the
 * right where rows > columns.
 *
 * @param x  `[R, C]`
 */
export const orthogonalize = (x: Tensor, iterations = 5): Tensor => orthogonalizeAll([x], iterations)[0]!

/** {@link orthogonalize} of many, step by step side by side: lanes need one barrier a step, not one a step of each. */
function orthogonalizeAll(matrices: readonly Tensor[], iterations: number): readonly Tensor[] {
  const isTall = ({ shape }: Tensor) => shape[0]! > shape[1]!
  let all = matrices.map((x) => divide(x, add(sqrt(sum(square(x))), 1e-7)))
  for (let i = 0; i < iterations; i++) {
    const grams = all.map((y) => matmul(y, y, isTall(y) ? { transposeA: true } : { transposeB: true }))
    const squares = grams.map((gram) => matmul(gram, gram))
    const polynomials = grams.map((gram, j) => add(multiply(gram, B), multiply(squares[j]!, C)))
    const products = all.map((y, j) => (isTall(y) ? matmul(y, polynomials[j]!) : matmul(polynomials[j]!, y)))
    all = all.map((y, j) => add(multiply(y, A), products[j]!))
  }
  return all
}

/** The rule for matrices `[R, C]`. */
function muonRule(options: MuonOptions, learningRate: Tensor, momentum: Tensor): ParametersRule {
  const { nesterov = true, iterations = 5, weightDecay = 0, cautious = false } = options
  const newShare = subtract(1, momentum)
  /** `momentum·m + (1 - momentum)·g`. */
  const blend = (m: Tensor, g: Tensor): Tensor => add(multiply(m, momentum), multiply(g, newShare))
  const finish = (p: Tensor, orthogonal: Tensor): Tensor => {
    const scale = Math.sqrt(Math.max(1, p.shape[0]! / p.shape[1]!))
    const step = multiply(orthogonal, scale)
    if (weightDecay === 0) return subtract(p, multiply(step, learningRate))
    const shrinks = cautious ? subtract(1, greater(0, multiply(step, p))) : undefined
    const decay = shrinks === undefined ? multiply(p, weightDecay) : multiply(multiply(p, weightDecay), shrinks)
    return subtract(p, multiply(add(step, decay), learningRate))
  }
  return (matrices) => {
    const states = matrices.map(({ gradient, stateOf }) => {
      const m = stateOf("momentum_buffer")
      return { state: m, value: blend(m, gradient) }
    })
    const directions = states.map(({ value }, i) => (nesterov ? blend(value, matrices[i]!.gradient) : value))
    const orthogonal = orthogonalizeAll(directions, iterations)
    return matrices.map(({ state: p }, i) => ({ next: finish(p, orthogonal[i]!), states: [states[i]!] }))
  }
}

/**
 * `m' = μ·m + (1-μ)·g`, `O = orthogonalize(μ·m' + (1-μ)·g)`, `p' = p - lr·(sqrt(max(1, rows/cols))·O + decay·p)` for matrices;
 * {@link adamW}'s rule for the rest.
 *
 * @see Jordan et al. 2024, kellerjordan.github.io/posts/muon
 */
export function muon(options: MuonOptions = {}): Optimizer {
  const { momentum = DEFAULT_MOMENTUM, adamW = {}, clipNorm = 0 } = options
  const { from, to, warmupSteps } = momentum
  return {
    name: "muon",
    scalars: (step) => ({
      [MOMENTUM]: from + (to - from) * (warmupSteps > 0 ? Math.min(step / warmupSteps, 1) : 1),
      ...adamWScalars(adamW, step),
    }),
    build: (parameters, learningRate) => {
      const forMatrices = muonRule(options, learningRate, input(MOMENTUM, []))
      const forTheRest = forEach(adamWRule(adamW, learningRate))
      return applyRule(parameters, clipNorm, (all) => {
        const isMatrix = all.map(({ role }) => role === "matrix")
        const matrices = forMatrices(all.filter((_, i) => isMatrix[i])).values()
        const others = forTheRest(all.filter((_, i) => !isMatrix[i])).values()
        return isMatrix.map((matrix) => (matrix ? matrices : others).next().value!)
      })
    },
  }
}
