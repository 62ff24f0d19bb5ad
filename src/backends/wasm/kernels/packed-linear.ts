// Products with packed weights (tensor/panels.ts), read in place: no panel is ever packed at run time. One or two rows, as
// decoding makes them, read the weights once, straight forward, and are as fast as the memory; one row walks two panels far
// apart. More rows take a panel's next inputs into the first-level cache and bring all rows past it, on the register tile of
// every product. In all of them an element's terms are added one after the other in the order of k, so that a row has the
// same bits alone, in a batch and in a prompt.

// biome-ignore-all format: one line is one step of the kernel

import { PANEL_COLUMNS } from "../../../tensor/index.ts"
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { defineKernel, emitMin, emitNotNegative, emitSlice, emitStorePart, type LaneParams } from "./lane-slice.ts"
import { blockRows, panelDepth, rowTiles, type TileShape } from "./matmul-shape.ts"
import { emitAddProduct } from "./matmul-slice.ts"
import { registerTile } from "./register-tile.ts"

export interface PackedLinearShape {
  /** Rows of x. */
  readonly m: number
  /** Outputs. */
  readonly n: number
  /** Inputs. */
  readonly k: number
  /** How the weights are stored. */
  readonly dtype: "f32" | "f16"
  readonly fma: boolean
  /** Register tile of more than two rows; it never changes the bits. */
  readonly tile: TileShape
}

/** Rows of a thin tile: two of them and a panel's four vectors make 8 sums, and all fits the 16 registers V8 gives on Node 20. */
const THIN_ROWS = 2
/** Up to so many rows are limited by memory too: short blocks of inputs, so that the next one is on its way while this one is used. */
const FEW_ROWS = 16
const SHORT_BLOCK_DEPTH = 32

/** Sign, exponent and fraction of a half that was extended to 32 bits and moved up 13. */
const HALF_BITS = 0x8fffe000 | 0

const FLOAT_ROW_BYTES = 4 * PANEL_COLUMNS

/** One tile of rows needs no blocks: nothing is used twice, but that halves are better turned to floats once than for each row. */
const isThin = ({ m, dtype }: PackedLinearShape): boolean => m <= (dtype === "f32" ? THIN_ROWS : 1)
const blockDepth = (shape: PackedLinearShape): number => (isThin(shape) ? shape.k : shape.m <= FEW_ROWS ? Math.min(shape.k, SHORT_BLOCK_DEPTH) : panelDepth(shape))
/** One row of floats is limited by memory, which gives two streams faster than one; halves by what it takes to convert them. */
const walksPairs = ({ m, dtype }: PackedLinearShape): boolean => m === 1 && dtype === "f32"
/** Thin products turn halves to floats in registers, others a block at a time, in scratch. */
const expandsBlocks = (shape: PackedLinearShape): boolean => shape.dtype === "f16" && !isThin(shape)

/** Scratch of one lane. */
export const packedLinearScratchBytes = (shape: PackedLinearShape): number => expandsBlocks(shape) ? FLOAT_ROW_BYTES * blockDepth(shape) : 0

/** `(x [m, k], panels [⌈n/16⌉, k, 16], y [m, n])`: `y = x · Wᵀ`. Lanes share the panels. */
export function emitPackedLinear(module: ModuleBuilder, shape: PackedLinearShape): FunctionHandle {
  const { m, n, k, dtype } = shape
  return defineKernel(module, `packedLinear ${m}x${n}x${k} ${dtype}`, 3, (f, [x, panels, y], lane) => {
    if (m * n === 0) return
    const [panel, row, start, end, whole] = f.locals("i32", 5)
    emitSlice(f, lane, Math.ceil(n / PANEL_COLUMNS), start, end)
    f.assign(whole, () => emitMin(f, Math.floor(n / PANEL_COLUMNS), end))
    const all = { f, module, shape, x, panels, y, lane, panel, row, mask: f.local("v128") }
    f.i32.const(HALF_BITS), f.i32x4.splat(), f.local.set(all.mask)
    f.forRange(row, 0, m, blockRows(shape), () => {
      f.assign(panel, start)
      if (walksPairs(shape)) emitPairs(all, whole)
      f.forRange(panel, panel, whole, 1, () => emitPanel(all, PANEL_COLUMNS))
      if (n % PANEL_COLUMNS === 0) return
      f.local.get(panel), f.local.get(end), f.i32.ltS()
      f.if(() => emitPanel(all, n % PANEL_COLUMNS))
    })
  })
}

/** Panels from `panel` up to `whole` two by two, the first half beside the second; what is left over is less than a pair. */
function emitPairs(panels: Panels, whole: Local): void {
  const { f, panel } = panels
  f.scope(() => {
    const [distance, stop] = f.locals("i32", 2)
    f.assign(distance, () => (f.local.get(whole), f.local.get(panel), f.i32.sub()))
    emitNotNegative(f, distance), f.i32.const(1), f.i32.shrU(), f.local.set(distance)
    f.assign(stop, () => f.address(panel, distance))
    f.forRange(panel, panel, stop, 1, () => emitPanel({ ...panels, distance }, PANEL_COLUMNS))
    f.increment(panel, distance)
  })
}

