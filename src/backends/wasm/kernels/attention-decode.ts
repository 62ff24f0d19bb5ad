// Attention of one or two query rows a head, as in decoding: no tile to share keys over, so the vectors run along D and
// every key is read once, at the speed of memory. Lanes share the pairs of query and head.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp, emitLog, emitMulAdd } from "../vector-math.ts"
import {
  type AttentionShape,
  emitForColumns,
  emitForKeyTiles,
  emitHeadAddress,
  emitZero,
  KEYS,
  rowsOf,
} from "./attention-tile.ts"
import {
  defineKernel,
  emitDivide,
  emitForUnits,
  emitLoadPart,
  emitMin,
  emitNotNegative,
  emitStorePart,
  emitSumOfLanes,
  emitTranspose4,
  VECTOR_BYTES,
} from "./lane-slice.ts"
import { registerTile } from "./register-tile.ts"

const MOST_ROWS = 2
/** Vectors of a value row summed at a time. */
const WIDTH = 8

export const hasFewRows = (shape: AttentionShape): boolean => rowsOf(shape) <= MOST_ROWS

/** The query, scaled and filled up with zeros, then the scores and one vector more, then a stretch of the result. */
const scoresAt = ({ D }: AttentionShape): number => VECTOR_BYTES * Math.ceil(D / 4)
const sumsAt = (shape: AttentionShape): number => scoresAt(shape) + VECTOR_BYTES * (Math.ceil(shape.S / 4) + 1)
export const fewRowsScratchBytes = (shape: AttentionShape): number => sumsAt(shape) + VECTOR_BYTES * WIDTH

export function emitAttentionOfFewRows(
  module: ModuleBuilder,
  shape: AttentionShape,
  { fma }: { fma: boolean },
): FunctionHandle {
  const { B, T, H, D, S, K } = shape
  return defineKernel(module, `attention ${B}x${T}x${H}x${D} of ${S}x${K}`, 6, (f, tensors, lane) => {
    const [q, k, v, position, o, logSumExp] = tensors
    const { scratch } = lane
    const [b, h, t, end, keys, values, from] = f.locals("i32", 7)
    const [largest, total] = f.locals("v128", 2)
    emitForUnits(f, lane, B * T * H, (unit) => {
      emitDivide(f, unit, H, t, h), emitDivide(f, t, T, b, t)
      if (shape.causal) {
        f.address(t, 1, () => (f.address(position, () => f.scaled(b, 4)), f.i32.load())), f.local.set(end)
        emitMin(f, end, () => f.i32.const(S)), f.local.set(end)
        emitNotNegative(f, end), f.local.set(end)
      } else f.assign(end, S)
      emitHeadAddress(f, shape, k, { b, head: h, row: t, position }, keys)
      emitHeadAddress(f, shape, v, { b, head: h, row: t, position }, values)
      f.address(q, () => f.scaled(unit, 4 * D)), f.local.set(from)
      const row = { shape, scratch, end, largest, total, fma }
      emitScaledQuery(f, row, from)
      emitDots(f, row, keys)
      emitRowSoftmax(f, row)
      f.address(o, () => f.scaled(unit, 4 * D)), f.local.set(from)
      emitWeightedSum(module, f, row, values, from)
      f.address(logSumExp, () =>
        f.scaled(() => f.address(() => f.scaled(() => f.address(() => f.scaled(b, H), h), T), t), 4),
      )
      emitLog(f, total, fma), f.local.get(largest), f.f32x4.add(), f.f32x4.extractLane(0), f.f32.store()
    })
  })
}

interface Row {
  readonly shape: AttentionShape
  readonly scratch: Local
  /** Keys the row sees. */
  readonly end: Local
  readonly largest: Local
  readonly total: Local
  readonly fma: boolean
}

function emitScaledQuery(f: FunctionBuilder, { shape, scratch }: Row, from: Local): void {
  f.scope(() => {
    const at = f.local("i32")
    const value = f.local("v128")
    emitForColumns(f, shape.D, 1, (offset, [count]) => {
      f.address(from, offset), f.local.set(at)
      emitLoadPart(f, value, at, count)
      f.address(scratch, offset), f.local.get(value), f.f32x4.const(shape.scale), f.f32x4.mul(), f.v128.store()
    })
  })
}

