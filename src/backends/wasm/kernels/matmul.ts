// Matrix products, one function per shape. The sum of each element of C runs over k in an order fixed by the shape, so
// that lanes, tiles and blocks never change its bits. Paths: matmul-tiles.ts (general), matmul-thin.ts (up to 3 rows).
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import {
  type MatmulShape,
  matmulPath,
  type ResolvedMatmul,
  resolveMatmul,
  rowTiles,
  splitsColumns,
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
  const key = `matmul ${JSON.stringify(resolved)}`
  const { m, n, k } = resolved
  return module.once(key, () =>
    module.function(`matmul_${m}x${n}x${k}`, ["i32", "i32", "i32", "i32", "i32", "i32"], [], false, (f, ...params) =>
      emitSlices(module, f, resolved, params),
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
  if (path === "dot") return columnSplit(shape, dotColumns(shape))
  if (path === "stream") return columnSplit(shape, STREAM_GROUP)
  return splitsColumns(shape) ? columnSplit(shape, shape.tile.columns) : rowSplit(shape)
}

const columnSplit = ({ n }: ResolvedMatmul, size: number): Split => ({
  columns: true,
  groups: Math.ceil(n / size),
  emitPlace: (f, group) => emitMin(f, n, () => f.scaled(group, size)),
})

function rowSplit(shape: ResolvedMatmul): Split {
  const { whole, tail } = rowTiles(shape)
  const emitPlace = (f: FunctionBuilder, group: Local) => {
    f.scaled(group, shape.tile.rows)
    for (const [i, { at, rows }] of tail.entries())
      f.i32.const(at + rows), f.local.get(group), f.i32.const(whole + i), f.i32.leS(), f.select()
  }
  return { columns: false, groups: whole + tail.length, emitPlace }
}

/** The lane's share of batch × groups, one matrix of the batch after the other. */
function emitSlices(module: ModuleBuilder, f: FunctionBuilder, shape: ResolvedMatmul, params: readonly Local[]): void {
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
      emitSlice(module, f, shape, params, matrix, start, stop)
    },
  )
}

/** Groups [start, stop) of one matrix of the batch. */
function emitSlice(
  module: ModuleBuilder,
  f: FunctionBuilder,
  shape: ResolvedMatmul,
  params: readonly Local[],
  matrix: Local,
  start: Local,
  stop: Local,
): void {
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
    emitPath(module, f, shape, { a, b, c, scratch: params[3], ...rows, ...cols })
  })
}

function emitPath(module: ModuleBuilder, f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice): void {
  const path = matmulPath(shape)
  if (path === "tiles") emitTiles(module, f, shape, slice)
  else if (path === "dot") emitDot(f, shape, slice)
  else if (path === "stream") emitStream(f, shape, slice)
  else if (!shape.accumulate) emitClear(f, shape, slice)
}
