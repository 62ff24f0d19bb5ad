// From logits to probabilities and losses, in nats.
import {
  crossEntropy,
  divide,
  exp,
  greater,
  log,
  max,
  maximum,
  subtract,
  sum,
  type Tensor,
  toFloat,
} from "../tensor/index.ts"

const shifted = (x: Tensor): Tensor => subtract(x, max(x, [-1], { keepAxes: true }))

/** `e^x / Σ e^x` over the last axis, shifted by the largest element so that it does not overflow. */
export function softmax(x: Tensor): Tensor {
  const e = exp(shifted(x))
  return divide(e, sum(e, [-1], { keepAxes: true }))
}

/** `ln softmax(x) = x - ln Σ e^x` over the last axis; finite where softmax underflows to 0. */
export function logSoftmax(x: Tensor): Tensor {
  const y = shifted(x)
  return subtract(y, log(sum(exp(y), [-1], { keepAxes: true })))
}

/** How many targets count: those that are not negative. A scalar of at least 1. */
export const countTargets = (targets: Tensor): Tensor => maximum(sum(greater(toFloat(targets), -1)), 1)

/**
 * Mean cross-entropy in nats per counted target: `Σ -ln softmax(logits)[target] / max(1, number of targets >= 0)`.
 *
 * A negative target is ignored (padding, prompts); when all are, the loss is 0 and so are the gradients.
 *
 * @param logits   `[N, V]`
 * @param targets  i32 `[N]`
 * @returns        scalar
 */
export const meanCrossEntropy = (logits: Tensor, targets: Tensor): Tensor =>
  divide(sum(crossEntropy(logits, targets)), countTargets(targets))
