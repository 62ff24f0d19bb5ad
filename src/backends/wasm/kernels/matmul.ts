// Matrix products, one function per shape. The sum of each element of C runs over k in an order fixed by the shape, so
// that lanes, tiles and blocks never change its bits. Paths: matmul-tiles.ts (general), matmul-thin.ts (up to 3 rows); and
// matmul-blas.ts, whose bits are the library's.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { BLAS_GROUP, emitSgemm, importSgemm } from "./matmul-blas.ts"
import {
  type MatmulShape,
  matmulPath,
  type ResolvedMatmul,
  resolveMatmul,
  splitsColumns,
  TILE_COLUMNS,
  TILE_ROWS,
} from "./matmul-shape.ts"
import { emitClear, emitMin, type MatmulSlice } from "./matmul-slice.ts"
import { dotColumns, emitDot, emitStream, STREAM_GROUP } from "./matmul-thin.ts"
import { emitTiles } from "./matmul-tiles.ts"

export { type MatmulShape, matmulScratchBytes } from "./matmul-shape.ts"

/**
 * Emits `C[b] = op(A[b]) · op(B[b])` as an internal function `(a, b, c, scratch, lane, lanes)`, addresses in bytes.
 *
 * Each lane computes its share of batch × rows or batch × columns and touches nothing else of C; no barrier inside.
 * `scratch` is the lane's own, {@link matmulScratchBytes} long. Equal shapes of one module share one function.
 */
export function emitMatmul(module: ModuleBuilder, shape: MatmulShape): FunctionHandle {
  const resolved = resolveMatmul(shape)
  const key = `matmul ${Object.values(resolved).join(" ")}`
  const { m, n, k } = resolved
  const sgemm = resolved.blas ? importSgemm(module) : undefined
  return module.once(key, () =>
    module.function(`matmul_${m}x${n}x${k}`, ["i32", "i32", "i32", "i32", "i32", "i32"], [], false, (f, ...params) =>
      emitSlices(f, resolved, params, sgemm),
    ),
  )
}

/** What lanes share out: groups of rows or of columns. */
function splitUnit(shape: ResolvedMatmul): { columns: boolean; size: number } {
  const path = matmulPath(shape)
  if (path === "dot") return { columns: true, size: dotColumns(shape) }
  if (path === "stream") return { columns: true, size: STREAM_GROUP }
  if (path === "blas") return { columns: splitsColumns(shape), size: BLAS_GROUP }
  const columns = splitsColumns(shape)
  return { columns, size: columns ? TILE_COLUMNS : TILE_ROWS }
}

/** The lane's share of batch × groups, one matrix of the batch after the other. */
function emitSlices(
  f: FunctionBuilder,
  shape: ResolvedMatmul,
  params: readonly Local[],
  sgemm: FunctionHandle | undefined,
): void {
  const [, , , , lane, lanes] = params
  const { size, columns } = splitUnit(shape)
  const groups = Math.ceil((columns ? shape.n : shape.m) / size)
  const [unit, last, matrix, start, stop] = f.locals("i32", 5)
  const share = (index: () => void) => {
    f.scaled(index, shape.batch * groups)
    f.local.get(lanes), f.i32.divU()
  }
  if (shape.batch * groups === 0) return
  f.assign(unit, () => share(() => f.local.get(lane)))
  f.assign(last, () => share(() => f.address(lane, 1)))
  f.forRange(
    unit,
    unit,
    last,
    () => (f.local.get(stop), f.local.get(start), f.i32.sub()),
    () => {
      f.assign(matrix, () => (f.local.get(unit), f.i32.const(groups), f.i32.divU()))
      f.assign(start, () => (f.local.get(unit), f.scaled(matrix, groups), f.i32.sub()))
      f.assign(stop, () => emitMin(f, groups, () => (f.address(start, last), f.local.get(unit), f.i32.sub())))
      emitSlice(f, shape, params, matrix, start, stop, sgemm)
    },
  )
}

/** Groups [start, stop) of one matrix of the batch. */
function emitSlice(
  f: FunctionBuilder,
  shape: ResolvedMatmul,
  params: readonly Local[],
  matrix: Local,
  start: Local,
  stop: Local,
  sgemm: FunctionHandle | undefined,
): void {
  const { size, columns } = splitUnit(shape)
  const { m, n, batchStrideA, batchStrideB, batchStrideC } = shape
  const strides = [batchStrideA, batchStrideB, batchStrideC]
  f.scope(() => {
    const [a, b, c, from, to] = f.locals("i32", 5)
    ;[a, b, c].forEach((address, i) =>
      f.assign(address, () => f.address(params[i], () => f.scaled(matrix, 4 * strides[i]))),
    )
    f.assign(from, () => f.scaled(start, size))
    f.assign(to, () => emitMin(f, columns ? n : m, () => f.scaled(stop, size)))
    const rows = columns ? { rowStart: 0, rowStop: m } : { rowStart: from, rowStop: to }
    const cols = columns ? { columnStart: from, columnStop: to } : { columnStart: 0, columnStop: n }
    emitPath(f, shape, { a, b, c, scratch: params[3], ...rows, ...cols }, sgemm)
  })
}

function emitPath(
  f: FunctionBuilder,
  shape: ResolvedMatmul,
  slice: MatmulSlice,
  sgemm: FunctionHandle | undefined,
): void {
  const path = matmulPath(shape)
  if (path === "blas") emitSgemm(f, shape, slice, sgemm!)
  else if (path === "tiles") emitTiles(f, shape, slice)
  else if (path === "dot") emitDot(f, shape, slice)
  else if (path === "stream") emitStream(f, shape, slice)
  else if (!shape.accumulate) emitClear(f, shape, slice)
}
