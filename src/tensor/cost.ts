// Floating-point operations of a traced graph, by structure: products count 2·M·N·K, attention its full T x S square whether
// or not a kernel skips the masked half (peers.md). Elementwise work is left out, as the field does.
import { sizeOf } from "../core/index.ts"
import type { Op } from "./ops.ts"
import type { Program } from "./program.ts"
import type { Node } from "./tensor.ts"

/** FLOPs of one node. */
export function flopsOfNode(node: Node): number {
  return costs[node.op]?.(node) ?? 0
}

/** FLOPs of one run of a program. */
export function flopsOf(of: Program): number {
  return of.nodes.reduce((total, node) => total + flopsOfNode(node), 0)
}

/** `2 · B·H·T·S·D` for each product of the block: q·kᵀ and p·v forward; p, dP, dQ, dK, dV backward. */
const attentionCost =
  (products: number) =>
  (node: Node): number => {
    const S = node.inputs[1]!.shape[1]!
    return products * 2 * sizeOf(node.inputs[0]!.shape) * S
  }

/** `2 · N·C·V` for each product of the head: x·Wᵀ; and dLogits·W, dLogitsᵀ·x for the gradient. */
const headCost =
  (products: number) =>
  ({ inputs }: Node): number =>
    products * 2 * sizeOf(inputs[0]!.shape) * inputs[1]!.shape[0]!

const costs: { readonly [O in Op]?: (node: Node) => number } = {
  matmul: (node) => {
    const a = node.inputs[0]!.shape
    const k = (node as Node<"matmul">).attributes.transposeA ? a.at(-2)! : a.at(-1)!
    return 2 * sizeOf(node.outputs[0]!.shape) * k
  },
  packedLinear: (node) => 2 * sizeOf(node.outputs[0]!.shape) * node.inputs[0]!.shape.at(-1)!,
  attention: attentionCost(2),
  attentionGrad: attentionCost(4),
  linearCrossEntropy: headCost(1),
  linearCrossEntropyGrad: headCost(3),
}
