// The general matrix product: panels of B, as wide as the register tile, are packed into scratch and meet tiles of rows of A.
// k is cut into blocks that fit the caches; a block continues the sums where the last one left them in C, so each element
// adds its terms in the order of k whatever the blocks and tiles. The manner is that of Goto and van de Geijn 2008.

// biome-ignore-all format: one line is one step of the kernel

import type { FunctionBuilder, Local, ModuleBuilder, Operand } from "../assembler.ts"
import { emitMin, emitTranspose4 } from "./lane-slice.ts"
import { blockRows, narrowColumns, packsA, panelDepth, type ResolvedMatmul, rowTiles, scratchLayout } from "./matmul-shape.ts"
import { type MatmulSlice } from "./matmul-slice.ts"
import { registerTile } from "./register-tile.ts"

/** What the loops of one slice share. */
interface Blocks extends MatmulSlice {
  readonly module: ModuleBuilder
  readonly f: FunctionBuilder
  readonly shape: ResolvedMatmul
  readonly layout: ReturnType<typeof scratchLayout>
  /** First k of the block and how many. */
  readonly k0: Local
  readonly depth: Local
  /** Rows of the block. */
  readonly row0: Local
  readonly rowEnd: Local
  /** First column of the panel. */
  readonly column: Local
}

/** A panel of B in scratch: `columns` wide, of which `width` belong to C. */
interface Panel {
  readonly columns: number
  readonly width: number
}

/** Where a tile of A lies: its first row in C, and in scratch if A is packed. */
interface TileOfA {
  readonly rows: number
  readonly row: Local
  readonly packed: Local
}

export function emitTiles(module: ModuleBuilder, f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice): void {
  f.scope(() => {
    const [k0, depth, row0, rowEnd, column] = f.locals("i32", 5)
    const blocks: Blocks = { ...slice, module, f, shape, layout: scratchLayout(shape), k0, depth, row0, rowEnd, column }
    f.forRange(k0, 0, shape.k, panelDepth(shape), () => {
      f.assign(depth, () => emitMin(f, panelDepth(shape), () => (f.i32.const(shape.k), f.local.get(k0), f.i32.sub())))
      f.forRange(row0, slice.rowStart, slice.rowStop, blockRows(shape), () => {
        f.assign(rowEnd, () => emitMin(f, slice.rowStop, () => f.address(row0, blockRows(shape))))
        emitTouchBlock(blocks)
        if (packsA(shape)) emitPackA(blocks)
        emitPanels(blocks)
      })
    })
  })
}

/** Longer rows of A the processor fetches ahead by itself. */
const LONGEST_TOUCHED_ROW = 128

/**
 * Reads one number of every cache line of the block's operands in a straight run, which the processor fetches ahead; the tiles
 * go through them in short pieces (768 x 128 x 128 out of the third-level cache: 89 -> 101 GFLOP/s; touching C too: 82).
 */
function emitTouchBlock(blocks: Blocks): void {
  const { f, shape, a, b, k0, depth, row0, rowEnd, columnStart, columnStop } = blocks
  const k = { from: k0, count: depth }
  const rows = { from: row0, count: () => (f.local.get(rowEnd), f.local.get(row0), f.i32.sub()) }
  const columns = { from: columnStart, count: () => (f.push(columnStop), f.push(columnStart), f.i32.sub()) }
  if (shape.transposeA) {
    if (!packsA(shape)) emitTouch(blocks, a, shape.rowStrideA, k, rows)
  } else if (panelDepth(shape) <= LONGEST_TOUCHED_ROW) emitTouch(blocks, a, shape.rowStrideA, rows, k)
  if (!shape.transposeB) emitTouch(blocks, b, shape.rowStrideB, k, columns)
}

interface Range {
  readonly from: Operand
  readonly count: Operand
}

function emitTouch({ f, scratch, layout }: Blocks, matrix: Local, rowStride: number, rows: Range, columns: Range): void {
  f.scope(() => {
    const [row, at, end, bytes] = f.locals("i32", 4)
    const seen = f.local("i32")
    f.assign(bytes, () => f.scaled(columns.count, 4))
    f.assign(row, () => f.address(matrix, () => f.scaled(rows.from, 4 * rowStride), () => f.scaled(columns.from, 4)))
    f.assign(end, () => f.address(row, () => f.scaled(rows.count, 4 * rowStride)))
    f.assign(seen, 0)
    f.forRange(row, row, end, 4 * rowStride, () => {
      f.forRange(at, row, () => f.address(row, bytes), 64, () => (f.local.get(seen), f.local.get(at), f.i32.load(), f.i32.or(), f.local.set(seen)))
    })
    f.address(scratch, layout.tile), f.local.get(seen), f.i32.store() // or the reading would be left out
  })
}

