// The symbolic tensor: a promise of numbers with a known shape. Operations build nodes; nothing is computed here.
import { ShapeError } from "../core/index.ts"
import type { Op, OpAttributes } from "./ops.ts"
import { shapeRules, type TensorSpec } from "./shape-rules.ts"

/** One application of an operation. */
export interface Node<O extends Op = Op> {
  /** Order of creation; inputs come before their users, and the order is the schedule. */
  readonly sequence: number
  readonly op: O
  readonly attributes: OpAttributes[O]
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
}

/** One output of a node. */
export interface Tensor extends TensorSpec {
  readonly node: Node
  readonly index: number
}

let created = 0

const READS_HALVES: ReadonlySet<Op> = new Set<Op>(["packedLinear", "packedGather"])

/**
 * Applies `op`; shapes are checked and inferred here, so that a mistake is reported where it was made.
 *
 * @throws ShapeError  if the inputs do not fit the operation
 */
export function applyOp<O extends Op>(
  op: O,
  inputs: readonly Tensor[],
  attributes: OpAttributes[O],
): readonly Tensor[] {
  if (!READS_HALVES.has(op) && inputs.some(({ dtype }) => dtype === "f16"))
    throw new ShapeError(`${op}: inputs must be f32 or i32, got f16`, "packedLinear and packedGather read half floats")
  const specs = shapeRules[op](inputs, attributes, op)
  const outputs: Tensor[] = []
  const node: Node<O> = { sequence: created++, op, attributes, inputs, outputs }
  for (const [index, spec] of specs.entries()) outputs.push({ ...spec, node: node as unknown as Node, index })
  return outputs
}

export function isOp<O extends Op>(node: Node, op: O): node is Node<O> & Node {
  return node.op === op
}

/** The tensor whose bytes `tensor` shares: reshapes are views. */
export function storageOf(tensor: Tensor): Tensor {
  return isOp(tensor.node, "reshape") ? storageOf(tensor.node.inputs[0]!) : tensor
}

/** The nodes of `roots` and all that they depend on, in the order of creation. */
export function ancestorsOf(roots: readonly Tensor[]): Node[] {
  const seen = new Set<Node>()
  const stack = roots.map((tensor) => tensor.node)
  while (stack.length > 0) {
    const node = stack.pop()!
    if (seen.has(node)) continue
    seen.add(node)
    for (const parent of node.inputs) stack.push(parent.node)
  }
  return [...seen].sort((a, b) => a.sequence - b.sequence)
}
