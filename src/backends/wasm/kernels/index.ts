// One row per operation: which kernel computes it, under which key its code is shared, and how much scratch a lane needs.
import { DeviceError, type DType, sizeOf } from "../../../core/index.ts"
import type { ElementwiseOp, Node, Op, Tensor } from "../../../tensor/index.ts"
import type { FunctionHandle, ModuleBuilder } from "../assembler.ts"
import { attentionScratchBytes, emitAttention } from "./attention.ts"
import { emitCacheWrite } from "./cache-write.ts"
import { emitCrossEntropy } from "./cross-entropy.ts"
import { emitGather } from "./gather.ts"
import { emitMatmul, matmulScratchBytes } from "./matmul.ts"
import { type Product, productName, type TileShape } from "./matmul-shape.ts"
import { emitConcatenate, emitPad, emitSliceOf, emitTranspose } from "./move-regions.ts"
import { emitPackedGather } from "./packed-gather.ts"
import { emitPackedLinear, packedLinearScratchBytes } from "./packed-linear.ts"
import { emitRope } from "./rope.ts"
import { emitScatterAdd } from "./scatter-add.ts"

/**
 * A kernel takes one i32 address per input, one per output, then its lane's scratch, the lane and the number of lanes.
 */
export interface Kernel {
  readonly scratchBytes?: number
  readonly emit: (module: ModuleBuilder) => FunctionHandle
}

/** What was decided for all kernels of a device. */
export interface Build {
  /** Fused multiply-add; else a product and a sum, each rounded. */
  readonly fma: boolean
  /** Register tile of matrix products. */
  readonly tile: TileShape
  /** What only training needs; a device that runs a model goes without. */
  readonly gradientKernels?: GradientKernels | undefined
}

export interface KernelOptions extends Build {
  /** The output is the first input's own buffer. */
  readonly inPlace: boolean
  /** Names of the products ({@link productName}) that go through a BLAS. */
  readonly viaBlas?: ReadonlySet<string>
}

/** Operations that never reach a kernel: sources, views, and what the schedule fuses. */
type Absorbed = ElementwiseOp | "input" | "state" | "constant" | "data" | "reshape" | "broadcast" | "sum" | "max"
type KernelRule<O extends Op> = (node: Node<O>, options: KernelOptions) => Kernel
/** Operations that `gradients` alone makes; their rows stand in gradient-kernels.ts. */
type GradientOp = "attentionGrad" | "crossEntropyGrad"
export type GradientKernels = { readonly [O in GradientOp]: KernelRule<O> }

/** The product of a node, as the fewest and largest matrices. */
export function productOf(node: Node<"matmul">): Product {
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

function matmulKernel(node: Node<"matmul">, { fma, tile, viaBlas }: KernelOptions): Kernel {
  const product = productOf(node)
  const shape = { ...product, fma, tile, blas: viaBlas?.has(productName(product)) ?? false }
  return { scratchBytes: matmulScratchBytes(shape), emit: (module) => emitMatmul(module, shape) }
}

const kernels: { readonly [O in Exclude<Op, Absorbed | GradientOp>]: KernelRule<O> } = {
  matmul: matmulKernel,
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
}

const storedDType = (dtype: DType): "f32" | "f16" => (dtype === "f16" ? "f16" : "f32")

/** Sizes of attention and of its gradient. */
export function attentionShape(node: Node): { B: number; T: number; H: number; K: number; D: number; S: number } {
  const [B, T, H, D] = node.inputs[0]!.shape as [number, number, number, number]
  const [, S, K] = node.inputs[1]!.shape as [number, number, number, number]
  return { B, T, H, K, D, S }
}

/**
 * The kernel of a node.
 *
 * @throws DeviceError  for an operation the backend lacks
 */
export function kernelOf(node: Node, options: KernelOptions): Kernel {
  const rules: { readonly [O in Op]?: unknown } = { ...kernels, ...options.gradientKernels }
  const rule = rules[node.op] as KernelRule<Op> | undefined
  if (rule !== undefined) return rule(node, options)
  const hint = "a device that a model opened for itself only runs it: open one with openDevice()"
  throw new DeviceError(`this device has no kernel for ${node.op}`, hint)
}
