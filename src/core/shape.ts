// Shapes are plain arrays of sizes, outermost first, in C order. A scalar is `[]`.
import { ShapeError } from "./errors.ts"

export type Shape = readonly number[]

/** Number of elements: the product of the sizes, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** Distance in elements between neighbors along each axis of a C-ordered array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]!
  }
  return strides
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

/** `[8, 512]`, for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`
}

/**
 * The common shape of `a` and `b` under broadcasting: aligned at the right, a size of 1 stretches.
 *
 * @throws ShapeError  if two aligned sizes differ and neither is 1
 */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[axis - rank + a.length] ?? 1
    const sizeB = b[axis - rank + b.length] ?? 1
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1)
      throw new ShapeError(`cannot broadcast ${formatShape(a)} with ${formatShape(b)} (${sizeA} ≠ ${sizeB})`)
    return sizeA === 1 ? sizeB : sizeA
  })
}

/** Resolves a negative axis, counted from the end. */
export function resolveAxis(axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank)
    throw new ShapeError(`axis must be in ${-rank}..${rank - 1}, got ${axis}`)
  return resolved
}
