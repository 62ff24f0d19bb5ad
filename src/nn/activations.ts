// Activations, element by element. Each is a composition that a backend fuses into its neighbors; the gradients recompute them.
import { add, erf, maximum, multiply, sigmoid, square, type Tensor, tanh } from "../tensor/index.ts"

/** `max(x, 0)²`: as sparse as ReLU, with a gradient that grows. @see So et al. 2021, arXiv:2109.08668 */
export const reluSquared = (x: Tensor): Tensor => square(maximum(x, 0))

/** `x · σ(x)`. @see Elfwing et al. 2017, arXiv:1702.03118 */
export const silu = (x: Tensor): Tensor => multiply(x, sigmoid(x))

/** `x · Φ(x) = x/2 · (1 + erf(x/√2))`, exact. @see Hendrycks & Gimpel 2016, arXiv:1606.08415 */
export const gelu = (x: Tensor): Tensor => multiply(multiply(x, 0.5), add(erf(multiply(x, Math.SQRT1_2)), 1))

const SQRT_2_OVER_PI = 0.7978845608028654

/**
 * GELU by tanh: `x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))`. GPT-2's checkpoints were trained with this one ("gelu_new");
 * it differs from {@link gelu} by up to 5e-4.
 */
export function geluTanh(x: Tensor): Tensor {
  const inner = multiply(multiply(x, SQRT_2_OVER_PI), add(multiply(square(x), 0.044715), 1))
  return multiply(multiply(x, 0.5), add(tanh(inner), 1))
}

/** `silu(gate) · up`: the gated middle of a SwiGLU feed-forward. @see Shazeer 2020, arXiv:2002.05202 */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => multiply(silu(gate), up)

/** `cap · tanh(x / cap)`: keeps logits within ±cap, the identity near 0. @see Gemma 2, arXiv:2408.00118 */
export const softcap = (x: Tensor, cap: number): Tensor => multiply(tanh(multiply(x, 1 / cap)), cap)
