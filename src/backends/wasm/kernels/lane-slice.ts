// What all kernels share: the signature with its lane parameters, each lane's contiguous slice of the work, rows of floats
// copied and stored without touching a byte past their end, and 4x4 transposes.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder, Operand } from "../assembler.ts"

export const VECTOR_BYTES = 16
const MAX_UNROLLED_VECTORS = 8

/** Parameters of a kernel after its tensors' addresses. */
export interface LaneParams {
  /** Address of this lane's own scratch. */
  readonly scratch: Local
  readonly lane: Local
  readonly lanes: Local
}

/** Defines an internal function `(tensors…, scratch, lane, lanes)`; all are i32. */
export function defineKernel(
  module: ModuleBuilder,
  name: string,
  tensors: number,
  build: (f: FunctionBuilder, addresses: readonly Local[], params: LaneParams) => void,
): FunctionHandle {
  const types = Array.from({ length: tensors + 3 }, () => "i32" as const)
  return module.function(name, types, [], false, (f, ...params) => {
    const [scratch, lane, lanes] = params.slice(tensors)
    build(f, params.slice(0, tensors), { scratch, lane, lanes })
  })
}

/**
 * Runs `body` for each unit of this lane: `count` units in contiguous slices whose sizes differ by at most one, the larger
 * ones first.
 */
export function emitForUnits(f: FunctionBuilder, params: LaneParams, count: number, body: (unit: Local) => void): void {
  f.scope(() => {
    const [unit, start, end] = f.locals("i32", 3)
    emitSlice(f, params, count, start, end)
    f.forRange(unit, start, end, 1, () => body(unit))
  })
}

/** Sets `start` and `end` to this lane's slice of 0..count-1. */
export function emitSlice(
  f: FunctionBuilder,
  { lane, lanes }: LaneParams,
  count: number,
  start: Local,
  end: Local,
): void {
  const bound = (target: Local, index: () => void) => {
    f.scope(() => {
      const at = f.local("i32")
      index(), f.local.set(at)
      f.i32.const(count), f.local.get(lanes), f.i32.divU(), f.local.get(at), f.i32.mul()
      emitMin(f, at, () => (f.i32.const(count), f.local.get(lanes), f.i32.remU()))
      f.i32.add(), f.local.set(target)
    })
  }
  bound(start, () => f.local.get(lane))
  bound(end, () => f.address(lane, 1))
}

/** Leaves `min(a, b)` of signed i32. */
export function emitMin(f: FunctionBuilder, a: Operand, b: Operand): void {
  if (typeof a === "number" && typeof b === "number") return f.i32.const(Math.min(a, b))
  f.scope(() => {
    const [x, y] = f.locals("i32", 2)
    f.assign(x, a), f.assign(y, b)
    f.local.get(x), f.local.get(y), f.local.get(x), f.local.get(y), f.i32.ltS(), f.select()
  })
}

/** Leaves `max(a, 0)`. */
export function emitNotNegative(f: FunctionBuilder, a: Local): void {
  f.local.get(a), f.i32.const(0), f.local.get(a), f.i32.const(0), f.i32.gtS(), f.select()
}

/** `quotient = value / divisor`, `remainder = value % divisor`; `value` may be either target. */
export function emitDivide(f: FunctionBuilder, value: Local, divisor: number, quotient: Local, remainder: Local): void {
  f.scope(() => {
    const kept = f.local("i32")
    f.assign(kept, value)
    if (divisor === 1) return (f.assign(remainder, 0), f.assign(quotient, kept))
    f.local.get(kept), f.i32.const(divisor), f.i32.divU(), f.local.set(quotient)
    f.local.get(kept), f.scaled(quotient, divisor), f.i32.sub(), f.local.set(remainder)
  })
}

/** Stores the first `count` (1..4) floats of `value` at `address + offset`. */
export function emitStorePart(f: FunctionBuilder, address: Local, value: Local, count: number, offset = 0): void {
  const at = () => (f.local.get(address), f.local.get(value))
  if (count >= 4) return (at(), f.v128.store(offset))
  if (count >= 2) at(), f.v128.store64Lane(0, offset, 2)
  if (count % 2 === 1) at(), f.v128.store32Lane(count - 1, offset + 4 * (count - 1))
}