/** All panels of the slice: whole ones, then the narrow one at the right edge. */
function emitPanels(blocks: Blocks): void {
  const { f, shape, column, columnStart, columnStop } = blocks
  const { columns } = shape.tile
  const whole = shape.n - narrowColumns(shape)
  f.forRange(column, columnStart, () => emitMin(f, whole, columnStop), columns, () => emitPanel(blocks, { columns, width: columns }))
  if (whole === shape.n) return
  f.push(columnStop), f.i32.const(whole), f.i32.gtS()
  f.if(() => {
    f.assign(column, whole)
    const width = narrowColumns(shape)
    emitPanel(blocks, { columns: width > 8 ? 16 : 8, width })
  })
}

function emitPanel(blocks: Blocks, panel: Panel): void {
  emitPackB(blocks, panel)
  emitForTilesOfA(blocks, (tile) => emitTile(blocks, tile, panel))
}

/** Calls `body` for each tile of the block's rows. */
function emitForTilesOfA({ f, shape, layout, scratch, row0, rowEnd }: Blocks, body: (tile: TileOfA) => void): void {
  const { whole, tail } = rowTiles(shape)
  const { rows } = shape.tile
  f.scope(() => {
    const [row, packed] = f.locals("i32", 2)
    f.assign(packed, () => f.address(scratch, layout.packedA))
    f.forRange(row, row0, () => emitMin(f, whole * rows, rowEnd), rows, () => {
      body({ rows, row, packed })
      f.increment(packed, layout.packedPanelBytes)
    })
    for (const [i, tile] of tail.entries()) {
      f.local.get(row0), f.i32.const(tile.at), f.i32.leS(), f.local.get(rowEnd), f.i32.const(tile.at), f.i32.gtS(), f.i32.and()
      f.if(() => {
        f.assign(row, tile.at)
        f.assign(packed, () => f.address(scratch, layout.packedTail + i * layout.packedPanelBytes))
        body({ rows: tile.rows, row, packed })
      })
    }
  })
}

/** One tile of C over the block's k. A tile that reaches past the right edge is computed aside and copied. */
function emitTile(blocks: Blocks, { rows, row, packed }: TileOfA, { columns, width }: Panel): void {
  const { f, shape, layout, column, scratch, k0, depth } = blocks
  const narrow = width < columns
  const stride = narrow ? 4 * columns : 4 * shape.rowStrideC
  const { fma, transposeA, rowStrideA } = shape
  const packs = packsA(shape)
  const [aRow, aStep] = transposeA ? [4, 4 * (packs ? rows : rowStrideA)] : [4 * rowStrideA, 4]
  const kernel = registerTile(blocks.module, { rows, vectors: columns / 4, aRow, aStep, bStep: 4 * columns, cRow: stride, fma })
  f.scope(() => {
    const [c, tile] = f.locals("i32", 2)
    f.assign(c, () => f.address(blocks.c, () => f.scaled(row, 4 * shape.rowStrideC), () => f.scaled(column, 4)))
    const copy = (to: Local, toStride: number, from: Local, fromStride: number) => emitCopyTile(f, { to, toStride, from, fromStride, height: rows, width })
    if (narrow) f.assign(tile, () => f.address(scratch, layout.tile))
    if (narrow && goesOn(shape)) copy(tile, stride, c, 4 * shape.rowStrideC)
    if (packs) f.local.get(packed)
    else f.address(blocks.a, () => f.scaled(row, aRow), () => f.scaled(k0, aStep))
    f.address(scratch, layout.panel)
    f.local.get(narrow ? tile : c)
    f.local.get(depth)
    if (shape.accumulate) f.i32.const(1)
    else f.local.get(k0)
    f.call(kernel)
    if (narrow) copy(c, 4 * shape.rowStrideC, tile, stride)
  })
}

/** Whether a tile ever continues sums that stand in C. */
const goesOn = (shape: ResolvedMatmul): boolean => shape.accumulate || panelDepth(shape) < shape.k

/** Copies the first `width` columns of `height` rows, float by float. Strides in bytes. */
function emitCopyTile(f: FunctionBuilder, copy: { to: Local; toStride: number; from: Local; fromStride: number; height: number; width: number }): void {
  for (let r = 0; r < copy.height; r++)
    for (let column = 0; column < copy.width; column++) {
      f.local.get(copy.to), f.local.get(copy.from)
      f.f32.load(r * copy.fromStride + 4 * column), f.f32.store(r * copy.toStride + 4 * column)
    }
}

/** Packs `width` columns of B at `column` as [depth][columns], zeros to the right. */
function emitPackB(blocks: Blocks, panel: Panel): void {
  const { f, shape, b, k0, column } = blocks
  const { rowStrideB, transposeB } = shape
  f.scope(() => {
    const from = f.local("i32")
    const [outer, inner] = transposeB ? [column, k0] : [k0, column]
    f.assign(from, () => f.address(b, () => f.scaled(outer, 4 * rowStrideB), () => f.scaled(inner, 4)))
    if (panel.width < panel.columns) emitPackNarrow(blocks, from, panel)
    else if (transposeB) emitPackTransposed(blocks, from, panel.columns)
    else emitPackStraight(blocks, from, panel.columns)
  })
}

