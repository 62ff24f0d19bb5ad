// One row per operation: which kernel computes it, under which key its code is shared, and how much scratch a lane needs.
import { DeviceError, type DType, sizeOf } from "../../../core/index.ts"
import type { ElementwiseOp, Node, Op, Tensor } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { tensorBytes } from "../profile.ts"
import { attentionScratchBytes, emitAttention } from "./attention.ts"
import { emitCacheWrite } from "./cache-write.ts"
import { emitCrossEntropy } from "./cross-entropy.ts"
import { emitGather } from "./gather.ts"
import { type GradientOp, type KernelOptions, type KernelRule, productKernel, type Series } from "./kernel.ts"
import { type HeadShape, linearCrossEntropy } from "./linear-cross-entropy.ts"
import type { Product } from "./matmul-shape.ts"
import { emitConcatenate, emitPad, emitSliceOf, emitTranspose } from "./move-regions.ts"
import { emitPackedGather } from "./packed-gather.ts"
import { emitPackedLinear, packedLinearScratchBytes } from "./packed-linear.ts"
import { emitRope } from "./rope.ts"
import { emitScatterAdd } from "./scatter-add.ts"

export type { Build, GradientKernels, KernelOptions, Series, Span } from "./kernel.ts"

/** Operations that never reach a kernel: sources, views, and what the schedule fuses. */
type Absorbed = ElementwiseOp | "input" | "state" | "constant" | "data" | "reshape" | "broadcast" | "sum" | "max"

/** The product of a node, as the fewest and largest matrices. */
function productOf(node: Node<"matmul">): Product {
  const { transposeA, transposeB } = node.attributes
  const [a, b, c] = [node.inputs[0]!.shape, node.inputs[1]!.shape, node.outputs[0]!.shape]
  const [m, n, k] = [c.at(-2)!, c.at(-1)!, transposeA ? a.at(-2)! : a.at(-1)!]
  const sharedB = b.length === 2
  // One matrix for all: the leading axes of A are just more rows.
  const flat = sharedB && !transposeA
  const batch = flat ? 1 : sizeOf(c.slice(0, -2))
  const rows = flat ? sizeOf(c.slice(0, -1)) : m
  return { batch, m: rows, n, k, transposeA, transposeB, ...(sharedB && batch > 1 ? { batchStrideB: 0 } : {}) }
}

