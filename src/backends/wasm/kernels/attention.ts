// Attention, forward. Lanes share strips: a few query rows of one key/value head (all the heads of its group count as rows).
// A strip's scores stay in the lane's scratch, one row of them a key; keys that no row of the strip sees are never read.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp, emitLog } from "../vector-math.ts"
import { emitAttentionOfOneRow, oneRowScratchBytes } from "./attention-decode.ts"
import {
  type AttentionShape,
  emitForKeyTiles,
  emitGatherColumns,
  emitHeadAddress,
  emitRowTable,
  emitVisible,
  emitWeightedRows,
  emitZero,
  type RowTable,
  rowsOf,
  stripOf,
  tileBytes,
  type UnitLocals,
} from "./attention-tile.ts"
import { defineKernel, emitDivide, emitForUnits, VECTOR_BYTES } from "./lane-slice.ts"
import { registerTile } from "./register-tile.ts"

export type { AttentionShape } from "./attention-tile.ts"

/** Below every finite score; keeps a row without keys at sum 0 instead of NaN. */
const LOWEST = -3.4e38

/** Addresses in a lane's scratch. */
function layOut(shape: AttentionShape) {
  const W = stripOf(shape)
  const table: RowTable = { offset: 0, statistic: 4 * W, visible: 8 * W, length: W }
  const factors = 12 * W
  const queries = 16 * W
  const tile = queries + 4 * W * shape.D
  const scores = tile + tileBytes(shape)
  return { W, table, factors, queries, tile, scores, bytes: scores + 4 * W * shape.S }
}

/** Scratch of one lane. */
export function attentionScratchBytes(shape: AttentionShape): number {
  return shape.T === 1 ? oneRowScratchBytes(shape) : layOut(shape).bytes
}

/**
 * `(q [B, T, H, D], k [B, S, K, D], v [B, S, K, D], position i32 [B], o [B, T, H, D], logSumExp [B, H, T])`:
 * `o = softmax(scale · q·kᵀ) · v`; with `causal` query t sees keys 0 .. position + t. A query that sees none gets zeros and
 * -Infinity.
 */
export function emitAttention(module: ModuleBuilder, shape: AttentionShape, options: { fma: boolean }): FunctionHandle {
  if (shape.T === 1) return emitAttentionOfOneRow(module, shape, options)
  const { B, T, H, D, S, K } = shape
  const { W, table, queries } = layOut(shape)
  const strips = Math.ceil(rowsOf(shape) / W)
  return defineKernel(module, `attention ${B}x${T}x${H}x${D} of ${S}x${K}`, 6, (f, tensors, lane) => {
    const [q, k, v, position, o, logSumExp] = tensors
    const { scratch } = lane
    const [b, head, row, start, keys, values, end, all] = f.locals("i32", 8)
    const at: UnitLocals = { b, head, row, position: start }
    emitForUnits(f, lane, B * K * strips, (unit) => {
      emitDivide(f, unit, strips, head, row), f.scaled(row, W), f.local.set(row)
      emitDivide(f, head, K, b, head), f.scaled(head, H / K), f.local.set(head)
      f.address(position, () => f.scaled(b, 4)), f.i32.load(), f.local.set(start)
      emitHeadAddress(f, shape, k, at, keys), emitHeadAddress(f, shape, v, at, values)
      emitRowTable(f, shape, table, scratch, at)
      emitVisible(f, shape, table, { scratch, row, first: 0, count: W }, { end, all })
      emitGatherColumns(f, D, table, scratch, { source: q, columns: queries, factor: shape.scale })
      const strip = { module, shape, scratch, keys, end, all, row, fma: options.fma }
      emitScores(f, strip)
      emitSoftmax(f, strip, logSumExp)
      emitOutput(f, strip, values, o)
    })
  })
}

interface Strip {
  readonly module: ModuleBuilder
  readonly shape: AttentionShape
  readonly scratch: Local
  readonly keys: Local
  readonly end: Local
  readonly all: Local
  readonly row: Local
  readonly fma: boolean
}