/** Leaves the address behind the first `steps` rows of the packed panel. */
const emitPanelEnd = ({ f, scratch, layout }: Blocks, columns: number, steps: () => void): void =>
  f.address(scratch, layout.panel, () => f.scaled(steps, 4 * columns))

/** Columns of B [K, N]: its rows are the panel's. */
function emitPackStraight(blocks: Blocks, from: Local, columns: number): void {
  const { f, shape, scratch, layout, depth } = blocks
  f.scope(() => {
    const to = f.local("i32")
    f.forRange(to, () => f.address(scratch, layout.panel), () => emitPanelEnd(blocks, columns, () => f.local.get(depth)), 4 * columns, () => {
      for (let offset = 0; offset < 4 * columns; offset += 16) f.local.get(to), f.local.get(from), f.v128.load(offset), f.v128.store(offset)
      f.increment(from, 4 * shape.rowStrideB)
    })
  })
}

/** Rows of B [N, K]: blocks of 4 × 4 turned over, the rest of k float by float. */
function emitPackTransposed(blocks: Blocks, from: Local, columns: number): void {
  const { f, shape, scratch, layout, depth } = blocks
  const stride = 4 * shape.rowStrideB
  f.scope(() => {
    const to = f.local("i32")
    f.forRange(to, () => f.address(scratch, layout.panel), () => emitPanelEnd(blocks, columns, () => (f.local.get(depth), f.i32.const(-4), f.i32.and())), 16 * columns, () => {
      for (let column = 0; column < columns; column += 4) emitTurn(f, from, column * stride, stride, to, 4 * column, 4 * columns)
      f.increment(from, 16)
    })
    if (shape.k % 4 === 0) return
    f.forRange(to, to, () => emitPanelEnd(blocks, columns, () => f.local.get(depth)), 4 * columns, () => {
      for (let column = 0; column < columns; column++)
        f.local.get(to), f.local.get(from), f.f32.load(column * stride), f.f32.store(4 * column)
      f.increment(from, 4)
    })
  })
}

/** Transposes a 4 × 4 block: rows `fromStride` apart become columns of rows `toStride` apart. */
function emitTurn(f: FunctionBuilder, from: Local, offset: number, fromStride: number, to: Local, toOffset: number, toStride: number): void {
  f.scope(() => {
    const rows = f.locals("v128", 4)
    rows.forEach((row, i) => (f.local.get(from), f.v128.load(offset + i * fromStride), f.local.set(row)))
    emitTranspose4(f, rows)
    rows.forEach((row, i) => (f.local.get(to), f.local.get(row), f.v128.store(toOffset + i * toStride)))
  })
}

/** The narrow panel: zeros first, then float by float. */
function emitPackNarrow(blocks: Blocks, from: Local, { columns, width }: Panel): void {
  const { f, shape, scratch, layout, depth } = blocks
  const [step, across] = shape.transposeB ? [4, 4 * shape.rowStrideB] : [4 * shape.rowStrideB, 4]
  f.address(scratch, layout.panel), f.i32.const(0), f.scaled(depth, 4 * columns), f.memory.fill()
  f.scope(() => {
    const to = f.local("i32")
    f.forRange(to, () => f.address(scratch, layout.panel), () => emitPanelEnd(blocks, columns, () => f.local.get(depth)), 4 * columns, () => {
      for (let column = 0; column < width; column++)
        f.local.get(to), f.local.get(from), f.f32.load(column * across), f.f32.store(4 * column)
      f.increment(from, step)
    })
  })
}

/** Packs the block's rows of A [K, M] as panels [depth][rows], one tile after the other for each k: cache lines of A are used whole. */
function emitPackA(blocks: Blocks): void {
  const { f, shape, a, k0, depth } = blocks
  f.scope(() => {
    const [k, rowOfA, from, to] = f.locals("i32", 4)
    f.forRange(k, 0, depth, 1, () => {
      f.assign(rowOfA, () => f.address(a, () => f.scaled(() => f.address(k0, k), 4 * shape.rowStrideA)))
      emitForTilesOfA(blocks, ({ rows, row, packed }) => {
        f.assign(from, () => f.address(rowOfA, () => f.scaled(row, 4)))
        f.assign(to, () => f.address(packed, () => f.scaled(k, 4 * rows)))
        emitCopyFloats(f, to, from, rows)
      })
    })
  })
}

/** Copies `count` floats, no byte more. */
function emitCopyFloats(f: FunctionBuilder, to: Local, from: Local, count: number): void {
  const copy = (floats: number, load: (offset: number) => void, store: (offset: number) => void, at: number) => {
    f.local.get(to), f.local.get(from), load(4 * at), store(4 * at)
    return at + floats
  }
  let done = 0
  while (count - done >= 4) done = copy(4, f.v128.load, f.v128.store, done)
  if (count - done >= 2) done = copy(2, f.i64.load, f.i64.store, done)
  if (count - done === 1) copy(1, f.f32.load, f.f32.store, done)
}
