// Elements moved, not changed: any strides on both sides, f32 and i32 alike. Rows that run along memory on both sides are
// copied in vectors, a single element is spread in vectors, a transpose goes by blocks of 4x4, the rest one by one.
import { type Shape, sizeOf } from "../../../core/index.ts"
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import {
  defineKernel,
  emitDivide,
  emitForUnits,
  emitForVectors,
  emitMin,
  emitSlice,
  emitStorePart,
  emitTranspose4,
  type LaneParams,
  VECTOR_BYTES,
} from "./lane-slice.ts"

/** Element `index` of a region of `shape` goes from `Σ index·inputStrides + inputOffset` to the same sum of the output. */
export interface Move {
  readonly shape: Shape
  /** In elements, as are all strides and offsets; 0 repeats. */
  readonly inputStrides: readonly number[]
  readonly outputStrides: readonly number[]
  readonly inputOffset: number
  readonly outputOffset: number
}
/** A region of zeros. */
export type Fill = Omit<Move, "inputStrides" | "inputOffset">

interface Axis {
  readonly size: number
  readonly from: number
  readonly to: number
}

/** With fewer rows than this, lanes share each row instead. */
const FEW_ROWS = 8
/** Floats of a cache line, so that no two lanes write the same one. */
const SHARE = 16

/** `(x, y)`: copies one region; other elements of y are not touched. */
export function emitMove(module: ModuleBuilder, move: Move): FunctionHandle {
  return defineKernel(module, `move ${move.shape.join("x")}`, 2, (f, [x, y], lane) =>
    emitMoveRegion(f, move, x, y, lane),
  )
}

/** `(y)`: writes zeros into one region, or into the first so many elements. */
export function emitFill(module: ModuleBuilder, of: Fill | number): FunctionHandle {
  const fill = typeof of === "number" ? { shape: [of], outputStrides: [1], outputOffset: 0 } : of
  return defineKernel(module, `fill ${fill.shape.join("x")}`, 1, (f, [y], lane) => emitFillRegion(f, fill, y, lane))
}

/** The code of {@link emitFill}, for kernels that write several regions. */
export function emitFillRegion(f: FunctionBuilder, fill: Fill, y: Local, lane: LaneParams): void {
  const inputStrides = fill.shape.map(() => 0)
  emitRegion(f, { ...fill, inputStrides, inputOffset: 0 }, undefined, y, lane)
}

/** The code of {@link emitMove}, for kernels that write several regions. */
export function emitMoveRegion(f: FunctionBuilder, move: Move, x: Local, y: Local, lane: LaneParams): void {
  emitRegion(f, move, x, y, lane)
}

function emitRegion(f: FunctionBuilder, move: Move, x: Local | undefined, y: Local, lane: LaneParams): void {
  if (sizeOf(move.shape) === 0) return
  const axes = simplify(move)
  const inner = axes.at(-1)!
  const turned = inner.to === 1 && inner.size >= 4 ? axes.findIndex((axis) => axis.from === 1 && axis.size >= 4) : -1
  const region: Region = { axes, x, y, lane, inputOffset: move.inputOffset, outputOffset: move.outputOffset }
  f.scope(() => {
    if (inner.to === 1 && inner.from <= 1) emitRows(f, region)
    else if (turned >= 0) emitTurned(f, region, turned)
    else emitOneByOne(f, region)
  })
}

interface Region {
  readonly axes: readonly Axis[]
  /** Without an input, zeros. */
  readonly x: Local | undefined
  readonly y: Local
  readonly lane: LaneParams
  readonly inputOffset: number
  readonly outputOffset: number
}

