// Matrix products, one function per shape. The sum of each element of C runs over k in an order fixed by the shape, so
// that lanes, tiles and blocks never change its bits. Paths: matmul-tiles.ts (general), matmul-thin.ts (up to 3 rows); and
// matmul-blas.ts, whose bits are the library's.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitMin } from "./lane-slice.ts"
import { BLAS_GROUP, emitSgemm, importSgemm } from "./matmul-blas.ts"
import {
  type MatmulShape,
  matmulPath,
  type ResolvedMatmul,
  resolveMatmul,
  rowTiles,
  splitsColumns,
} from "./matmul-shape.ts"
import { emitClear, type MatmulSlice } from "./matmul-slice.ts"
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
  const key = `matmul ${JSON.stringify(resolved)}`
  const { m, n, k } = resolved
  const sgemm = resolved.blas ? importSgemm(module) : undefined
  return module.once(key, () =>
    module.function(`matmul_${m}x${n}x${k}`, ["i32", "i32", "i32", "i32", "i32", "i32"], [], false, (f, ...params) =>
      emitSlices({ module, f, shape: resolved, sgemm }, params),
    ),
  )
}

/** What lanes share out: groups of columns or of rows, and where a group (or the end) lies in C. */
interface Split {
  readonly columns: boolean
  readonly groups: number
  readonly emitPlace: (f: FunctionBuilder, group: Local) => void
}

function splitOf(shape: ResolvedMatmul): Split {
  const path = matmulPath(shape)
  const { m, n, tile } = shape
  if (path === "dot") return evenSplit(true, n, dotColumns(shape))
  if (path === "stream") return evenSplit(true, n, STREAM_GROUP)
  const columns = splitsColumns(shape)
  if (path === "blas") return evenSplit(columns, columns ? n : m, BLAS_GROUP)
  return columns ? evenSplit(true, n, tile.columns) : tileSplit(shape)
}

/** Groups of `size` rows or columns. */
const evenSplit = (columns: boolean, length: number, size: number): Split => ({
  columns,
  groups: Math.ceil(length / size),
  emitPlace: (f, group) => emitMin(f, length, () => f.scaled(group, size)),
})

/** Tiles of rows, whose heights differ at the end. */
function tileSplit(shape: ResolvedMatmul): Split {
  const { whole, tail } = rowTiles(shape)
  const emitPlace = (f: FunctionBuilder, group: Local) => {
    f.scaled(group, shape.tile.rows)
    for (const [i, { at, rows }] of tail.entries())
      f.i32.const(at + rows), f.local.get(group), f.i32.const(whole + i), f.i32.leS(), f.select()
  }
  return { columns: false, groups: whole + tail.length, emitPlace }
}

/** What the code of one product is written with. */
interface Writing {
  readonly module: ModuleBuilder
  readonly f: FunctionBuilder
  readonly shape: ResolvedMatmul
  /** The function of a BLAS, where the product goes through one. */
  readonly sgemm: FunctionHandle | undefined
}

/** The lane's share of batch × groups, one matrix of the batch after the other. */
function emitSlices(writing: Writing, params: readonly Local[]): void {
  const { f, shape } = writing
  const [, , , , lane, lanes] = params
  const { groups } = splitOf(shape)
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
      emitSlice(writing, params, matrix, start, stop)
    },
  )
}

/** Groups [start, stop) of one matrix of the batch. */
function emitSlice(writing: Writing, params: readonly Local[], matrix: Local, start: Local, stop: Local): void {
  const { f, shape } = writing
  const { columns, emitPlace } = splitOf(shape)
  const { m, n, batchStrideA, batchStrideB, batchStrideC } = shape
  const strides = [batchStrideA, batchStrideB, batchStrideC]
  f.scope(() => {
    const [a, b, c, from, to] = f.locals("i32", 5)
    ;[a, b, c].forEach((address, i) =>
      f.assign(address, () => f.address(params[i], () => f.scaled(matrix, 4 * strides[i]))),
    )
    f.assign(from, () => emitPlace(f, start))
    f.assign(to, () => emitPlace(f, stop))
    const rows = columns ? { rowStart: 0, rowStop: m } : { rowStart: from, rowStop: to }
    const cols = columns ? { columnStart: from, columnStop: to } : { columnStart: 0, columnStop: n }
    emitPath(writing, { a, b, c, scratch: params[3], ...rows, ...cols })
  })
}

function emitPath({ module, f, shape, sgemm }: Writing, slice: MatmulSlice): void {
  const path = matmulPath(shape)
  if (path === "blas") emitSgemm(f, shape, slice, sgemm!)
  else if (path === "tiles") emitTiles(module, f, shape, slice)
  else if (path === "dot") emitDot(f, shape, slice)
  else if (path === "stream") emitStream(f, shape, slice)
  else if (!shape.accumulate) emitClear(f, shape, slice)
}
