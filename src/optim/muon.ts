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
import type { OptimizedParameter, Optimizer } from "./optimizer.ts"
import { applyRule, type RuleResult, type StateOf } from "./rules.ts"

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
export function orthogonalize(x: Tensor, iterations = 5): Tensor {
  const tall = x.shape[0]! > x.shape[1]!
  let y = divide(x, add(sqrt(sum(square(x))), 1e-7))
  for (let i = 0; i < iterations; i++) {
    const gram = matmul(y, y, tall ? { transposeA: true } : { transposeB: true })
    const polynomial = add(multiply(gram, B), multiply(matmul(gram, gram), C))
    y = add(multiply(y, A), tall ? matmul(y, polynomial) : matmul(polynomial, y))
  }
  return y
}

/** The rule for one matrix `[R, C]`. */
function muonRule(options: MuonOptions, learningRate: Tensor, momentum: Tensor) {
  const { nesterov = true, iterations = 5, weightDecay = 0, cautious = false } = options
  const newShare = subtract(1, momentum)
  /** `momentum·m + (1 - momentum)·g`. */
  const blend = (m: Tensor, g: Tensor): Tensor => add(multiply(m, momentum), multiply(g, newShare))
  return ({ state: p, gradient: g }: OptimizedParameter, stateOf: StateOf): RuleResult => {
    const m = stateOf("momentum_buffer")
    const nextM = blend(m, g)
    const scale = Math.sqrt(Math.max(1, p.shape[0]! / p.shape[1]!))
    const step = multiply(orthogonalize(nesterov ? blend(nextM, g) : nextM, iterations), scale)
    const states = [{ state: m, value: nextM }]
    if (weightDecay === 0) return { next: subtract(p, multiply(step, learningRate)), states }
    const shrinks = cautious ? subtract(1, greater(0, multiply(step, p))) : undefined
    const decay = shrinks === undefined ? multiply(p, weightDecay) : multiply(multiply(p, weightDecay), shrinks)
    return { next: subtract(p, multiply(add(step, decay), learningRate)), states }
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
      const forTheRest = adamWRule(adamW, learningRate)
      return applyRule(parameters, clipNorm, (parameter, stateOf) =>
        (parameter.role === "matrix" ? forMatrices : forTheRest)(parameter, stateOf),
      )
    },
  }
}