/** Axes of more than one element, the smallest output stride last, joined where both sides run on. */
function simplify({ shape, inputStrides, outputStrides }: Move): readonly Axis[] {
  const axes = shape.map((size, i): Axis => ({ size, from: inputStrides[i], to: outputStrides[i] }))
  const joined: Axis[] = []
  for (const axis of axes.filter(({ size }) => size > 1).sort((a, b) => b.to - a.to)) {
    const last = joined.at(-1)
    if (last !== undefined && last.from === axis.from * axis.size && last.to === axis.to * axis.size)
      joined[joined.length - 1] = { ...axis, size: last.size * axis.size }
    else joined.push(axis)
  }
  return joined.length > 0 ? joined : [{ size: 1, from: 1, to: 1 }]
}

const count = (axes: readonly Axis[]): number => sizeOf(axes.map(({ size }) => size))

/** Sets `from` and `to` to the addresses of element `unit` of the region spanned by `axes`. */
function emitPlace(
  f: FunctionBuilder,
  region: Region,
  axes: readonly Axis[],
  unit: Local,
  from: Local,
  to: Local,
): void {
  if (region.x !== undefined) f.address(region.x, 4 * region.inputOffset), f.local.set(from)
  f.address(region.y, 4 * region.outputOffset), f.local.set(to)
  f.scope(() => {
    const [rest, index] = f.locals("i32", 2)
    f.assign(rest, unit)
    for (const axis of axes.toReversed()) {
      emitDivide(f, rest, axis.size, rest, index)
      if (region.x !== undefined && axis.from !== 0) f.increment(from, () => f.scaled(index, 4 * axis.from))
      f.increment(to, () => f.scaled(index, 4 * axis.to))
    }
  })
}

/** The innermost axis runs along memory in the output, and in the input too or not at all. */
function emitRows(f: FunctionBuilder, region: Region): void {
  const { axes, lane } = region
  const [outer, inner] = [axes.slice(0, -1), axes.at(-1)!]
  const [from, to] = f.locals("i32", 2)
  const value = f.local("v128")
  const start = () => {
    if (region.x === undefined) f.f32x4.const(0), f.local.set(value)
    else if (inner.from === 0) f.local.get(from), f.v128.load32Splat(), f.local.set(value)
  }
  const loads = region.x !== undefined && inner.from === 1
  const vector = (offset: Local | number, part: number) =>
    emitMoveVector(f, { from: loads ? from : undefined, to, value, offset, part })
  if (count(outer) >= FEW_ROWS)
    return emitForUnits(f, lane, count(outer), (unit) => {
      emitPlace(f, region, outer, unit, from, to), start()
      emitForVectors(f, inner.size, vector)
    })
  const [row, first, end] = f.locals("i32", 3)
  emitShare(f, lane, inner.size, first, end)
  f.forRange(row, 0, count(outer), 1, () => {
    emitPlace(f, region, outer, row, from, to), start()
    emitForShare(f, inner.size, first, end, vector)
  })
}

/** Sets `first` and `end` to this lane's part of a row of `size` floats, in bytes; parts begin on multiples of 64 bytes. */
function emitShare(f: FunctionBuilder, lane: LaneParams, size: number, first: Local, end: Local): void {
  emitSlice(f, lane, Math.ceil(size / SHARE), first, end)
  f.scaled(first, 4 * SHARE), f.local.set(first)
  f.scaled(end, 4 * SHARE), f.local.set(end)
  emitMin(f, end, () => f.i32.const(4 * size)), f.local.set(end)
}

function emitForShare(
  f: FunctionBuilder,
  size: number,
  first: Local,
  end: Local,
  body: (offset: Local | number, part: number) => void,
): void {
  const whole = 4 * (size - (size % 4))
  f.scope(() => {
    const offset = f.local("i32")
    f.forRange(
      offset,
      first,
      () => emitMin(f, end, () => f.i32.const(whole)),
      VECTOR_BYTES,
      () => body(offset, 4),
    )
    if (size % 4 === 0) return
    f.local.get(end), f.i32.const(whole), f.i32.gtS(), f.local.get(first), f.local.get(end), f.i32.ltS(), f.i32.and()
    f.if(() => body(whole, size % 4))
  })
}