/** What the loops of a lane share. */
interface Panels {
  readonly f: FunctionBuilder
  readonly module: ModuleBuilder
  readonly shape: PackedLinearShape
  readonly x: Local
  readonly panels: Local
  readonly y: Local
  readonly lane: LaneParams
  /** Number of the panel under way. */
  readonly panel: Local
  /** How many panels further the second one lies, where two are walked at once. */
  readonly distance?: Local
  /** {@link HALF_BITS} in every lane: a constant in the loop is made anew each time. */
  readonly mask: Local
  /** First row of x under way. */
  readonly row: Local
}

/** The part of a panel that meets the rows next. */
interface Block extends Panels {
  /** Outputs of the panel. */
  readonly width: number
  /** First input, and how many. */
  readonly k0: Local
  readonly depth: Local
  /** Where their rows of 16 begin and end. */
  readonly weights: Local
  readonly weightsEnd: Local
  readonly dtype: "f32" | "f16"
}

const rowBytes = (dtype: "f32" | "f16"): number => (dtype === "f16" ? FLOAT_ROW_BYTES / 2 : FLOAT_ROW_BYTES)

/** All rows against one panel. */
function emitPanel(panels: Panels, width: number): void {
  const { f, shape, lane } = panels
  f.scope(() => {
    const [k0, depth, weights, weightsEnd] = f.locals("i32", 4)
    const block = { ...panels, width, k0, depth, weights, weightsEnd, dtype: expandsBlocks(shape) ? ("f32" as const) : shape.dtype }
    const most = blockDepth(shape)
    f.forRange(k0, 0, Math.max(shape.k, 1), Math.max(most, 1), () => {
      f.assign(depth, () => emitMin(f, most, () => (f.i32.const(shape.k), f.local.get(k0), f.i32.sub())))
      f.assign(weights, () => f.address(panels.panels, () => f.scaled(() => f.address(() => f.scaled(panels.panel, shape.k), k0), rowBytes(shape.dtype))))
      f.assign(weightsEnd, () => f.address(weights, () => f.scaled(depth, rowBytes(shape.dtype))))
      if (expandsBlocks(shape)) emitExpand(block, lane.scratch)
      emitRows(block)
    })
  })
}

/** Halves `[from, to)` become floats in scratch, and the block is there. */
function emitExpand({ f, mask, weights, weightsEnd }: Block, scratch: Local): void {
  f.scope(() => {
    const [to, scale] = [f.local("i32"), f.local("v128")]
    f.f32.const(2 ** 112), f.f32x4.splat(), f.local.set(scale)
    f.assign(to, scratch)
    f.forRange(weights, weights, weightsEnd, 2 * PANEL_COLUMNS, () => {
      for (let v = 0; v < PANEL_COLUMNS / 4; v++)
        f.local.get(to), emitLoadHalves(f, mask, weights, 8 * v), f.local.get(scale), f.f32x4.mul(), f.v128.store(16 * v)
      f.increment(to, FLOAT_ROW_BYTES)
    })
    f.assign(weights, scratch), f.assign(weightsEnd, to)
  })
}

/**
 * Leaves four halves as floats 2^112 times too small: sign, exponent and fraction moved to where a float has them, whose
 * exponents count from another zero. Right for subnormal halves too; there are no infinities (backends/feed.ts).
 */
function emitLoadHalves(f: FunctionBuilder, mask: Local, address: Local, offset: number): void {
  f.local.get(address), f.v128.load16x4S(offset), f.i32.const(13), f.i32x4.shl(), f.local.get(mask), f.v128.and()
}

/** The rows from `row` on that share a block, against it. */
function emitRows(block: Block): void {
  const { f, shape, x, y, k0, panel, row } = block
  const height = tileRows(block)
  const { whole, tail } = rowTiles({ m: shape.m, tile: { rows: height } })
  f.scope(() => {
    const [a, c, r, end] = f.locals("i32", 4)
    const tile = (rows: number) => {
      f.assign(a, () => f.address(x, () => f.scaled(r, 4 * shape.k), () => f.scaled(k0, 4)))
      f.assign(c, () => f.address(y, () => f.scaled(r, 4 * shape.n), () => f.scaled(panel, FLOAT_ROW_BYTES)))
      if (height === THIN_ROWS) emitTile(block, a, c, rows)
      else emitRegisterTiles(block, a, c, rows)
    }
    f.assign(end, () => f.address(row, blockRows(shape)))
    f.forRange(r, row, () => emitMin(f, end, whole * height), height, () => tile(height))
    for (const { at, rows } of tail) {
      f.local.get(row), f.i32.const(at), f.i32.leS(), f.local.get(end), f.i32.const(at), f.i32.gtS(), f.i32.and()
      f.if(() => (f.assign(r, at), tile(rows)))
    }
  })
}

