// Attention, backward. Lanes share the key/value heads, so that one lane adds up all the rows that touch a key, block of
// rows after block of rows. A block's probabilities are computed again from logSumExp and stay in the lane's scratch.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp } from "../vector-math.ts"
import {
  type AttentionShape,
  emitForColumns,
  emitForKeyTiles,
  emitGatherColumns,
  emitHeadAddress,
  emitRowTable,
  emitTile,
  emitVisible,
  emitWeightedRows,
  emitZero,
  type RowTable,
  rowsOf,
  stripOf,
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
  emitStorePart,
  emitSumOfLanes,
  VECTOR_BYTES,
} from "./lane-slice.ts"

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
    bytes: dScores + 4 * R * S,
  }
}

/** Scratch of one lane. */
export const attentionGradScratchBytes = (shape: AttentionShape): number => layOut(shape).bytes

interface Block {
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
    const block: Block = { shape, scratch, keys, values, dKeys, dValues, dQ, at, fma: options.fma }
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
          emitWeights(f, block, first, end, all)
          emitScoreGradients(f, block, first, end)
          const { table, W, dScores } = layOut(shape)
          const rows = { scratch, row, first, count: W, end, weights: dScores, x: keys, y: dQ, fma: options.fma }
          emitWeightedRows(f, shape, table, rows)
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

/**
 * Products of the head's rows `x` with a strip's columns, one register tile after the other: `finish(sum, n, address)` gets
 * vector n of the tile, and the address at which scratch holds it once an array's own place is added.
 */
function emitStripTiles(
  f: FunctionBuilder,
  block: Block,
  of: { x: Local; columns: number; first: Local; end: Local },
  finish: (sum: Local, offset: number, vector: number, address: Local) => void,
): void {
  const { shape, scratch, fma } = block
  const { W, R } = layOut(shape)
  const rowBytes = 4 * shape.K * shape.D
  const vectors = W / 4
  f.scope(() => {
    const [a, b] = f.locals("i32", 2)
    f.address(scratch, () => f.scaled(of.first, 4), of.columns), f.local.set(b)
    emitForKeyTiles(f, shape.S, of.end, (key, rows) => {
      const sums = f.locals("v128", rows * vectors)
      emitZero(f, sums)
      f.address(of.x, () => f.scaled(key, rowBytes)), f.local.set(a)
      emitTile(f, { rows, vectors, sums, a, aRow: rowBytes, aStep: 4, b, bStep: 4 * R, steps: shape.D, fma })
      f.address(
        scratch,
        () => f.scaled(key, 4 * R),
        () => f.scaled(of.first, 4),
      ),
        f.local.set(a)
      for (const [n, sum] of sums.entries()) {
        const vector = n % vectors
        finish(sum, 4 * R * Math.floor(n / vectors) + VECTOR_BYTES * vector, vector, a)
      }
    })
  })
}

/** `weights[s][r] = e^(scale · q[r] · k[s] - logSumExp[r])`, 0 where row r does not see key s. */
function emitWeights(f: FunctionBuilder, block: Block, first: Local, end: Local, all: Local): void {
  const { shape, scratch, keys, fma } = block
  const { W, R, table, queries, logSumExp, weights } = layOut(shape)
  emitStripTiles(f, block, { x: keys, columns: queries, first, end }, (sum, offset, _, address) => {
    f.local.get(address), f.local.get(sum), f.v128.store(weights + offset)
  })
  f.scope(() => {
    const [s, at, strip, stop] = f.locals("i32", 4)
    const value = f.local("v128")
    const shift = f.locals("v128", W / 4)
    f.address(scratch, () => f.scaled(first, 4)), f.local.set(strip)
    emitComputedKeys(f, shape, end, stop)
    const forKeys = (from: Local | number, body: (n: number, place: number) => void) =>
      f.forRange(s, from, stop, 1, () => {
        f.address(strip, () => f.scaled(s, 4 * R)), f.local.set(at)
        for (let n = 0; n < W / 4; n++) body(n, weights + VECTOR_BYTES * n)
      })
    for (const [n, vector] of shift.entries())
      f.local.get(strip), f.v128.load(logSumExp + VECTOR_BYTES * n), f.local.set(vector)
    forKeys(0, (n, place) => {
      f.local.get(at), f.v128.load(place), f.local.get(shift[n]), f.f32x4.sub(), f.local.set(value)
      f.local.get(at), emitExp(f, value, fma), f.v128.store(place)
    })
    for (const [n, vector] of shift.entries())
      f.local.get(strip), f.v128.load(table.visible + VECTOR_BYTES * n), f.local.set(vector)
    forKeys(all, (n, place) => {
      f.local.get(at), f.local.get(at), f.v128.load(place)
      f.local.get(s), f.i32x4.splat(), f.local.get(shift[n]), f.i32x4.ltS(), f.v128.and(), f.v128.store(place)
    })
  })
}

/** Sets `target` to the keys that tiles up to `end` have computed. */
function emitComputedKeys(f: FunctionBuilder, { S }: AttentionShape, end: Local, target: Local): void {
  f.address(end, 3), f.i32.const(-4), f.i32.and(), f.local.set(target)
  emitMin(f, target, () => f.i32.const(S)), f.local.set(target)
}

/** `dScores[s][r] = scale · weights[s][r] · (dO[r] · v[s] - delta[r])`. */
function emitScoreGradients(f: FunctionBuilder, block: Block, first: Local, end: Local): void {
  const { shape, scratch, values } = block
  const { delta, outputs, weights, dScores } = layOut(shape)
  f.scope(() => {
    const strip = f.local("i32")
    f.address(scratch, () => f.scaled(first, 4)), f.local.set(strip)
    emitStripTiles(f, block, { x: values, columns: outputs, first, end }, (sum, offset, vector, address) => {
      f.local.get(address)
      f.local.get(sum), f.local.get(strip), f.v128.load(delta + VECTOR_BYTES * vector), f.f32x4.sub()
      f.f32x4.const(shape.scale), f.f32x4.mul(), f.local.get(address), f.v128.load(weights + offset), f.f32x4.mul()
      f.v128.store(dScores + offset)
    })
  })
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
function emitAddToKeys(f: FunctionBuilder, { shape, scratch, fma }: Block, of: KeySum): void {
  const { R, pitch } = layOut(shape)
  const rowBytes = 4 * shape.K * shape.D
  f.scope(() => {
    const [a, b, to] = f.locals("i32", 3)
    f.address(
      scratch,
      () => f.scaled(of.key, 4 * R),
      () => f.scaled(of.from, 4),
      of.factors,
    ),
      f.local.set(a)
    emitForColumns(f, shape.D, 2, (offset, parts) =>
      f.scope(() => {
        const vectors = parts.length
        const sums = f.locals("v128", of.keys * vectors)
        const place = (n: number) => rowBytes * Math.floor(n / vectors) + VECTOR_BYTES * (n % vectors)
        f.address(scratch, () => f.scaled(of.from, pitch), offset, of.rows), f.local.set(b)
        f.address(of.target, () => f.scaled(of.key, rowBytes), offset), f.local.set(to)
        for (const [n, sum] of sums.entries()) f.local.get(to), f.v128.load(place(n)), f.local.set(sum)
        emitTile(f, { rows: of.keys, vectors, sums, a, aRow: 4 * R, aStep: 4, b, bStep: pitch, steps: of.steps, fma })
        for (const [n, sum] of sums.entries()) emitStorePart(f, to, sum, parts[n % vectors], place(n))
      }),
    )
  })
}
