// Attention, backward. Lanes share the key/value heads, so that one lane adds up all the rows that touch a key, block of
// rows after block of rows. A block's probabilities are computed again from logSumExp and stay in the lane's scratch.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp } from "../vector-math.ts"
import {
  type AttentionShape,
  columnsOf,
  emitForColumns,
  emitForKeyTiles,
  emitGatherColumns,
  emitHeadAddress,
  emitRowTable,
  emitTileOfRows,
  emitVisible,
  emitWeightedRows,
  emitZero,
  type RowTable,
  rowsOf,
  stripOf,
  tileBytes,
  type UnitLocals,
} from "./attention-tile.ts"
import {
  defineKernel,
  emitCopyRow,
  emitDivide,
  emitForUnits,
  emitLoadPart,
  emitMin,
  emitNotNegative,
  emitSumOfLanes,
  VECTOR_BYTES,
} from "./lane-slice.ts"
import { registerTile } from "./register-tile.ts"

/** Probabilities and their gradients of a block should stay in the second-level cache. */
const BLOCK_BYTES = 256 * 1024
const MOST_STRIPS = 4

/** Addresses in a lane's scratch; R rows make a block, of whole strips of W. */
function layOut(shape: AttentionShape) {
  const W = stripOf(shape)
  const { D, S } = shape
  const fitting = Math.floor(BLOCK_BYTES / (8 * W * Math.max(S, 1)))
  const R = W * Math.max(1, Math.min(fitting, MOST_STRIPS, Math.ceil(rowsOf(shape) / W)))
  const table: RowTable = { offset: 0, statistic: 4 * R, visible: 8 * R, length: R }
  const [logSumExp, delta] = [12 * R, 16 * R]
  const pitch = VECTOR_BYTES * Math.ceil(D / 4)
  const queries = 20 * R
  const queryRows = queries + 4 * R * D
  const outputs = queryRows + R * pitch
  const outputRows = outputs + 4 * R * D
  const weights = outputRows + R * pitch
  const dScores = weights + 4 * R * S
  const tile = dScores + 4 * R * S
  return {
    W,
    R,
    table,
    logSumExp,
    delta,
    pitch,
    queries,
    queryRows,
    outputs,
    outputRows,
    weights,
    dScores,
    tile,
    bytes: tile + tileBytes(shape),
  }
}

/** Scratch of one lane. */
export const attentionGradScratchBytes = (shape: AttentionShape): number => layOut(shape).bytes

interface Block {
  readonly module: ModuleBuilder
  readonly shape: AttentionShape
  readonly scratch: Local
  /** First key and value of the head, and where their gradients go. */
  readonly keys: Local
  readonly values: Local
  readonly dKeys: Local
  readonly dValues: Local
  readonly dQ: Local
  readonly at: UnitLocals
  readonly fma: boolean
}

/**
 * `(q, k, v, position, o, logSumExp, dO, dQ, dK, dV)`, shapes as in the forward kernel:
 * `dV = Pᵀ·dO`, `dS = scale · P∘(dO·Vᵀ - Σ dO∘o)`, `dQ = dS·K`, `dK = dSᵀ·Q`.
 */