/** Sets `target` to the vector at `address + offset` with all but its first `count` floats replaced by `filler`. */
export function emitLoadPart(
  f: FunctionBuilder,
  target: Local,
  address: Local,
  count: number,
  options: { offset?: number; filler?: number } = {},
): void {
  const { offset = 0, filler = 0 } = options
  f.local.get(address), f.v128.load(offset)
  if (count < 4) {
    const mask = [0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0)) as [number, number, number, number]
    f.f32x4.const(filler), f.i32x4.const(...mask), f.v128.bitselect()
  }
  f.local.set(target)
}

/**
 * Calls `body(offset, count)` for each vector of a row of `length` floats; `offset` is in bytes, to be added to addresses,
 * and `count` the floats that belong to the row. Short rows are unrolled.
 */
export function emitForVectors(
  f: FunctionBuilder,
  length: number,
  body: (offset: Local | number, count: number) => void,
): void {
  const [whole, rest] = [Math.floor(length / 4), length % 4]
  if (whole <= MAX_UNROLLED_VECTORS) for (let i = 0; i < whole; i++) body(VECTOR_BYTES * i, 4)
  else
    f.scope(() => {
      const offset = f.local("i32")
      f.forRange(offset, 0, VECTOR_BYTES * whole, VECTOR_BYTES, () => body(offset, 4))
    })
  if (rest > 0) body(VECTOR_BYTES * whole, rest)
}

/** Copies `length` floats (or i32) from `source` to `target`; without a source, writes zeros. */
export function emitCopyRow(f: FunctionBuilder, target: Local, source: Local | undefined, length: number): void {
  f.scope(() => {
    const [from, to] = f.locals("i32", 2)
    const value = f.local("v128")
    if (source === undefined) f.f32x4.const(0), f.local.set(value)
    emitForVectors(f, length, (offset, count) => {
      const fixed = typeof offset === "number"
      const at = (address: Local, moved: Local) =>
        fixed ? address : (f.address(address, offset), f.local.set(moved), moved)
      if (source !== undefined) f.local.get(at(source, from)), f.v128.load(fixed ? offset : 0), f.local.set(value)
      emitStorePart(f, at(target, to), value, count, fixed ? offset : 0)
    })
  })
}

/** Turns four rows of four floats into four columns, in place. */
export function emitTranspose4(f: FunctionBuilder, rows: readonly Local[]): void {
  f.scope(() => {
    const [a, b, c, d] = rows
    const halves = f.locals("v128", 4)
    const shuffle = (x: Local, y: Local, lanes: readonly [number, number, number, number], to: Local) => (
      f.local.get(x), f.local.get(y), f.i32x4.shuffle(...lanes), f.local.set(to)
    )
    shuffle(a, b, [0, 4, 1, 5], halves[0])
    shuffle(c, d, [0, 4, 1, 5], halves[1])
    shuffle(a, b, [2, 6, 3, 7], halves[2])
    shuffle(c, d, [2, 6, 3, 7], halves[3])
    shuffle(halves[0], halves[1], [0, 1, 4, 5], a)
    shuffle(halves[0], halves[1], [2, 3, 6, 7], b)
    shuffle(halves[2], halves[3], [0, 1, 4, 5], c)
    shuffle(halves[2], halves[3], [2, 3, 6, 7], d)
  })
}

/** Leaves the sum of the four floats of `x`, as f32: `(x0 + x2) + (x1 + x3)`. */
export function emitSumOfLanes(f: FunctionBuilder, x: Local): void {
  f.scope(() => {
    const pair = f.local("v128")
    f.local.get(x), f.local.get(x), f.local.get(x), f.i32x4.shuffle(2, 3, 0, 1), f.f32x4.add(), f.local.set(pair)
    f.local.get(pair), f.f32x4.extractLane(0), f.local.get(pair), f.f32x4.extractLane(1), f.f32.add()
  })
}
