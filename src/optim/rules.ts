// From a rule for one parameter to an optimizer of all: clipping, states and metrics are the same for each.
import { state, type Tensor, type Update } from "../tensor/index.ts"
import { clipParameters, updateRatio } from "./clip.ts"
import type { OptimizedParameter, OptimizerGraph } from "./optimizer.ts"

/** One parameter's next value, and the next values of its own states by suffix. */
export interface RuleResult {
  readonly next: Tensor
  readonly states: readonly Update[]
}

/** Makes or finds the state `PARAMETER.suffix`, of the parameter's shape. */
export type StateOf = (suffix: string) => Tensor
export type ParameterRule = (parameter: OptimizedParameter, stateOf: StateOf) => RuleResult
/** The rule for all parameters at once, for those whose work is better done side by side. */
export type ParametersRule = (
  parameters: readonly (OptimizedParameter & { readonly stateOf: StateOf })[],
) => readonly RuleResult[]

/** One parameter after the other. */
export const forEach =
  (rule: ParameterRule): ParametersRule =>
  (parameters) =>
    parameters.map((parameter) => rule(parameter, parameter.stateOf))

/** Clips, applies `rule`, and collects. */
export function applyRule(
  parameters: readonly OptimizedParameter[],
  clipNorm: number,
  rule: ParametersRule,
): OptimizerGraph {
  const clipped = clipParameters(parameters, clipNorm)
  const states: { [path: string]: Tensor } = {}
  const withStates = clipped.parameters.map((parameter) => {
    const stateOf: StateOf = (suffix) => {
      const path = `${parameter.name}.${suffix}`
      states[path] ??= state(path, parameter.state.shape)
      return states[path]
    }
    return { ...parameter, stateOf }
  })
  const results = rule(withStates).map((result, i) => ({ before: parameters[i]!.state, ...result }))
  return {
    updates: results.flatMap(({ before, next, states }) => [{ state: before, value: next }, ...states]),
    states,
    metrics: {
      gradientNorm: clipped.gradientNorm,
      updateRatio: updateRatio(results.map(({ before, next }) => ({ before, after: next }))),
    },
  }
}