export function emitAttentionGrad(
  module: ModuleBuilder,
  shape: AttentionShape,
  options: { fma: boolean },
): FunctionHandle {
  const { B, T, H, D, S, K } = shape
  const { R } = layOut(shape)
  return defineKernel(module, `attentionGrad ${B}x${T}x${H}x${D} of ${S}x${K}`, 10, (f, tensors, lane) => {
    const [q, k, v, position, o, logSumExp, dO, dQ, dK, dV] = tensors
    const { scratch } = lane
    const [b, head, row, start, keys, values, dKeys, dValues] = f.locals("i32", 8)
    const at: UnitLocals = { b, head, row, position: start }
    const block: Block = { module, shape, scratch, keys, values, dKeys, dValues, dQ, at, fma: options.fma }
    emitForUnits(f, lane, B * K, (unit) => {
      emitDivide(f, unit, K, b, head), f.scaled(head, H / K), f.local.set(head)
      f.address(position, () => f.scaled(b, 4)), f.i32.load(), f.local.set(start)
      const heads = [
        [k, keys],
        [v, values],
        [dK, dKeys],
        [dV, dValues],
      ] as const
      for (const [tensor, target] of heads) emitHeadAddress(f, shape, tensor, at, target)
      emitClearHead(f, shape, dKeys), emitClearHead(f, shape, dValues)
      f.forRange(row, 0, rowsOf(shape), R, () => {
        emitBlockRows(f, block, { q, o, logSumExp, dO })
        emitForStrips(f, block, (first, end, all) => {
          const { table, W, dScores, tile, queries, outputs, weights } = layOut(shape)
          emitStripTiles(f, block, { x: keys, columns: queries, first, end, target: weights })
          emitStripTiles(f, block, { x: values, columns: outputs, first, end, target: dScores })
          emitScoreGradients(f, block, first, end, all)
          const rows = { scratch, row, first, count: W, end, weights: dScores, tile, x: keys, y: dQ, fma: options.fma }
          emitWeightedRows(module, f, shape, table, rows)
        })
        emitKeyGradients(f, block)
      })
    })
  })
}

/** Zeros in the S rows of one key/value head. */
function emitClearHead(f: FunctionBuilder, { S, K, D }: AttentionShape, head: Local): void {
  f.scope(() => {
    const [s, to] = f.locals("i32", 2)
    f.assign(to, head)
    f.forRange(s, 0, S, 1, () => (emitCopyRow(f, to, undefined, D), f.increment(to, 4 * K * D)))
  })
}

/** Lays out what the block needs of its rows: where they are, logSumExp, delta, q and dO as rows and as columns. */
function emitBlockRows(
  f: FunctionBuilder,
  block: Block,
  of: { q: Local; o: Local; logSumExp: Local; dO: Local },
): void {
  const { shape, scratch, at } = block
  const { R, table, logSumExp, delta, queries, queryRows, outputs, outputRows } = layOut(shape)
  emitRowTable(f, shape, table, scratch, at)
  f.scope(() => {
    const [i, slot, a, b] = f.locals("i32", 4)
    f.forRange(i, 0, R, 1, () => {
      f.address(scratch, () => f.scaled(i, 4)), f.local.tee(slot)
      f.address(of.logSumExp, () => (f.local.get(slot), f.i32.load(table.statistic))),
        f.f32.load(),
        f.f32.store(logSumExp)
      f.address(of.dO, () => (f.local.get(slot), f.i32.load(table.offset))), f.local.set(a)
      f.address(of.o, () => (f.local.get(slot), f.i32.load(table.offset))), f.local.set(b)
      f.local.get(slot), emitDot(f, a, b, shape.D), f.f32.store(delta)
    })
  })
  emitGatherColumns(f, shape.D, table, scratch, {
    source: of.q,
    columns: queries,
    copy: queryRows,
    factor: shape.scale,
  })
  emitGatherColumns(f, shape.D, table, scratch, { source: of.dO, columns: outputs, copy: outputRows })
}

/** Leaves `Σ a·b` over `length` floats. */
function emitDot(f: FunctionBuilder, a: Local, b: Local, length: number): void {
  f.scope(() => {
    const [atA, atB] = f.locals("i32", 2)
    const [x, y, sum] = f.locals("v128", 3)
    emitZero(f, [sum])
    emitForColumns(f, length, 1, (offset, [count]) => {
      f.address(a, offset), f.local.set(atA), f.address(b, offset), f.local.set(atB)
      emitLoadPart(f, x, atA, count), emitLoadPart(f, y, atB, count)
      f.local.get(x), f.local.get(y), f.f32x4.mul(), f.local.get(sum), f.f32x4.add(), f.local.set(sum)
    })
    emitSumOfLanes(f, sum)
  })
}