/** Moves `part` floats at `offset`: loaded from `from`, or those of `value`. */
function emitMoveVector(
  f: FunctionBuilder,
  of: { from: Local | undefined; to: Local; value: Local; offset: Local | number; part: number },
): void {
  f.scope(() => {
    const at = f.local("i32")
    const fixed = typeof of.offset === "number" ? of.offset : 0
    if (of.from !== undefined) {
      if (typeof of.offset === "number") f.local.get(of.from)
      else f.address(of.from, of.offset)
      f.v128.load(fixed), f.local.set(of.value)
    }
    if (typeof of.offset !== "number") f.address(of.to, of.offset), f.local.set(at)
    emitStorePart(f, typeof of.offset === "number" ? of.to : at, of.value, of.part, fixed)
  })
}

/** Axis `turned` runs along the input and the innermost along the output: blocks of 4x4; lanes share blocks of `turned`. */
function emitTurned(f: FunctionBuilder, region: Region, turned: number): void {
  const { axes, lane } = region
  const [across, inner] = [axes[turned], axes.at(-1)!]
  const outer = axes.filter((_, i) => i !== turned && i !== axes.length - 1)
  const blocks = Math.ceil(across.size / 4)
  const [unit, block, from, to] = f.locals("i32", 4)
  emitForUnits(f, lane, count(outer) * blocks, (n) => {
    emitDivide(f, n, blocks, unit, block)
    emitPlace(f, region, outer, unit, from, to)
    f.increment(from, () => f.scaled(block, VECTOR_BYTES)),
      f.increment(to, () => f.scaled(block, VECTOR_BYTES * across.to))
    const rest = across.size % 4
    if (rest === 0) return emitTurnedRows(f, { from, to, rows: 4, across, inner })
    f.local.get(block), f.i32.const(blocks - 1), f.i32.eq()
    f.if(
      () => emitTurnedRows(f, { from, to, rows: rest, across, inner }),
      () => emitTurnedRows(f, { from, to, rows: 4, across, inner }),
    )
  })
}

/** Writes `rows` (1..4) rows of the output from as many columns of the input. */
function emitTurnedRows(
  f: FunctionBuilder,
  of: { from: Local; to: Local; rows: number; across: Axis; inner: Axis },
): void {
  const { from, to, rows, across, inner } = of
  f.scope(() => {
    const i = f.local("i32")
    const vectors = f.locals("v128", 4)
    const square = (columns: number) => {
      for (const [n, vector] of vectors.entries())
        f.local.get(from), f.v128.load(4 * Math.min(n, columns - 1) * inner.from), f.local.set(vector)
      emitTranspose4(f, vectors)
      for (const [n, vector] of vectors.slice(0, rows).entries())
        emitStorePart(f, to, vector, columns, 4 * n * across.to)
    }
    f.forRange(i, 0, Math.floor(inner.size / 4), 1, () => {
      square(4)
      f.increment(from, VECTOR_BYTES * inner.from), f.increment(to, VECTOR_BYTES)
    })
    if (inner.size % 4 > 0) square(inner.size % 4)
  })
}

function emitOneByOne(f: FunctionBuilder, region: Region): void {
  const { axes, lane, x } = region
  const [outer, inner] = [axes.slice(0, -1), axes.at(-1)!]
  const [from, to, i] = f.locals("i32", 3)
  emitForUnits(f, lane, count(outer), (unit) => {
    emitPlace(f, region, outer, unit, from, to)
    f.forRange(i, 0, inner.size, 1, () => {
      f.local.get(to)
      if (x === undefined) f.i32.const(0)
      else f.local.get(from), f.i32.load()
      f.i32.store()
      f.increment(to, 4 * inner.to)
      if (x !== undefined) f.increment(from, 4 * inner.from)
    })
  })
}
