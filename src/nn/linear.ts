// Where x·W happens. `linear` is the only function that multiplies activations by weights, so adapters and quantization have
// one place to join and parameters are counted by structure.
import { add, gather, matmul, type Tensor } from "../tensor/index.ts"

/** A matrix as stored: `[out, in]`. Dense is the tensor itself; low-rank and quantized forms will join as members with a `kind`. */
export type Weight = Tensor

/** A weight with the bias that goes with it. */
export interface Projection {
  readonly weight: Weight
  readonly bias?: Tensor | undefined
}

/**
 * Affine map: `y = x·Wᵀ + b`.
 *
 * @param x       `[…, in]`, two axes or more
 * @param weight  `[out, in]`, as PyTorch and Hugging Face store it
 * @param bias    `[out]`
 * @returns       `[…, out]`
 * @throws ShapeError  if the inner sizes differ
 */
export function linear(x: Tensor, weight: Weight, bias?: Tensor): Tensor {
  const y = matmul(x, weight, { transposeB: true })
  return bias === undefined ? y : add(y, bias)
}

/**
 * Rows of a table: `y[…] = table[ids[…]]`. An id outside the table gives zeros.
 *
 * @param ids    i32 `[…]`
 * @param table  `[V, C]`
 * @returns      `[…, C]`
 */
export const embedding = (ids: Tensor, table: Tensor): Tensor => gather(table, ids)
