// The general matrix product: panels of B, 8 columns wide, are packed into scratch and meet tiles of 4 rows of A in
// registers. k is cut into blocks that fit the caches; a block continues the sums where the last one left them in C, so
// each element adds its terms in the order of k whatever the blocks. The manner is that of Goto and van de Geijn 2008.

// biome-ignore-all format: one line is one step of the kernel

import type { FunctionBuilder, Local } from "../assembler.ts"
import { blockRows, panelDepth, type ResolvedMatmul, scratchLayout, TILE_COLUMNS, TILE_ROWS } from "./matmul-shape.ts"
import { emitAddProduct, emitMin, type MatmulSlice } from "./matmul-slice.ts"

/** What the loops of one slice share. */
interface Blocks extends MatmulSlice {
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

export function emitTiles(f: FunctionBuilder, shape: ResolvedMatmul, slice: MatmulSlice): void {
  f.scope(() => {
    const [k0, depth, row0, rowEnd, column] = f.locals("i32", 5)
    const blocks: Blocks = { ...slice, f, shape, layout: scratchLayout(shape), k0, depth, row0, rowEnd, column }
    f.forRange(k0, 0, shape.k, panelDepth(shape), () => {
      f.assign(depth, () => emitMin(f, panelDepth(shape), () => (f.i32.const(shape.k), f.local.get(k0), f.i32.sub())))
      f.forRange(row0, slice.rowStart, slice.rowStop, blockRows(shape), () => {
        f.assign(rowEnd, () => emitMin(f, slice.rowStop, () => f.address(row0, blockRows(shape))))
        if (shape.transposeA) emitPackA(blocks)
        emitPanels(blocks)
      })
    })
  })
}

/** All panels of the slice: whole ones, then the narrow one at the right edge. */
function emitPanels(blocks: Blocks): void {
  const { f, shape, column, columnStart, columnStop } = blocks
  const whole = shape.n - (shape.n % TILE_COLUMNS)
  f.forRange(column, columnStart, () => emitMin(f, whole, columnStop), TILE_COLUMNS, () => {
    emitPackB(blocks, TILE_COLUMNS)
    emitRows(blocks, TILE_COLUMNS)
  })
  if (whole === shape.n) return
  f.push(columnStop), f.i32.const(whole), f.i32.gtS()
  f.if(() => {
    f.assign(column, whole)
    emitPackB(blocks, shape.n - whole)
    emitRows(blocks, shape.n - whole)
  })
}

/** All row tiles of the block against one panel. */
function emitRows(blocks: Blocks, width: number): void {
  const { f, shape, row0, rowEnd } = blocks
  const whole = shape.m - (shape.m % TILE_ROWS)
  f.scope(() => {
    const row = f.local("i32")
    f.forRange(row, row0, () => emitMin(f, whole, rowEnd), TILE_ROWS, () => emitTile(blocks, row, TILE_ROWS, width))
    if (whole === shape.m) return
    f.local.get(rowEnd), f.i32.const(whole), f.i32.gtS()
    f.if(() => {
      f.assign(row, whole)
      emitTile(blocks, row, shape.m - whole, width)
    })
  })
}

/** One tile of C, at most 4 × 8, over the block's k: 2 loads of B, `height` of A and 2 · `height` multiply-adds per k. */
function emitTile(blocks: Blocks, row: Local, height: number, width: number): void {
  const { f, shape, layout, column, scratch } = blocks
  f.scope(() => {
    const [a, b, c, tile] = f.locals("i32", 4)
    const sums = Array.from({ length: height }, () => f.locals("v128", 2))
    f.assign(a, () => emitTileOfA(blocks, row))
    f.assign(b, () => f.address(scratch, layout.panel))
    f.assign(c, () => f.address(blocks.c, () => f.scaled(row, 4 * shape.rowStrideC), () => f.scaled(column, 4)))
    const narrow = width < TILE_COLUMNS
    if (narrow) f.assign(tile, () => f.address(scratch, layout.tile))
    const [at, stride] = narrow ? [tile, 4 * TILE_COLUMNS] : [c, 4 * shape.rowStrideC]
    emitLoadSums(blocks, sums, at, stride, () => narrow && emitCopyTile(f, { to: tile, toStride: stride, from: c, fromStride: 4 * shape.rowStrideC, height, width }))
    emitSums(blocks, sums, a, b)
    sums.forEach((pair, r) => pair.forEach((sum, h) => (f.local.get(at), f.local.get(sum), f.v128.store(r * stride + 16 * h))))
    if (narrow) emitCopyTile(f, { to: c, toStride: 4 * shape.rowStrideC, from: tile, fromStride: stride, height, width })
  })
}

/** Leaves the address of A's tile at `row`: in place, or its packed panel. */
function emitTileOfA({ f, shape, layout, a, scratch, k0, row0 }: Blocks, row: Local): void {
  if (!shape.transposeA) return f.address(a, () => f.scaled(row, 4 * shape.rowStrideA), () => f.scaled(k0, 4))
  const panel = () => (f.local.get(row), f.local.get(row0), f.i32.sub(), f.i32.const(2), f.i32.shrU())
  f.address(scratch, layout.packedA, () => f.scaled(panel, layout.packedPanelBytes))
}

/** Sums begin at 0 in the first block, else at what C holds. */
function emitLoadSums({ f, shape, k0 }: Blocks, sums: Local[][], at: Local, stride: number, prepare: () => void): void {
  const load = () => {
    prepare()
    sums.forEach((pair, r) => pair.forEach((sum, h) => (f.local.get(at), f.v128.load(r * stride + 16 * h), f.local.set(sum))))
  }
  const clear = () => sums.flat().forEach((sum) => (f.f32x4.const(0), f.local.set(sum)))
  if (shape.accumulate) return load()
  if (panelDepth(shape) >= shape.k) return clear()
  f.local.get(k0)
  f.if(load, clear)
}

/**
 * The loop over k, one step a turn: in a longer body V8 moves all loads before the sums and runs out of registers
 * (two steps a turn: half the speed, eight: a third).
 */
function emitSums({ f, shape, depth }: Blocks, sums: Local[][], a: Local, b: Local): void {
  f.forRange(b, b, () => f.address(b, () => f.scaled(depth, 4 * TILE_COLUMNS)), 4 * TILE_COLUMNS, () => {
    emitStep(f, shape, sums, a, b)
    f.increment(a, shape.transposeA ? 4 * TILE_ROWS : 4)
  })
}

/** One k: every sum of the tile takes its term. */
function emitStep(f: FunctionBuilder, shape: ResolvedMatmul, sums: Local[][], a: Local, b: Local): void {
  const bytesBetweenRows = shape.transposeA ? 4 : 4 * shape.rowStrideA
  f.scope(() => {
    const [left, right, factor] = f.locals("v128", 3)
    f.local.get(b), f.v128.load(), f.local.set(left)
    f.local.get(b), f.v128.load(16), f.local.set(right)
    sums.forEach(([sumLeft, sumRight], row) => {
      f.local.get(a), f.v128.load32Splat(row * bytesBetweenRows), f.local.set(factor)
      emitAddProduct(f, shape.fma, sumLeft, factor, left)
      emitAddProduct(f, shape.fma, sumRight, factor, right)
    })
  })
}

/** Copies the first `width` columns of `height` rows, float by float. Strides in bytes. */
function emitCopyTile(f: FunctionBuilder, copy: { to: Local; toStride: number; from: Local; fromStride: number; height: number; width: number }): void {
  for (let r = 0; r < copy.height; r++)
    for (let column = 0; column < copy.width; column++) {
      f.local.get(copy.to), f.local.get(copy.from)
      f.f32.load(r * copy.fromStride + 4 * column), f.f32.store(r * copy.toStride + 4 * column)
    }
}

/** Packs `width` columns of B at `column` as [depth][8], zeros to the right. */
function emitPackB(blocks: Blocks, width: number): void {
  const { f, shape, b, k0, column } = blocks
  const { rowStrideB, transposeB } = shape
  f.scope(() => {
    const from = f.local("i32")
    const [outer, inner] = transposeB ? [column, k0] : [k0, column]
    f.assign(from, () => f.address(b, () => f.scaled(outer, 4 * rowStrideB), () => f.scaled(inner, 4)))
    if (width < TILE_COLUMNS) emitPackNarrow(blocks, from, width)
    else if (transposeB) emitPackTransposed(blocks, from)
    else emitPackStraight(blocks, from)
  })
}

/** Eight columns of B [K, N]: two vectors a row. */
function emitPackStraight({ f, shape, scratch, layout, depth }: Blocks, from: Local): void {
  f.scope(() => {
    const [to, end] = f.locals("i32", 2)
    f.assign(end, () => f.address(scratch, layout.panel, () => f.scaled(depth, 4 * TILE_COLUMNS)))
    f.forRange(to, () => f.address(scratch, layout.panel), end, 4 * TILE_COLUMNS, () => {
      f.local.get(to), f.local.get(from), f.v128.load(), f.v128.store()
      f.local.get(to), f.local.get(from), f.v128.load(16), f.v128.store(16)
      f.increment(from, 4 * shape.rowStrideB)
    })
  })
}

/** Eight rows of B [N, K]: blocks of 4 × 4 turned over, the rest of k float by float. */
function emitPackTransposed({ f, shape, scratch, layout, depth }: Blocks, from: Local): void {
  f.scope(() => {
    const [to, end] = f.locals("i32", 2)
    const panelEnd = (steps: () => void) => f.address(scratch, layout.panel, () => f.scaled(steps, 4 * TILE_COLUMNS))
    f.assign(end, () => panelEnd(() => (f.local.get(depth), f.i32.const(-4), f.i32.and())))
    f.forRange(to, () => f.address(scratch, layout.panel), end, 16 * TILE_COLUMNS, () => {
      for (const half of [0, 1]) emitTurn(f, from, 16 * half * shape.rowStrideB, 4 * shape.rowStrideB, to, 16 * half)
      f.increment(from, 16)
    })
    if (shape.k % 4 === 0) return
    f.forRange(to, to, () => panelEnd(() => f.local.get(depth)), 4 * TILE_COLUMNS, () => {
      for (let column = 0; column < TILE_COLUMNS; column++)
        f.local.get(to), f.local.get(from), f.f32.load(4 * column * shape.rowStrideB), f.f32.store(4 * column)
      f.increment(from, 4)
    })
  })
}

/** Transposes a 4 × 4 block: rows `fromStride` apart become columns of rows 32 bytes apart. */
function emitTurn(f: FunctionBuilder, from: Local, offset: number, fromStride: number, to: Local, toOffset: number): void {
  f.scope(() => {
    const r = f.locals("v128", 4)
    const t = f.locals("v128", 4)
    r.forEach((row, i) => (f.local.get(from), f.v128.load(offset + i * fromStride), f.local.set(row)))
    const pick = (a: Local, b: Local, lanes: readonly [number, number, number, number]) => (f.local.get(a), f.local.get(b), f.i32x4.shuffle(...lanes))
    pick(r[0], r[1], [0, 4, 1, 5]), f.local.set(t[0])
    pick(r[2], r[3], [0, 4, 1, 5]), f.local.set(t[1])
    pick(r[0], r[1], [2, 6, 3, 7]), f.local.set(t[2])
    pick(r[2], r[3], [2, 6, 3, 7]), f.local.set(t[3])
    for (let i = 0; i < 4; i++) {
      f.local.get(to)
      pick(t[i < 2 ? 0 : 2], t[i < 2 ? 1 : 3], i % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7])
      f.v128.store(toOffset + i * 4 * TILE_COLUMNS)
    }
  })
}