const kernels: { readonly [O in Exclude<Op, Absorbed | GradientOp>]: KernelRule<O> } = {
  matmul: (node, options) => productKernel(productOf(node), options),
  gather: (node) => {
    const [V, C] = node.inputs[0]!.shape as [number, number]
    return { emit: (module) => emitGather(module, { V, C, N: sizeOf(node.inputs[1]!.shape) }) }
  },
  packedLinear: (node, { fma, tile }) => {
    const [x, { dtype }] = node.inputs as [Tensor, Tensor]
    const [k, n] = [x.shape.at(-1)!, node.attributes.outputs]
    const shape = { m: sizeOf(x.shape.slice(0, -1)), n, k, dtype: storedDType(dtype), fma, tile }
    return { scratchBytes: packedLinearScratchBytes(shape), emit: (module) => emitPackedLinear(module, shape) }
  },
  packedGather: (node) => {
    const [{ shape, dtype }, ids] = node.inputs as [Tensor, Tensor]
    const table = { V: node.attributes.rows, C: shape[1]!, N: sizeOf(ids.shape), dtype: storedDType(dtype) }
    return { emit: (module) => emitPackedGather(module, table) }
  },
  scatterAdd: (node) => {
    const [rows, C] = node.outputs[0]!.shape as [number, number]
    return { emit: (module) => emitScatterAdd(module, { rows, C, N: sizeOf(node.inputs[0]!.shape) }) }
  },
  transpose: ({ inputs, attributes }) => ({
    emit: (module) => emitTranspose(module, inputs[0]!.shape, attributes.permutation),
  }),
  slice: ({ inputs, attributes }) => ({ emit: (module) => emitSliceOf(module, inputs[0]!.shape, attributes) }),
  pad: ({ inputs, attributes }) => ({ emit: (module) => emitPad(module, inputs[0]!.shape, attributes) }),
  concatenate: ({ inputs, attributes }) => {
    const shapes = inputs.map(({ shape }) => shape)
    return { emit: (module) => emitConcatenate(module, shapes, attributes.axis) }
  },
  rope: (node, { fma }) => {
    const [B, T, H, D] = node.inputs[0]!.shape as [number, number, number, number]
    const shape = { B, T, H, D, P: node.inputs[1]!.shape[0]! }
    return { emit: (module) => emitRope(module, shape, { inverse: node.attributes.inverse, fma }) }
  },
  attention: (node, { fma, tile }) => {
    const shape = { ...attentionShape(node as Node), ...node.attributes, tileColumns: tile.columns }
    return { scratchBytes: attentionScratchBytes(shape), emit: (module) => emitAttention(module, shape, { fma }) }
  },
  cacheWrite: (node, { inPlace }) => {
    const [B, S, K, D] = node.inputs[0]!.shape as [number, number, number, number]
    return { emit: (module) => emitCacheWrite(module, { B, S, K, D, T: node.inputs[1]!.shape[1]! }, { inPlace }) }
  },
  crossEntropy: (node, { fma }) => {
    const [N, V] = node.inputs[0]!.shape as [number, number]
    return { emit: (module) => emitCrossEntropy(module, { N, V }, { fma }) }
  },
  linearCrossEntropy: (node, options) => linearCrossEntropy(headShape(node), options),
}

/** Sizes of a head, from its operation or that of its gradient. */
export function headShape({ inputs, attributes }: Node<"linearCrossEntropy" | "linearCrossEntropyGrad">): HeadShape {
  const [[N, C], [V]] = inputs.map(({ shape }) => shape) as [[number, number], [number]]
  return { N, C, V, ...attributes }
}

const storedDType = (dtype: DType): "f32" | "f16" => (dtype === "f16" ? "f16" : "f32")

/** Sizes of attention and of its gradient. */
export function attentionShape(node: Node): { B: number; T: number; H: number; K: number; D: number; S: number } {
  const [B, T, H, D] = node.inputs[0]!.shape as [number, number, number, number]
  const [, S, K] = node.inputs[1]!.shape as [number, number, number, number]
  return { B, T, H, K, D, S }
}

/** Kernels of one operation differ by attributes, types and shapes alone. */
function keyOf({ op, attributes, inputs, outputs }: Node, { inPlace }: KernelOptions): string {
  const specs = inputs.map(({ dtype, shape }) => [dtype, ...shape])
  return JSON.stringify([op, attributes, specs, outputs.map((x) => x.shape), inPlace])
}

/**
 * The calls that compute a node.
 *
 * @throws DeviceError  for an operation the backend lacks
 */
export function seriesOf(node: Node, options: KernelOptions): Series {
  const rules: { readonly [O in Op]?: unknown } = { ...kernels, ...options.gradientKernels }
  const rule = rules[node.op] as KernelRule<Op> | undefined
  if (rule === undefined) {
    const hint = "a device that a model opened for itself only runs it: open one with openDevice()"
    throw new DeviceError(`this device has no kernel for ${node.op}`, hint)
  }
  const kernel = rule(node, options)
  if ("parts" in kernel) return kernel
  const spans = [...node.inputs, ...node.outputs].map((tensor, of) => ({ of, start: 0, bytes: tensorBytes(tensor) }))
  const [reads, writes] = [spans.slice(0, node.inputs.length), spans.slice(node.inputs.length)]
  const emit = (module: ModuleBuilder) => module.once(keyOf(node, options), () => kernel.emit(module))
  return { blockBytes: 0, parts: [{ ...kernel, emit, reads, writes }] }
}
