// AdamW: each parameter's step is its mean gradient over its typical size; decay acts on the weights, not through the gradient.
import { add, divide, input, multiply, sqrt, square, subtract, type Tensor } from "../tensor/index.ts"
import type { OptimizedParameter, Optimizer, Role } from "./optimizer.ts"
import { applyRule, forEach, type RuleResult, type StateOf } from "./rules.ts"

export interface AdamWOptions {
  /** Memory of the mean gradient. */
  readonly beta1?: number
  /** Memory of the mean squared gradient; 0.99 for small batches. */
  readonly beta2?: number
  readonly epsilon?: number
  readonly weightDecay?: number
  /** Roles that decay. Default: all with two axes, as nanoGPT. */
  readonly decayRoles?: readonly Role[]
  /** The learning rate of a role is the common one times this; 1 where nothing is said. */
  readonly learningRateFactors?: { readonly [R in Role]?: number }
  /** Largest global gradient norm; 0 for no clipping. */
  readonly clipNorm?: number
}

/** Gains, biases and scalars do not decay. */
export const DECAY_ROLES: readonly Role[] = ["matrix", "embedding", "head"]

/** Names of the scalar inputs. */
const CORRECTION1 = "adamw.inverse_correction1"
const CORRECTION2 = "adamw.inverse_correction2"

/** `1 / (1 - beta^(step + 1))` for both moments: they start at zero and are too small by that much. */
export function adamWScalars(
  { beta1 = 0.9, beta2 = 0.95 }: AdamWOptions,
  step: number,
): { [inputName: string]: number } {
  return { [CORRECTION1]: 1 / (1 - power(beta1, step + 1)), [CORRECTION2]: 1 / (1 - power(beta2, step + 1)) }
}

/** By squaring: the same bits on every engine, which `**` does not promise. */
function power(base: number, exponent: number): number {
  if (exponent === 0) return 1
  const half = power(base, Math.floor(exponent / 2))
  return exponent % 2 === 0 ? half * half : half * half * base
}

/** Scalars of one role, so that they are computed once and not for each parameter. */
interface RoleScalars {
  /** Learning rate times the first moment's correction. */
  readonly rate: Tensor
  /** What is left of a decaying weight. */
  readonly keep: Tensor | undefined
}

function roleScalars(options: AdamWOptions, learningRate: Tensor, correction1: Tensor) {
  const { weightDecay = 0.1, decayRoles = DECAY_ROLES, learningRateFactors = {} } = options
  const scalarsOf = (role: Role): RoleScalars => {
    const rate = multiply(learningRate, learningRateFactors[role] ?? 1)
    const decays = weightDecay !== 0 && decayRoles.includes(role)
    return { rate: multiply(rate, correction1), keep: decays ? subtract(1, multiply(rate, weightDecay)) : undefined }
  }
  const known: { [R in Role]?: RoleScalars } = {}
  return (role: Role): RoleScalars => (known[role] ??= scalarsOf(role))
}

/** The rule for one parameter; each state appears once, so that a fuser makes one sweep. */
export function adamWRule(options: AdamWOptions, learningRate: Tensor) {
  const { beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8 } = options
  const scalarsOf = roleScalars(options, learningRate, input(CORRECTION1, []))
  const correction2 = input(CORRECTION2, [])
  return ({ state: p, gradient: g, role }: OptimizedParameter, stateOf: StateOf): RuleResult => {
    const [m, v] = [stateOf("exp_avg"), stateOf("exp_avg_sq")]
    const { rate, keep } = scalarsOf(role)
    const nextM = add(multiply(m, beta1), multiply(g, 1 - beta1))
    const nextV = add(multiply(v, beta2), multiply(square(g), 1 - beta2))
    const step = divide(multiply(nextM, rate), add(sqrt(multiply(nextV, correction2)), epsilon))
    const next = subtract(keep === undefined ? p : multiply(p, keep), step)
    return {
      next,
      states: [
        { state: m, value: nextM },
        { state: v, value: nextV },
      ],
    }
  }
}

/**
 * `m' = β1·m + (1-β1)·g`, `v' = β2·v + (1-β2)·g²`, `p' = p·(1 - lr·decay) - lr·(m'·c1) / (sqrt(v'·c2) + ε)` with the bias
 * corrections `c = 1/(1 - β^t)`.
 *
 * @see Kingma & Ba 2014, arXiv:1412.6980; Loshchilov & Hutter 2017, arXiv:1711.05101
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  return {
    name: "adamw",
    scalars: (step) => adamWScalars(options, step),
    build: (parameters, learningRate) =>
      applyRule(parameters, options.clipNorm ?? 0, forEach(adamWRule(options, learningRate))),
  }
}