/** `scores[s] = q · k[s]`, and -Infinity in the vector that begins at `end`. */
function emitDots(f: FunctionBuilder, { shape, scratch, end, fma }: Row, keys: Local): void {
  const rowBytes = 4 * shape.K * shape.D
  f.scope(() => {
    const [at, key] = f.locals("i32", 2)
    emitForKeyTiles(f, shape.S, end, (first, count) => {
      const sums = f.locals("v128", KEYS)
      emitZero(f, sums)
      f.address(keys, () => f.scaled(first, rowBytes)), f.local.set(key)
      emitDotTile(f, { D: shape.D, query: scratch, key, rowBytes, sums: sums.slice(0, count), fma })
      f.address(scratch, () => f.scaled(first, 4)), f.local.set(at)
      emitTranspose4(f, sums)
      f.local.get(sums[0]), f.local.get(sums[1]), f.f32x4.add()
      f.local.get(sums[2]), f.local.get(sums[3]), f.f32x4.add(), f.f32x4.add(), f.local.set(sums[0])
      emitStorePart(f, at, sums[0], 4, scoresAt(shape))
    })
    f.address(scratch, () => f.scaled(end, 4)), f.f32x4.const(-Infinity), f.v128.store(scoresAt(shape))
  })
}

/** `sums[n] += q · k[n]`, four terms side by side. */
function emitDotTile(
  f: FunctionBuilder,
  of: { D: number; query: Local; key: Local; rowBytes: number; sums: readonly Local[]; fma: boolean },
): void {
  f.scope(() => {
    const at = f.local("i32")
    const [x, y] = f.locals("v128", 2)
    emitForColumns(f, of.D, 1, (offset, [count]) => {
      f.address(of.query, offset), f.v128.load(), f.local.set(x)
      f.address(of.key, offset), f.local.set(at)
      for (const [n, sum] of of.sums.entries()) {
        emitLoadPart(f, y, at, count, { offset: n * of.rowBytes })
        emitMulAdd(
          f,
          of.fma,
          () => f.local.get(x),
          () => f.local.get(y),
          () => f.local.get(sum),
        )
        f.local.set(sum)
      }
    })
  })
}

/** Scores become `e^(score - max)`; `largest` is the max and `total` the sum, in all four lanes. */
function emitRowSoftmax(f: FunctionBuilder, { shape, scratch, end, largest, total, fma }: Row): void {
  const scores = scoresAt(shape)
  f.scope(() => {
    const [at, stop] = f.locals("i32", 2)
    const value = f.local("v128")
    const fold = (...order: [number, number, number, number]) => {
      f.local.get(largest), f.local.get(largest), f.local.get(largest), f.i32x4.shuffle(...order), f.f32x4.pmax()
      f.local.set(largest)
    }
    f.address(scratch, () => f.scaled(end, 4)), f.local.set(stop)
    f.f32x4.const(-3.4e38), f.local.set(largest), emitZero(f, [total])
    f.forRange(at, scratch, stop, VECTOR_BYTES, () => {
      f.local.get(largest), f.local.get(at), f.v128.load(scores), f.f32x4.pmax(), f.local.set(largest)
    })
    fold(2, 3, 0, 1), fold(1, 0, 3, 2)
    f.forRange(at, scratch, stop, VECTOR_BYTES, () => {
      f.local.get(at), f.v128.load(scores), f.local.get(largest), f.f32x4.sub(), f.local.set(value)
      emitExp(f, value, fma), f.local.set(value)
      f.local.get(at), f.local.get(value), f.v128.store(scores)
      f.local.get(total), f.local.get(value), f.f32x4.add(), f.local.set(total)
    })
    emitSumOfLanes(f, total), f.f32x4.splat(), f.local.set(total)
  })
}

/** `o = Σ_s scores[s] · v[s] / total`, zeros where there is no key. */
function emitWeightedSum(
  module: ModuleBuilder,
  f: FunctionBuilder,
  { shape, scratch, end, total, fma }: Row,
  values: Local,
  o: Local,
): void {
  f.scope(() => {
    const [b, sums] = f.locals("i32", 2)
    const [factor, sum] = f.locals("v128", 2)
    f.f32x4.const(1), f.local.get(total), f.f32x4.div()
    f.local.get(total), f.f32x4.const(0), f.f32x4.eq(), f.v128.andnot(), f.local.set(factor)
    f.address(scratch, sumsAt(shape)), f.local.set(sums)
    emitForColumns(f, shape.D, WIDTH, (offset, parts) => {
      const [vectors, bStep] = [parts.length, 4 * shape.K * shape.D]
      f.address(scratch, scoresAt(shape)),
        f.address(values, offset),
        f.local.get(sums),
        f.local.get(end),
        f.i32.const(0)
      f.call(registerTile(module, { rows: 1, vectors, aRow: 0, aStep: 4, bStep, cRow: 0, fma }))
      f.address(o, offset), f.local.set(b)
      for (const [j, part] of parts.entries()) {
        f.local.get(sums), f.v128.load(VECTOR_BYTES * j), f.local.get(factor), f.f32x4.mul(), f.local.set(sum)
        emitStorePart(f, b, sum, part, VECTOR_BYTES * j)
      }
    })
  })
}