/** Rows of the block rounded up to whole strips. */
function emitRowCount(f: FunctionBuilder, { shape, at }: Block, target: Local): void {
  const { W, R } = layOut(shape)
  f.i32.const(rowsOf(shape) + W - 1),
    f.local.get(at.row),
    f.i32.sub(),
    f.i32.const(-W),
    f.i32.and(),
    f.local.set(target)
  emitMin(f, target, () => f.i32.const(R)), f.local.set(target)
}

/** Calls `body` for the strips of the block, with the keys that some row and that every row of the strip sees. */
function emitForStrips(f: FunctionBuilder, block: Block, body: (first: Local, end: Local, all: Local) => void): void {
  const { shape, scratch, at } = block
  const { W, table } = layOut(shape)
  f.scope(() => {
    const [first, count, end, all] = f.locals("i32", 4)
    emitRowCount(f, block, count)
    f.forRange(first, 0, count, W, () => {
      emitVisible(f, shape, table, { scratch, row: at.row, first, count: W }, { end, all })
      body(first, end, all)
    })
  })
}

/** `target[s][r] = x[s] · columns[r]`: the head's rows `x` against a strip's columns. */
function emitStripTiles(
  f: FunctionBuilder,
  { module, shape, scratch, fma }: Block,
  of: { x: Local; columns: number; first: Local; end: Local; target: number },
): void {
  const { W, R } = layOut(shape)
  const [aRow, pitch] = [4 * shape.K * shape.D, 4 * R]
  f.scope(() => {
    const strip = f.local("i32")
    f.address(scratch, () => f.scaled(of.first, 4)), f.local.set(strip)
    emitForKeyTiles(f, shape.S, of.end, (key, rows) => {
      f.address(of.x, () => f.scaled(key, aRow)), f.address(strip, of.columns)
      f.address(strip, () => f.scaled(key, pitch), of.target), f.i32.const(shape.D), f.i32.const(0)
      f.call(registerTile(module, { rows, vectors: W / 4, aRow, aStep: 4, bStep: pitch, cRow: pitch, fma }))
    })
  })
}

/**
 * From products to gradients, in place: `weights[s][r] = e^(weights - logSumExp[r])`, 0 where row r does not see key s, and
 * `dScores[s][r] = scale · weights · (dScores - delta[r])`.
 */
function emitScoreGradients(
  f: FunctionBuilder,
  { shape, scratch, fma }: Block,
  first: Local,
  end: Local,
  all: Local,
): void {
  const { W, R, table, logSumExp, delta, weights, dScores } = layOut(shape)
  f.scope(() => {
    const [s, at, strip, stop] = f.locals("i32", 4)
    const [value, seen] = f.locals("v128", 2)
    const [p, dS] = [f.locals("v128", W / 4), f.locals("v128", W / 4)]
    const rowOf = (array: number, n: number) => (f.local.get(strip), f.v128.load(array + VECTOR_BYTES * n))
    const compute = (n: number, masked: boolean) => {
      f.local.get(at), f.v128.load(weights + VECTOR_BYTES * n), rowOf(logSumExp, n), f.f32x4.sub(), f.local.set(value)
      emitExp(f, value, fma)
      if (masked) f.local.get(seen), rowOf(table.visible, n), f.i32x4.ltS(), f.v128.and()
      f.local.set(p[n])
      f.local.get(at), f.v128.load(dScores + VECTOR_BYTES * n), rowOf(delta, n), f.f32x4.sub()
      f.f32x4.const(shape.scale), f.f32x4.mul(), f.local.get(p[n]), f.f32x4.mul(), f.local.set(dS[n])
    }
    const forKeys = (from: Local | number, to: Local, masked: boolean) =>
      f.forRange(s, from, to, 1, () => {
        f.address(strip, () => f.scaled(s, 4 * R)), f.local.set(at)
        if (masked) f.local.get(s), f.i32x4.splat(), f.local.set(seen)
        for (let n = 0; n < W / 4; n++) compute(n, masked)
        // stored when all are computed: V8 pairs vectors only where no load stands between their stores
        for (let n = 0; n < W / 4; n++) f.local.get(at), f.local.get(p[n]), f.v128.store(weights + VECTOR_BYTES * n)
        for (let n = 0; n < W / 4; n++) f.local.get(at), f.local.get(dS[n]), f.v128.store(dScores + VECTOR_BYTES * n)
        f.forget([value, seen, ...p, ...dS])
      })
    f.address(scratch, () => f.scaled(first, 4)), f.local.set(strip)
    emitComputedKeys(f, shape, end, stop)
    forKeys(0, all, false)
    forKeys(all, stop, true)
  })
}

