// What text is worth when it is read again and again: Muennighoff's law of effective tokens and effective parameters.
import { lossOf, optimalAllocation, type ParametricLaw } from "./parametric-law.ts"

export interface RepetitionLaw {
  /** The law of fresh text; its exponents are equal in the published fit. */
  readonly law: ParametricLaw
  /** Repetitions after which text has given 1 - 1/e of all that repeating can give. */
  readonly repetitions: number
  /** The same for parameters beyond those the unique text is enough for. */
  readonly excessSizes: number
}

/** Fit to 182 runs; `repetitions` is weakly identified: nearly as good an optimum lies at 95, with `excessSizes` 1.7. */
export const MUENNIGHOFF: RepetitionLaw & { readonly source: string } = {
  law: {
    A: Math.exp(6.255414),
    B: Math.exp(7.3049974),
    E: Math.exp(0.6254804),
    alpha: 0.3526596,
    beta: 0.3526596,
  },
  repetitions: 15.387756,
  excessSizes: 5.309743,
  source: "Muennighoff et al. 2023, arXiv:2305.16264, constants as in their code",
}

/** `unique · (1 + r · (1 - exp(-repeats / r)))`: the first reading counts whole, later ones less and less. */
const saturate = (unique: number, all: number, r: number): number =>
  all <= unique ? all : unique * (1 + r * (1 - Math.exp(-(all / unique - 1) / r)))

/** Tokens of fresh text that `tokens` read from `uniqueTokens` are worth. */
export const effectiveTokens = (tokens: number, uniqueTokens: number, { repetitions } = MUENNIGHOFF): number =>
  saturate(uniqueTokens, tokens, repetitions)

/** The size for which `uniqueTokens` are the optimal number of tokens: `D = (C/6)^b / G` turned around. */
function sizeFor(law: ParametricLaw, uniqueTokens: number): number {
  const perFlop = optimalAllocation(law, 6) // (C/6) = 1: parameters G, tokens 1/G
  const b = law.alpha / (law.alpha + law.beta)
  return optimalAllocation(law, 6 * (uniqueTokens / perFlop.tokens) ** (1 / b)).parameters
}

/**
 * Loss of `parameters` trained on `tokens` drawn from `uniqueTokens`: `L(N', D')`, where repeated tokens and parameters beyond what
 * the unique text is enough for count less and less.
 *
 * @see Muennighoff et al. 2023, arXiv:2305.16264, equations 5 and 6
 */
export function lossOnRepeatedText(
  { law, repetitions, excessSizes }: RepetitionLaw,
  run: { readonly parameters: number; readonly tokens: number; readonly uniqueTokens: number },
): number {
  const unique = Math.min(run.uniqueTokens, run.tokens)
  const parameters = saturate(Math.min(run.parameters, sizeFor(law, unique)), run.parameters, excessSizes)
  return lossOf(law, parameters, saturate(unique, run.tokens, repetitions))
}
