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

/** Clips, applies `rule` to each parameter, and collects. */
export function applyRule(
  parameters: readonly OptimizedParameter[],
  clipNorm: number,
  rule: ParameterRule,
): OptimizerGraph {
  const clipped = clipParameters(parameters, clipNorm)
  const states: { [path: string]: Tensor } = {}
  const results = clipped.parameters.map((parameter) => {
    const stateOf: StateOf = (suffix) => {
      const path = `${parameter.name}.${suffix}`
      states[path] ??= state(path, parameter.state.shape)
      return states[path]
    }
    return { before: parameter.state, ...rule(parameter, stateOf) }
  })
  return {
    updates: results.flatMap(({ before, next, states }) => [{ state: before, value: next }, ...states]),
    states,
    metrics: {
      gradientNorm: clipped.gradientNorm,
      updateRatio: updateRatio(results.map(({ before, next }) => ({ before, after: next }))),
    },
  }
}