/** The narrow panel: zeros first, then float by float. */
function emitPackNarrow({ f, shape, scratch, layout, depth }: Blocks, from: Local, width: number): void {
  const [step, across] = shape.transposeB ? [4, 4 * shape.rowStrideB] : [4 * shape.rowStrideB, 4]
  f.address(scratch, layout.panel), f.i32.const(0), f.scaled(depth, 4 * TILE_COLUMNS), f.memory.fill()
  f.scope(() => {
    const to = f.local("i32")
    const end = () => f.address(scratch, layout.panel, () => f.scaled(depth, 4 * TILE_COLUMNS))
    f.forRange(to, () => f.address(scratch, layout.panel), end, 4 * TILE_COLUMNS, () => {
      for (let column = 0; column < width; column++)
        f.local.get(to), f.local.get(from), f.f32.load(column * across), f.f32.store(4 * column)
      f.increment(from, step)
    })
  })
}

/** Packs the block's rows of A [K, M] as panels [depth][4]. Reads along rows of A, so each cache line is used whole. */
function emitPackA(blocks: Blocks): void {
  const { f, shape, layout, a, scratch, k0, depth, row0, rowEnd } = blocks
  const whole = shape.m - (shape.m % TILE_ROWS)
  f.scope(() => {
    const [k, from, to, row] = f.locals("i32", 4)
    f.forRange(k, 0, depth, 1, () => {
      f.assign(from, () => f.address(a, () => f.scaled(() => f.address(k0, k), 4 * shape.rowStrideA), () => f.scaled(row0, 4)))
      f.assign(to, () => f.address(scratch, layout.packedA, () => f.scaled(k, 4 * TILE_ROWS)))
      f.forRange(row, row0, () => emitMin(f, whole, rowEnd), TILE_ROWS, () => {
        f.local.get(to), f.local.get(from), f.v128.load(), f.v128.store()
        f.increment(from, 4 * TILE_ROWS), f.increment(to, layout.packedPanelBytes)
      })
      if (whole === shape.m) return
      f.local.get(rowEnd), f.i32.const(whole), f.i32.gtS()
      f.if(() => emitCopyTile(f, { to, toStride: 0, from, fromStride: 0, height: 1, width: shape.m - whole }))
    })
  })
}

