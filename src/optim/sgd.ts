// Stochastic gradient descent, with momentum and weight decay if wanted.
import { add, multiply, subtract, type Tensor } from "../tensor/index.ts"
import type { OptimizedParameter, Optimizer } from "./optimizer.ts"
import { applyRule, forEach, type RuleResult, type StateOf } from "./rules.ts"

export interface SgdOptions {
  /** 0 for none. */
  readonly momentum?: number
  /** Added to the gradient as `weightDecay · p`. */
  readonly weightDecay?: number
  /** Largest global gradient norm; 0 for no clipping. */
  readonly clipNorm?: number
}

/**
 * `d = g + weightDecay·p`, `m' = momentum·m + d`, `p' = p - lr·m'`; PyTorch's form, without dampening.
 *
 * @see Sutskever et al. 2013
 */
export function sgd({ momentum = 0, weightDecay = 0, clipNorm = 0 }: SgdOptions = {}): Optimizer {
  const rule =
    (learningRate: Tensor) =>
    ({ state: p, gradient }: OptimizedParameter, stateOf: StateOf): RuleResult => {
      const d = weightDecay === 0 ? gradient : add(gradient, multiply(p, weightDecay))
      if (momentum === 0) return { next: subtract(p, multiply(d, learningRate)), states: [] }
      const m = stateOf("momentum_buffer")
      const nextM = add(multiply(m, momentum), d)
      return { next: subtract(p, multiply(nextM, learningRate)), states: [{ state: m, value: nextM }] }
    }
  return {
    name: "sgd",
    scalars: () => ({}),
    build: (parameters, learningRate) => applyRule(parameters, clipNorm, forEach(rule(learningRate))),
  }
}
