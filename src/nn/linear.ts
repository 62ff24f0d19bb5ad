// Where x·W happens. `linear` is the only function that multiplies activations by weights, so adapters and quantization have
// one place to join and parameters are counted by structure.
import type { Workspace } from "../backends/index.ts"
import type { Shape } from "../core/index.ts"
import {
  add,
  eachPanel,
  gather,
  matmul,
  packedGather,
  packedLinear,
  panelShape,
  state,
  type Tensor,
} from "../tensor/index.ts"

/**
 * A matrix as stored: `[out, in]`. Dense is the tensor itself, and the one that trains; packed is laid out to be read. Low-rank
 * and quantized forms will join as members with a `kind`.
 */
export type Weight = Tensor | PackedWeight

/** A weight in panels of 16 outputs, in the order in which a product reads it. It has no gradient. */
export interface PackedWeight {
  readonly kind: "packed"
  /** State `[⌈out/16⌉, in, 16]`, f32 or f16. */
  readonly panels: Tensor
  /** `[out, in]`. */
  readonly shape: Shape
}

/** A packed weight whose panels are a state of their own. */
export const packedWeight = (name: string, shape: Shape, dtype: "f32" | "f16" = "f32"): PackedWeight => ({
  kind: "packed",
  panels: state(name, panelShape(shape), dtype),
  shape,
})

/** Sets a weight to the numbers of a matrix `[out, in]`, laid out as the weight is. @throws DataError  as `write` does */
export function writeWeight(workspace: Pick<Workspace, "write">, weight: Weight, values: Float32Array): void {
  if (!isPacked(weight)) return workspace.write(weight, values)
  for (const { at, panel } of eachPanel(values, weight.shape)) workspace.write(weight.panels, panel, at)
}

const isPacked = (weight: Weight): weight is PackedWeight => "kind" in weight

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
  const y = isPacked(weight)
    ? packedLinear(x, weight.panels, weight.shape[0]!)
    : matmul(x, weight, { transposeB: true })
  return bias === undefined ? y : add(y, bias)
}

/**
 * Rows of a table: `y[…] = table[ids[…]]`. An id outside the table gives zeros.
 *
 * @param ids    i32 `[…]`
 * @param table  `[V, C]`
 * @returns      `[…, C]`
 */
export const embedding = (ids: Tensor, table: Weight): Tensor =>
  isPacked(table) ? packedGather(table.panels, ids, table.shape[0]!) : gather(table, ids)
