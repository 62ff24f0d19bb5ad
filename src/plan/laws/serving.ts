// The cheapest model of a wanted quality when it will also be used: smaller, and trained longer.
import { ConfigError } from "../../core/index.ts"
import { lossOf, optimalAllocation, type ParametricLaw } from "./parametric-law.ts"

export interface ServingAllocation {
  readonly parameters: number
  readonly tokens: number
  /** `6·N·D` */
  readonly trainingFlops: number
  /** `2·N·D_inference` */
  readonly servingFlops: number
}

/**
 * Minimizes `6·N·D + 2·N·D_inference` under `L(N, D) = targetLoss`.
 *
 * The loss fixes D for each N; over ln N the cost has one minimum, at a size no larger than without serving.
 *
 * @param servedTokens  read and written over the model's life; 0 gives Chinchilla's allocation
 * @throws ConfigError  if no model reaches the loss: it lies below E
 * @see Sardana et al. 2024, arXiv:2401.00448, equation 3
 */
export function cheapestToServe(law: ParametricLaw, targetLoss: number, servedTokens: number): ServingAllocation {
  if (!(targetLoss > law.E))
    throw new ConfigError(
      `no size and no number of tokens reaches a loss of ${targetLoss}: the law ends at ${law.E.toFixed(4)}`,
      "ask for a loss above it",
    )
  const allocationAt = (lnN: number): ServingAllocation => {
    const parameters = Math.exp(lnN)
    const rest = targetLoss - lossOf({ ...law, B: 0 }, parameters, 1)
    const tokens = rest > 0 ? (law.B / rest) ** (1 / law.beta) : Infinity
    return { parameters, tokens, trainingFlops: 6 * parameters * tokens, servingFlops: 2 * parameters * servedTokens }
  }
  const smallest = Math.log(law.A / (targetLoss - law.E)) / law.alpha // here even endless text is only just enough
  const largest = Math.log(optimalSizeFor(law, targetLoss))
  return allocationAt(goldenSection((lnN) => totalOf(allocationAt(lnN)), smallest, largest))
}

const totalOf = ({ trainingFlops, servingFlops }: ServingAllocation): number => trainingFlops + servingFlops

/** Chinchilla's size for a loss, by bisection over the logarithm of compute. */
function optimalSizeFor(law: ParametricLaw, targetLoss: number): number {
  let [low, high] = [0, 200]
  for (let halving = 0; halving < 100; halving++) {
    const middle = (low + high) / 2
    if (optimalAllocation(law, Math.exp(middle)).loss > targetLoss) low = middle
    else high = middle
  }
  return optimalAllocation(law, Math.exp(high)).parameters
}

/** The minimum of a function with one valley, to 1e-9 of the interval's ends. */
function goldenSection(f: (x: number) => number, from: number, to: number): number {
  const golden = (Math.sqrt(5) - 1) / 2
  let [low, high] = [from, to]
  while (high - low > 1e-9 * Math.max(1, Math.abs(high))) {
    const [left, right] = [high - golden * (high - low), low + golden * (high - low)]
    if (f(left) <= f(right)) high = right
    else low = left
  }
  return (low + high) / 2
}