/** `scores[s][r] = scale · q[r] · k[s]`, -Infinity where row r does not see key s. */
function emitScores(f: FunctionBuilder, { module, shape, scratch, keys, end, all, fma }: Strip): void {
  const { W, table, queries, scores } = layOut(shape)
  const rowBytes = 4 * shape.K * shape.D
  f.scope(() => {
    const [a, s] = f.locals("i32", 2)
    emitForKeyTiles(f, shape.S, end, (first, rows) => {
      f.address(keys, () => f.scaled(first, rowBytes)), f.address(scratch, queries)
      f.address(scratch, () => f.scaled(first, 4 * W), scores), f.i32.const(shape.D), f.i32.const(0)
      const pitch = 4 * W
      f.call(registerTile(module, { rows, vectors: W / 4, aRow: rowBytes, aStep: 4, bStep: pitch, cRow: pitch, fma }))
    })
    f.forRange(s, all, end, 1, () => {
      f.address(scratch, () => f.scaled(s, 4 * W)), f.local.set(a)
      for (let n = 0; n < W / 4; n++) {
        f.local.get(a), f.local.get(a), f.v128.load(scores + VECTOR_BYTES * n), f.f32x4.const(-Infinity)
        f.local.get(s),
          f.i32x4.splat(),
          f.local.get(scratch),
          f.v128.load(table.visible + VECTOR_BYTES * n),
          f.i32x4.ltS()
        f.v128.bitselect(), f.v128.store(scores + VECTOR_BYTES * n)
      }
    })
  })
}

/** Scores become `e^(score - max)`, the factors 1 / Σ of them; `logSumExp = max + ln Σ`. */
function emitSoftmax(f: FunctionBuilder, { shape, scratch, end, row, fma }: Strip, logSumExp: Local): void {
  const { W, table, factors, scores } = layOut(shape)
  f.scope(() => {
    const [at, stop] = f.locals("i32", 2)
    const value = f.local("v128")
    const [largest, total, terms] = [f.locals("v128", W / 4), f.locals("v128", W / 4), f.locals("v128", W / 4)]
    const forKeys = (body: (n: number) => void) =>
      f.forRange(at, scratch, stop, 4 * W, () => largest.forEach((_, n) => void body(n)))
    f.address(scratch, () => f.scaled(end, 4 * W)), f.local.set(stop)
    for (const vector of largest) f.f32x4.const(LOWEST), f.local.set(vector)
    emitZero(f, total)
    forKeys((n) => {
      f.local.get(largest[n]),
        f.local.get(at),
        f.v128.load(scores + VECTOR_BYTES * n),
        f.f32x4.pmax(),
        f.local.set(largest[n])
    })
    // terms are stored when all are computed: V8 pairs vectors only where no load stands between their stores
    f.forRange(at, scratch, stop, 4 * W, () => {
      for (const [n, term] of terms.entries()) {
        f.local.get(at),
          f.v128.load(scores + VECTOR_BYTES * n),
          f.local.get(largest[n]),
          f.f32x4.sub(),
          f.local.set(value)
        emitExp(f, value, fma), f.local.set(term)
        f.local.get(total[n]), f.local.get(term), f.f32x4.add(), f.local.set(total[n])
      }
      for (const [n, term] of terms.entries())
        f.local.get(at), f.local.get(term), f.v128.store(scores + VECTOR_BYTES * n)
      f.forget([value, ...terms])
    })
    for (const [n, sum] of total.entries()) {
      f.local.get(scratch)
      f.f32x4.const(1), f.local.get(sum), f.f32x4.div()
      f.local.get(sum), f.f32x4.const(0), f.f32x4.eq(), f.v128.andnot(), f.v128.store(factors + VECTOR_BYTES * n)
      emitLog(f, sum, fma), f.local.get(largest[n]), f.f32x4.add(), f.local.set(value)
      for (let i = 0; i < 4; i++) emitStoreStatistic(f, { shape, table, scratch, row, logSumExp, value }, 4 * n + i)
    }
  })
}

/** Stores lane `index % 4` of `value` as the statistic of row `index` of the table, if there is one. */
function emitStoreStatistic(
  f: FunctionBuilder,
  of: { shape: AttentionShape; table: RowTable; scratch: Local; row: Local; logSumExp: Local; value: Local },
  index: number,
): void {
  f.address(of.row, index), f.i32.const(rowsOf(of.shape)), f.i32.ltS()
  f.if(() => {
    f.address(of.logSumExp, () => (f.local.get(of.scratch), f.i32.load(of.table.statistic + 4 * index)))
    f.local.get(of.value), f.v128.store32Lane(index % 4)
  })
}

/** `o[r] = factors[r] · Σ_s scores[s][r] · v[s]`. */
function emitOutput(
  f: FunctionBuilder,
  { module, shape, scratch, end, row, fma }: Strip,
  values: Local,
  o: Local,
): void {
  const { W, table, factors, tile, scores } = layOut(shape)
  const finish = (slot: Local, vector: Local) => (
    f.local.get(vector), f.local.get(slot), f.v128.load32Splat(factors), f.f32x4.mul(), f.local.set(vector)
  )
  emitWeightedRows(module, f, shape, table, {
    scratch,
    row,
    first: 0,
    count: W,
    end,
    weights: scores,
    tile,
    x: values,
    y: o,
    fma,
    finish,
  })
}
