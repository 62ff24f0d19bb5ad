// What an optimizer is: a piece of graph from gradients to updates of state, and the scalars it must be told each step.
import type { Tensor, Update } from "../tensor/index.ts"

/** What a parameter is for; the same words as in models. */
export type Role = "embedding" | "head" | "matrix" | "gain" | "bias" | "scalar"

export interface OptimizedParameter {
  readonly name: string
  readonly state: Tensor
  readonly gradient: Tensor
  readonly role: Role
}

export interface OptimizerGraph {
  /** The parameters' updates and those of the optimizer's own states. */
  readonly updates: Update[]
  /** The optimizer's own states by path, `PARAMETER.exp_avg`: what a checkpoint must keep. All start at zero. */
  readonly states: { readonly [path: string]: Tensor }
  /** `gradientNorm` before clipping; `updateRatio`, `||change|| / ||parameters||`. Computed only where a program asks for them. */
  readonly metrics: { readonly gradientNorm: Tensor; readonly updateRatio: Tensor }
}

export interface Optimizer {
  readonly name: string
  /** Values of the scalar inputs that `build` declares, for step 0, 1, …; computed in f64 on the host. */
  scalars(step: number): { [inputName: string]: number }
  /** @param learningRate  scalar, usually an input */
  build(parameters: readonly OptimizedParameter[], learningRate: Tensor): OptimizerGraph
}
