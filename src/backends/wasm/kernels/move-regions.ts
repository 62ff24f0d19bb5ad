// The operations that only move elements, as regions for `move.ts`, and one kernel each.
import { type Shape, sizeOf, stridesOf } from "../../../core/index.ts"
import type { FunctionHandle, ModuleBuilder } from "../assembler.ts"
import { defineKernel } from "./lane-slice.ts"
import { emitFillRegion, emitMove, emitMoveRegion, type Fill, type Move } from "./move.ts"

/** `(x, y)`: output axis i is input axis `permutation[i]`. */
export const emitTranspose = (module: ModuleBuilder, shape: Shape, permutation: readonly number[]): FunctionHandle =>
  emitMove(module, transposeMove(shape, permutation))

/** `(x, y)`: x stretched to `target`, aligned at the right. */
export const emitBroadcast = (module: ModuleBuilder, shape: Shape, target: Shape): FunctionHandle =>
  emitMove(module, broadcastMove(shape, target))

/** `(x, y)`: elements start..end-1 along `axis`. */
export const emitSliceOf = (
  module: ModuleBuilder,
  shape: Shape,
  of: { axis: number; start: number; end: number },
): FunctionHandle => emitMove(module, sliceMove(shape, of))

/** `(x, y)`: zeros before and after along `axis`. */
export function emitPad(
  module: ModuleBuilder,
  shape: Shape,
  of: { axis: number; before: number; after: number },
): FunctionHandle {
  const { move, fills } = padRegions(shape, of)
  return defineKernel(module, `pad ${shape.join("x")}`, 2, (f, [x, y], lane) => {
    emitMoveRegion(f, move, x, y, lane)
    for (const fill of fills) emitFillRegion(f, fill, y, lane)
  })
}

/** `(x₀, x₁, …, y)`: joined along `axis`. */
export function emitConcatenate(module: ModuleBuilder, shapes: readonly Shape[], axis: number): FunctionHandle {
  const moves = concatenateMoves(shapes, axis)
  return defineKernel(module, `concatenate ${moves.length}`, moves.length + 1, (f, tensors, lane) => {
    for (const [i, move] of moves.entries()) emitMoveRegion(f, move, tensors[i], tensors[moves.length], lane)
  })
}

export function transposeMove(shape: Shape, permutation: readonly number[]): Move {
  const strides = stridesOf(shape)
  const turned = permutation.map((axis) => shape[axis])
  const inputStrides = permutation.map((axis) => strides[axis])
  return { shape: turned, inputStrides, outputStrides: stridesOf(turned), inputOffset: 0, outputOffset: 0 }
}

export function broadcastMove(shape: Shape, target: Shape): Move {
  const strides = stridesOf(shape)
  const missing = target.length - shape.length
  const inputStrides = target.map((_, axis) =>
    axis < missing || shape[axis - missing] === 1 ? 0 : strides[axis - missing],
  )
  return { shape: target, inputStrides, outputStrides: stridesOf(target), inputOffset: 0, outputOffset: 0 }
}

const resized = (shape: Shape, axis: number, size: number): number[] => shape.map((own, i) => (i === axis ? size : own))

export function sliceMove(shape: Shape, { axis, start, end }: { axis: number; start: number; end: number }): Move {
  const inputStrides = stridesOf(shape)
  const part = resized(shape, axis, end - start)
  return {
    shape: part,
    inputStrides,
    outputStrides: stridesOf(part),
    inputOffset: start * inputStrides[axis],
    outputOffset: 0,
  }
}

/** The region of x and those of the zeros: they touch no common element, so their order does not matter. */
export function padRegions(
  shape: Shape,
  { axis, before, after }: { axis: number; before: number; after: number },
): { move: Move; fills: readonly Fill[] } {
  const outputStrides = stridesOf(resized(shape, axis, before + shape[axis] + after))
  const zeros = (size: number, start: number): Fill => ({
    shape: resized(shape, axis, size),
    outputStrides,
    outputOffset: start * outputStrides[axis],
  })
  const move = {
    shape,
    inputStrides: stridesOf(shape),
    outputStrides,
    inputOffset: 0,
    outputOffset: before * outputStrides[axis],
  }
  return {
    move,
    fills: [zeros(before, 0), zeros(after, before + shape[axis])].filter((fill) => sizeOf(fill.shape) > 0),
  }
}

export function concatenateMoves(shapes: readonly Shape[], axis: number): Move[] {
  const total = shapes.reduce((sum, shape) => sum + shape[axis], 0)
  const outputStrides = stridesOf(resized(shapes[0], axis, total))
  let start = 0
  return shapes.map((shape) => {
    const outputOffset = start * outputStrides[axis]
    start += shape[axis]
    return { shape, inputStrides: stridesOf(shape), outputStrides, inputOffset: 0, outputOffset }
  })
}
