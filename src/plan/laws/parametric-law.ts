// The law of Chinchilla, L(N, D) = E + A / N^α + B / D^β: what it says, what is optimal under it, and how far a table of runs is
// from it.

/** One training run: parameters, training tokens, loss in nats per token. */
export interface ScalingRun {
  readonly parameters: number
  readonly tokens: number
  readonly loss: number
}

/** `L(N, D) = E + A / N^α + B / D^β`. */
export interface ParametricLaw {
  readonly A: number
  readonly B: number
  readonly E: number
  readonly alpha: number
  readonly beta: number
}

/** @returns loss, nats per token */
export const lossOf = ({ A, B, E, alpha, beta }: ParametricLaw, parameters: number, tokens: number): number =>
  E + A / parameters ** alpha + B / tokens ** beta

/** What a budget of compute is spent on best. */
export interface Allocation {
  readonly parameters: number
  readonly tokens: number
  readonly loss: number
}

/**
 * The size and the tokens of least loss at `C = 6·N·D` FLOPs.
 *
 * `N = G·(C/6)^a`, `D = (C/6)^b / G`, `G = (αA / βB)^(1 / (α+β))`, `a = β / (α+β)`, `b = α / (α+β)`.
 *
 * @see Hoffmann et al. 2022, arXiv:2203.15556, equation 4
 */
export function optimalAllocation(law: ParametricLaw, flops: number): Allocation {
  const { A, B, alpha, beta } = law
  const G = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta))
  const parameters = G * (flops / 6) ** (beta / (alpha + beta))
  const tokens = (flops / 6) ** (alpha / (alpha + beta)) / G
  return { parameters, tokens, loss: lossOf(law, parameters, tokens) }
}

/** Published fits, nats per token of their authors' tokenizers and texts. */
export const PUBLISHED_LAWS = {
  hoffmann: {
    law: { A: 406.4, B: 410.7, E: 1.6934, alpha: 0.33917, beta: 0.28491 },
    source: "Hoffmann et al. 2022, arXiv:2203.15556, unrounded as in their TeX source",
  },
  besiroglu: {
    law: { A: 482.01, B: 2085.43, E: 1.8172, alpha: 0.3478, beta: 0.3658 },
    source: "Besiroglu et al. 2024, arXiv:2404.10102",
  },
} as const satisfies { readonly [name: string]: { readonly law: ParametricLaw; readonly source: string } }