/** Sets `target` to the keys that tiles up to `end` have computed. */
function emitComputedKeys(f: FunctionBuilder, { S }: AttentionShape, end: Local, target: Local): void {
  f.address(end, 3), f.i32.const(-4), f.i32.and(), f.local.set(target)
  emitMin(f, target, () => f.i32.const(S)), f.local.set(target)
}

/** `dV += weights · dO` and `dK += dScores · q`, for the keys that the block's rows see. */
function emitKeyGradients(f: FunctionBuilder, block: Block): void {
  const { shape, scratch, at, dKeys, dValues } = block
  const { R, table, weights, dScores, queryRows, outputRows } = layOut(shape)
  f.scope(() => {
    const [end, all, from, steps] = f.locals("i32", 4)
    emitVisible(f, shape, table, { scratch, row: at.row, first: 0, count: R }, { end, all })
    emitForKeyTiles(f, shape.S, end, (key, keys) => {
      emitFirstRow(f, block, key, from)
      emitRowCount(f, block, steps)
      f.local.get(steps), f.local.get(from), f.i32.sub(), f.local.set(steps)
      emitAddToKeys(f, block, { key, keys, from, steps, factors: weights, rows: outputRows, target: dValues })
      emitAddToKeys(f, block, { key, keys, from, steps, factors: dScores, rows: queryRows, target: dKeys })
    })
  })
}

/** The first row of the first strip that sees `key`: row r sees keys up to position + r / G. */
function emitFirstRow(f: FunctionBuilder, { shape, at }: Block, key: Local, target: Local): void {
  if (!shape.causal) return f.assign(target, 0)
  f.scaled(() => (f.local.get(key), f.local.get(at.position), f.i32.sub()), shape.H / shape.K)
  f.local.get(at.row), f.i32.sub(), f.local.set(target)
  emitNotNegative(f, target), f.i32.const(-stripOf(shape)), f.i32.and(), f.local.set(target)
}

interface KeySum {
  readonly key: Local
  readonly keys: number
  /** First row of the block that counts, and how many from there. */
  readonly from: Local
  readonly steps: Local
  /** In scratch: factors `[S][R]`, rows `[R][D]`. */
  readonly factors: number
  readonly rows: number
  readonly target: Local
}

/** `target[key + i] += Σ_r factors[key + i][r] · rows[r]`. */
function emitAddToKeys(f: FunctionBuilder, { module, shape, scratch, fma }: Block, of: KeySum): void {
  const { R, pitch, tile } = layOut(shape)
  const rowBytes = 4 * shape.K * shape.D
  f.scope(() => {
    const [a, b, target, aside] = f.locals("i32", 4)
    f.address(scratch, tile), f.local.set(aside)
    f.address(
      scratch,
      () => f.scaled(of.key, 4 * R),
      () => f.scaled(of.from, 4),
      of.factors,
    ),
      f.local.set(a)
    emitForColumns(f, shape.D, columnsOf(shape) / 4, (offset, parts) => {
      f.address(scratch, () => f.scaled(of.from, pitch), offset, of.rows), f.local.set(b)
      f.address(of.target, () => f.scaled(of.key, rowBytes), offset), f.local.set(target)
      const product = { rows: of.keys, parts, a, aRow: 4 * R, aStep: 4, b, bStep: pitch, steps: of.steps, fma }
      emitTileOfRows(module, f, product, { target, rowBytes, aside })
    })
  })
}
