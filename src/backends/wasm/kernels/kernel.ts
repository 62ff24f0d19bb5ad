// What a kernel is to the rest of the backend: code for one call, or a series of calls with a block of memory between them.
import type { Node, Op } from "../../../tensor/index.ts"
import type { FunctionHandle, ModuleBuilder } from "../assembler.ts"
import { emitMatmul, matmulScratchBytes } from "./matmul.ts"
import { type Product, productName, type TileShape } from "./matmul-shape.ts"

/**
 * A kernel takes one i32 address per input, one per output, then its lane's scratch, the lane and the number of lanes.
 */
export interface Kernel {
  readonly scratchBytes?: number
  /** The matrix product that it is, if it is one. */
  readonly product?: Product
  readonly emit: (module: ModuleBuilder) => FunctionHandle
}

/** An operation in several calls. What one leaves for the next lies in a block that all lanes share. */
export interface Series {
  readonly blockBytes: number
  readonly parts: readonly Part[]
}

/** One call of a series: its kernel takes the addresses of `reads`, then of `writes`. */
export interface Part extends Kernel {
  readonly reads: readonly Span[]
  readonly writes: readonly Span[]
}

/** Bytes of a tensor of the node, by its place among inputs and outputs, or of the shared block. */
export interface Span {
  readonly of: number | "block"
  readonly start: number
  readonly bytes: number
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

export type KernelRule<O extends Op> = (node: Node<O>, options: KernelOptions) => Kernel | Series
/** Operations that `gradients` alone makes; their rows stand in gradient-kernels.ts. */
export type GradientOp = "attentionGrad" | "crossEntropyGrad" | "linearCrossEntropyGrad"
export type GradientKernels = { readonly [O in GradientOp]: KernelRule<O> }

/** The kernel of a product; with `accumulate` it adds to what C holds. */
export function productKernel(product: Product, options: KernelOptions, accumulate = false): Kernel {
  const { fma, tile, viaBlas } = options
  const shape = { ...product, accumulate, fma, tile, blas: viaBlas?.has(productName(product)) ?? false }
  return { product, scratchBytes: matmulScratchBytes(shape), emit: (module) => emitMatmul(module, shape) }
}