/**
 * A panel serves the register tile in place, one of 8 columns twice. Thin tiles are left for the narrow panel at the edge, and
 * for few rows where 128 bits are all: the loads of their longer steps hide the memory's delay (6 rows: 45 for 36 GFLOP/s).
 */
function tileRows({ shape: { m, tile }, width }: Block): number {
  const thin = width < PANEL_COLUMNS || m <= (tile.columns === PANEL_COLUMNS ? THIN_ROWS : FEW_ROWS)
  return thin ? THIN_ROWS : tile.rows
}

function emitRegisterTiles({ f, module, shape: { n, k, fma, tile }, k0, weights, depth }: Block, x: Local, y: Local, rows: number): void {
  const kernel = registerTile(module, { rows, vectors: tile.columns / 4, aRow: 4 * k, aStep: 4, bStep: FLOAT_ROW_BYTES, cRow: 4 * n, fma })
  for (let offset = 0; offset < FLOAT_ROW_BYTES; offset += 4 * tile.columns) {
    f.local.get(x), f.address(weights, offset), f.address(y, offset), f.local.get(depth), f.local.get(k0)
    f.call(kernel)
  }
}

/** `y[rows, panel] += x[rows, block] · block`, from 0 in the first block; of both panels where two are walked. */
function emitTile(block: Block, x: Local, y: Local, rows: number): void {
  const { f, shape: { n, k }, width, k0, weights, weightsEnd, dtype, distance } = block
  f.scope(() => {
    const a = f.local("i32")
    const columns = Array.from({ length: distance ? 2 : 1 }, () => ({ b: f.local("i32"), y: f.local("i32"), sums: sumsOf(block, rows) }))
    for (const [which, { b, y: target }] of columns.entries()) {
      const further = (bytes: number) => () => which === 0 ? f.i32.const(0) : f.scaled(distance!, bytes)
      f.assign(b, () => f.address(weights, further(rowBytes(dtype) * k)))
      f.assign(target, () => f.address(y, further(FLOAT_ROW_BYTES)))
    }
    const each = (visit: (sum: Local, y: Local, offset: number, vector: number) => void) =>
      columns.forEach((of) => of.sums.forEach((row, r) => row.forEach((sum, v) => visit(sum, of.y, 4 * n * r + 16 * v, v))))
    const clear = () => each((sum) => (f.f32x4.const(0), f.local.set(sum)))
    const load = () => each((sum, target, offset) => (f.local.get(target), f.v128.load(offset), f.local.set(sum)))
    if (blockDepth(block.shape) === k) clear()
    else f.push(k0), f.if(load, clear)
    f.assign(a, x)
    const [first, second] = columns
    if (k > 0) f.forRange(first.b, first.b, weightsEnd, rowBytes(dtype), () => {
      emitStep(block, columns, a)
      f.increment(a, 4)
      if (second) f.increment(second.b, rowBytes(dtype))
    })
    each((sum, target, offset, v) => {
      if (dtype === "f16") f.local.get(sum), f.f32x4.const(2 ** 56), f.f32x4.mul(), f.local.set(sum)
      emitStorePart(f, target, sum, Math.min(4, width - 4 * v), offset)
    })
  })
}

/** The part of a tile that belongs to one panel: its weights, and a sum for each row and vector. */
interface Columns {
  readonly b: Local
  readonly sums: readonly (readonly Local[])[]
}

const sumsOf = ({ f, width }: Block, rows: number): Local[][] => Array.from({ length: rows }, () => f.locals("v128", Math.ceil(width / 4)))

/**
 * One input: every sum of the tile takes its term. Halves come 2^112 times too small; x is made 2^56 times larger here and the
 * sum there: powers of two change no bit of terms above 2^-70, and nothing overflows with x below 2^72.
 */
function emitStep({ f, shape: { k, fma }, dtype, mask }: Block, columns: readonly Columns[], a: Local): void {
  f.scope(() => {
    const weight = f.local("v128")
    const factors = f.locals("v128", columns[0].sums.length)
    factors.forEach((factor, r) => {
      f.local.get(a), f.v128.load32Splat(4 * k * r)
      if (dtype === "f16") f.f32x4.const(2 ** 56), f.f32x4.mul()
      f.local.set(factor)
    })
    for (const { b, sums } of columns)
      sums[0].forEach((_, v) => {
        if (dtype === "f16") emitLoadHalves(f, mask, b, 8 * v)
        else f.local.get(b), f.v128.load(16 * v)
        f.local.set(weight)
        sums.forEach((row, r) => emitAddProduct(f, fma, row[v], factors[r], weight))
      })
  })
}
