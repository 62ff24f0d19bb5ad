// Normalizations over the last axis. The row's scale is multiplied in, not divided by, so that the gradient reads only `x` and
// `dy` and recomputes the rest.
import { add, divide, mean, multiply, sqrt, square, subtract, type Tensor } from "../tensor/index.ts"

const lastAxis = [-1]

/** `1 / sqrt(mean(x²) + eps)` per row, `[…, 1]`. */
const inverseRootMeanSquare = (x: Tensor, eps: number): Tensor =>
  divide(1, sqrt(add(mean(square(x), lastAxis, { keepAxes: true }), eps)))

/**
 * Root-mean-square normalization: `y = x / sqrt(mean(x²) + eps) · weight`.
 *
 * Without a gain it is blind to the length of `x` and commutes with rotary position embedding.
 *
 * @param x       `[…, C]`
 * @param weight  gain per channel, `[C]`; none when left out
 * @param eps     added under the root; checkpoints disagree (1e-5, 1e-6), read it from the config
 * @returns       same shape as `x`
 * @throws ShapeError  if `weight` does not stretch to `x`
 * @see Zhang & Sennrich 2019, arXiv:1910.07467
 */
export function rmsNorm(x: Tensor, weight?: Tensor, eps = 1e-5): Tensor {
  const y = multiply(x, inverseRootMeanSquare(x, eps))
  return weight === undefined ? y : multiply(y, weight)
}

/**
 * Layer normalization: `y = (x - mean(x)) / sqrt(var(x) + eps) · weight + bias`, with the biased variance (divided by C).
 *
 * @param x       `[…, C]`
 * @param weight  gain per channel, `[C]`; none when left out
 * @param bias    `[C]`; none when left out
 * @returns       same shape as `x`
 * @see Ba, Kiros & Hinton 2016, arXiv:1607.06450
 */
export function layerNorm(x: Tensor, weight?: Tensor, bias?: Tensor, eps = 1e-5): Tensor {
  const y = rmsNorm(subtract(x, mean(x, lastAxis, { keepAxes: true })), weight, eps)
  return bias === undefined ? y : add(y, bias)
}
