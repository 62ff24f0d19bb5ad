// Products with up to three rows, as decoding one token makes them: every float of B is used at most three times, so B is
// read once, in place, in long straight runs. `dot` (B is [N, K]) sums along k in four lanes and adds the lanes at the
// end; `stream` (B is [K, N]) keeps a stretch of C in the first-level cache and adds scaled rows of B to it.

// biome-ignore-all format: one line is one step of the kernel

import type { FunctionBuilder, Local } from "../assembler.ts"
import { emitMin } from "./lane-slice.ts"
import type { ResolvedMatmul } from "./matmul-shape.ts"
import { emitAddProduct, emitClear, type MatmulSlice } from "./matmul-slice.ts"

/** Columns that `dot` computes together, by rows of A: sums, rows of B and of A must fit 16 registers. */
const DOT_COLUMNS = [0, 6, 4, 3]
export const dotColumns = ({ m }: ResolvedMatmul): number => DOT_COLUMNS[m]
/** Columns lanes share out in `stream`: a cache line. */
export const STREAM_GROUP = 16
/** Rows of B that meet one stretch of C in a pass of `stream`. */
const STREAM_DEPTH = 4

/** `C[i, n] = Σ A[i, k] · B[n, k]`. */
export function emitDot(f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice): void {
  const width = dotColumns(shape)
  const whole = shape.n - (shape.n % width)
  f.scope(() => {
    const column = f.local("i32")
    f.forRange(column, slice.columnStart, () => emitMin(f, whole, slice.columnStop), width, () => emitDots(f, shape, slice, column, width))
    if (whole === shape.n) return
    f.push(slice.columnStop), f.i32.const(whole), f.i32.gtS()
    f.if(() => (f.assign(column, whole), emitDots(f, shape, slice, column, shape.n - whole)))
  })
}

/** All rows of A against `width` rows of B from `column`. */
function emitDots(f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice, column: Local, width: number): void {
  const { m, k, rowStrideA, rowStrideB, rowStrideC } = shape
  const whole = k - (k % 4)
  f.scope(() => {
    const [a, b, c, end] = f.locals("i32", 4)
    const sums = Array.from({ length: m }, () => f.locals("v128", width))
    sums.flat().forEach((sum) => (f.f32x4.const(0), f.local.set(sum)))
    f.assign(a, slice.a)
    f.assign(b, () => f.address(slice.b, () => f.scaled(column, 4 * rowStrideB)))
    f.assign(c, () => f.address(slice.c, () => f.scaled(column, 4)))
    const step = (load: (offset: number) => void) => {
      f.scope(() => {
        const y = f.local("v128")
        const x = f.locals("v128", m)
        x.forEach((value, i) => (f.local.get(a), load(4 * i * rowStrideA), f.local.set(value)))
        for (let j = 0; j < width; j++) {
          f.local.get(b), load(4 * j * rowStrideB), f.local.set(y)
          sums.forEach((row, i) => emitAddProduct(f, shape.fma, row[j], x[i], y))
        }
      })
    }
    f.assign(end, () => f.address(b, 4 * whole))
    f.forRange(b, b, end, 16, () => (step(f.v128.load), f.increment(a, 16)))
    // the last one to three k fall into lane 0, the other lanes add 0 · 0
    f.forRange(b, b, () => f.address(end, 4 * (k - whole)), 4, () => (step(f.v128.load32Zero), f.increment(a, 4)))
    sums.forEach((row, i) => row.forEach((sum, j) => emitStoreSum(f, shape, sum, c, 4 * (i * rowStrideC + j))))
  })
}

/** `C = (s0 + s2) + (s1 + s3)`, the same for every column. */
function emitStoreSum(f: FunctionBuilder, shape: ResolvedMatmul, sum: Local, c: Local, offset: number): void {
  f.local.get(sum), f.local.get(sum), f.local.get(sum), f.i32x4.shuffle(2, 3, 2, 3), f.f32x4.add(), f.local.set(sum)
  f.local.get(c)
  f.local.get(sum), f.f32x4.extractLane(0), f.local.get(sum), f.f32x4.extractLane(1), f.f32.add()
  if (shape.accumulate) f.local.get(c), f.f32.load(offset), f.f32.add()
  f.f32.store(offset)
}

/** `C[i, n] += A[i, k] · B[k, n]`, {@link STREAM_DEPTH} rows of B at a time. */
export function emitStream(f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice): void {
  const whole = shape.k - (shape.k % STREAM_DEPTH)
  if (!shape.accumulate) emitClear(f, shape, slice)
  f.scope(() => {
    const [k, a, b] = f.locals("i32", 3)
    f.assign(a, slice.a)
    f.assign(b, slice.b)
    const pass = (depth: number) => () => {
      emitStreamPass(f, shape, slice, a, b, depth)
      f.increment(a, 4 * depth)
      f.increment(b, 4 * depth * shape.rowStrideB)
    }
    f.forRange(k, 0, whole, STREAM_DEPTH, pass(STREAM_DEPTH))
    f.forRange(k, whole, shape.k, 1, pass(1))
  })
}

/** Adds `depth` scaled rows of B to the slice's stretch of C, four columns at a time, then one. */
function emitStreamPass(f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice, a: Local, b: Local, depth: number): void {
  const { m, n, rowStrideA, rowStrideB, rowStrideC } = shape
  f.scope(() => {
    const [from, to, end] = f.locals("i32", 3)
    const factors = Array.from({ length: m }, () => f.locals("v128", depth))
    const [sum, y] = f.locals("v128", 2)
    factors.forEach((row, i) => row.forEach((factor, d) => (f.local.get(a), f.v128.load32Splat(4 * (i * rowStrideA + d)), f.local.set(factor))))
    const columns = (load: (offset: number) => void, store: (offset: number) => void) => {
      for (let i = 0; i < m; i++) {
        f.local.get(to), load(4 * i * rowStrideC), f.local.set(sum)
        for (let d = 0; d < depth; d++) {
          f.local.get(from), load(4 * d * rowStrideB), f.local.set(y)
          emitAddProduct(f, shape.fma, sum, factors[i][d], y)
        }
        f.local.get(to), f.local.get(sum), store(4 * i * rowStrideC)
      }
    }
    f.assign(from, () => f.address(b, () => f.scaled(slice.columnStart, 4)))
    f.assign(end, () => f.address(slice.c, () => emitMin(f, 4 * (n - (n % 4)), () => f.scaled(slice.columnStop, 4))))
    f.forRange(to, () => f.address(slice.c, () => f.scaled(slice.columnStart, 4)), end, 16, () => {
      columns(f.v128.load, f.v128.store)
      f.increment(from, 16)
    })
    if (n % 4 === 0) return
    f.forRange(to, to, () => f.address(slice.c, () => f.scaled(slice.columnStop, 4)), 4, () => {
      columns(f.v128.load32Zero, (offset) => f.v128.store32Lane(0, offset))
      f.increment(from, 4)
    })
  })
}
