// Norms over many tensors, and clipping by them.
import { add, constant, divide, minimum, multiply, sqrt, square, subtract, sum, type Tensor } from "../tensor/index.ts"
import type { OptimizedParameter } from "./optimizer.ts"

/** `sqrt(Σ x²)` over all elements of all tensors; 0 of none. */
export const globalNorm = (tensors: readonly Tensor[]): Tensor =>
  sqrt(tensors.map((x) => sum(square(x))).reduce((total, x) => add(total, x), constant(0)))

/**
 * Gradients scaled together so that their common norm is at most `maxNorm`: `g · min(1, maxNorm / (norm + 1e-6))`.
 *
 * @param maxNorm  0 or less for no clipping
 * @returns        the gradients, and their norm before
 * @see Pascanu et al. 2013, arXiv:1211.5063; the 1e-6 is PyTorch's
 */
export function clipByGlobalNorm(gradients: readonly Tensor[], maxNorm: number): { gradients: Tensor[]; norm: Tensor } {
  const norm = globalNorm(gradients)
  if (!(maxNorm > 0)) return { gradients: [...gradients], norm }
  const factor = minimum(divide(maxNorm, add(norm, 1e-6)), 1)
  return { gradients: gradients.map((g) => multiply(g, factor)), norm }
}

/** The parameters with clipped gradients, and the norm before. */
export function clipParameters(parameters: readonly OptimizedParameter[], maxNorm: number) {
  const clipped = clipByGlobalNorm(
    parameters.map(({ gradient }) => gradient),
    maxNorm,
  )
  const withGradients = parameters.map((parameter, i) => ({ ...parameter, gradient: clipped.gradients[i]! }))
  return { parameters: withGradients, gradientNorm: clipped.norm }
}

/** `||after - before|| / ||before||` over all parameters: about 1e-3 in a healthy run. 0/0 counts as 0. */
export function updateRatio(changes: readonly { readonly before: Tensor; readonly after: Tensor }[]): Tensor {
  const change = globalNorm(changes.map(({ before, after }) => subtract(after, before)))
  return divide(change, add(globalNorm(changes.map(({ before }) => before)), 1e-12))
}
