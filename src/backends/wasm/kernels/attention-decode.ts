// Attention of one query a head, as in decoding: no tile to share keys over, so a score's vectors run along D. Keys and values
// are read once and straight forward, all heads side by side as they lie, or memory would be slower than it is. Lanes share
// the pairs of sequence and head.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp, emitLog, emitMulAdd } from "../vector-math.ts"
import { type AttentionShape, emitForColumns, emitZero, KEYS } from "./attention-tile.ts"
import {
  defineKernel,
  emitLoadPart,
  emitMin,
  emitNotNegative,
  emitSlice,
  emitStorePart,
  emitSumOfLanes,
  emitTranspose4,
  VECTOR_BYTES,
} from "./lane-slice.ts"
import { registerTile } from "./register-tile.ts"

/** Vectors of a row that are computed in one turn of a loop. */
const DOT_WIDTH = 16
const SUM_WIDTH = 8
/** Bytes of keys or values that all heads meet before the next: 4 times as many made the work half as long again. */
const BLOCK_BYTES = 8192

/** Keys that all heads meet together, a multiple of a turn's four. */
const blockKeys = ({ K, D }: AttentionShape): number => KEYS * Math.max(1, Math.floor(BLOCK_BYTES / (4 * K * D * KEYS)))

/** Where a head's numbers lie in its part of the scratch: 1 / Σ, the result's sums, the scores and one vector more. */
function layOut({ D, S }: AttentionShape) {
  const sums = VECTOR_BYTES
  const scores = sums + VECTOR_BYTES * Math.ceil(D / 4)
  return { factor: 0, sums, scores, bytes: scores + VECTOR_BYTES * (Math.ceil(S / 4) + 1) }
}

/** Scratch of one lane. */
export const oneRowScratchBytes = (shape: AttentionShape): number => shape.H * layOut(shape).bytes

/** What the loops of one sequence share. */
interface Sequence {
  readonly f: FunctionBuilder
  readonly shape: AttentionShape
  readonly fma: boolean
  /** Keys that its queries see. */
  readonly end: Local
  /** What {@link emitForBlocks} read, made one number. */
  readonly seen: Local
  /** Calls `body` for each head of the lane. */
  readonly forHeads: (body: (head: Head) => void) => void
}

interface Head {
  /** Its number among the heads of all sequences. */
  readonly unit: Local
  /** Its part of the scratch. */
  readonly scratch: Local
  /** Bytes from a row of keys or values to the part of it that this head reads. */
  readonly column: Local
}

/** {@link emitAttention} where T = 1. */
export function emitAttentionOfOneRow(
  module: ModuleBuilder,
  shape: AttentionShape,
  { fma }: { fma: boolean },
): FunctionHandle {
  const { B, H, D, S, K } = shape
  return defineKernel(module, `attention ${B}x1x${H}x${D} of ${S}x${K}`, 6, (f, tensors, lane) => {
    const [q, k, v, position, o, logSumExp] = tensors
    const [b, first, last, start, stop, end, rows] = f.locals("i32", 7)
    const [unit, scratch, column, seen] = f.locals("i32", 4)
    const forHeads = (body: (head: Head) => void) =>
      f.forRange(unit, start, stop, 1, () => {
        f.address(unit, () => f.scaled(b, -H)), f.local.set(column)
        f.address(lane.scratch, () => f.scaled(column, layOut(shape).bytes)), f.local.set(scratch)
        f.local.get(column), f.i32.const(H / K), f.i32.divU(), f.i32.const(4 * D), f.i32.mul(), f.local.set(column)
        body({ unit, scratch, column })
      })
    const sequence: Sequence = { f, shape, fma, end, seen, forHeads }
    const headsOf = (heads: () => void) => (heads(), f.i32.const(H), f.i32.divU())
    const emitRows = (tensor: Local) => f.assign(rows, () => f.address(tensor, () => f.scaled(b, 4 * S * K * D)))
    emitSlice(f, lane, B * H, first, last)
    f.forRange(
      b,
      () => headsOf(() => f.local.get(first)),
      () => headsOf(() => f.address(last, H - 1)),
      1,
      () => {
        emitHeadsOfSequence(f, { b, H, first, last }, start, stop)
        emitEnd(sequence, position, b)
        emitRows(k), emitScores(sequence, q, rows)
        forHeads((head) => emitSoftmax(sequence, head, logSumExp))
        emitRows(v), emitWeightedSums(sequence, module, rows)
        forHeads((head) => emitResult(sequence, head, o))
        f.local.get(lane.scratch), f.local.get(seen), f.i32.store() // or the reading would be left out
      },
    )
  })
}

/** `start` and `stop`: what the lane has, `first..last-1`, of the heads of sequence b. */
function emitHeadsOfSequence(
  f: FunctionBuilder,
  { b, H, first, last }: { b: Local; H: number; first: Local; last: Local },
  start: Local,
  stop: Local,
): void {
  const before = () => f.scaled(b, H)
  f.local.get(first), before(), f.local.get(first), before(), f.i32.gtS(), f.select(), f.local.set(start)
  f.address(before, H), f.local.set(stop)
  emitMin(f, stop, () => f.local.get(last)), f.local.set(stop)
}

/** Sets `end` to the number of keys that sequence b's queries see. */
function emitEnd({ f, shape, end }: Sequence, position: Local, b: Local): void {
  if (!shape.causal) return f.assign(end, shape.S)
  f.address(1, () => (f.address(position, () => f.scaled(b, 4)), f.i32.load())), f.local.set(end)
  emitMin(f, end, () => f.i32.const(shape.S)), f.local.set(end)
  emitNotNegative(f, end), f.local.set(end)
}

/** `scores[s] = scale · q · k[s]` for every head, -Infinity in the vector that begins at `end`. */
function emitScores(sequence: Sequence, q: Local, keys: Local): void {
  const { f, shape, fma, end, forHeads } = sequence
  const { D, S, K, scale } = shape
  const { scores } = layOut(shape)
  const rowBytes = 4 * K * D
  const count = Math.min(KEYS, S)
  f.scope(() => {
    const [next, s, key, query] = f.locals("i32", 4)
    const sums = f.locals("v128", KEYS)
    emitForBlocks(sequence, keys, (first, stop) =>
      f.forRange(next, first, stop, KEYS, () => {
        f.assign(s, () => emitMin(f, next, () => f.i32.const(S - count))) // the last keys may be met again
        forHeads(({ unit, scratch, column }) => {
          f.assign(query, () => f.address(q, () => f.scaled(unit, 4 * D)))
          f.assign(key, () => f.address(keys, column, () => f.scaled(s, rowBytes)))
          emitZero(f, sums)
          emitDots(f, { D, query, key, rowBytes, sums: sums.slice(0, count), fma })
          emitTranspose4(f, sums)
          f.address(scratch, () => f.scaled(s, 4))
          f.local.get(sums[0]!), f.local.get(sums[1]!), f.f32x4.add()
          f.local.get(sums[2]!), f.local.get(sums[3]!), f.f32x4.add(), f.f32x4.add()
          f.f32x4.const(scale), f.f32x4.mul(), f.v128.store(scores)
        })
      }),
    )
    forHeads(({ scratch }) => {
      f.address(scratch, () => f.scaled(end, 4)), f.f32x4.const(-Infinity), f.v128.store(scores)
    })
  })
}

/** Calls `body` for stretches of at most {@link blockKeys} keys below `end`, whose rows of `tensor` were just read in a straight run. */
function emitForBlocks(
  { f, shape, end, seen }: Sequence,
  tensor: Local,
  body: (first: Local, stop: Local) => void,
): void {
  f.scope(() => {
    const [first, stop, line] = f.locals("i32", 3)
    const row = (s: Local) => f.address(tensor, () => f.scaled(s, 4 * shape.K * shape.D))
    f.forRange(first, 0, end, blockKeys(shape), () => {
      f.address(first, blockKeys(shape)), f.local.set(stop)
      emitMin(f, stop, () => f.local.get(end)), f.local.set(stop)
      f.forRange(
        line,
        () => row(first),
        () => row(stop),
        64,
        () => {
          f.local.get(seen), f.local.get(line), f.i32.load(), f.i32.or(), f.local.set(seen)
        },
      )
      body(first, stop)
    })
  })
}

/** `sums[n] += q · k[n]`, four terms side by side. */
function emitDots(
  f: FunctionBuilder,
  of: { D: number; query: Local; key: Local; rowBytes: number; sums: readonly Local[]; fma: boolean },
): void {
  f.scope(() => {
    const [query, key] = f.locals("i32", 2)
    const [x, y] = f.locals("v128", 2)
    emitForColumns(f, of.D, DOT_WIDTH, (offset, parts) => {
      f.assign(query, () => f.address(of.query, offset))
      f.assign(key, () => f.address(of.key, offset))
      for (const [j, part] of parts.entries()) {
        emitLoadPart(f, x, query, part, { offset: VECTOR_BYTES * j })
        for (const [n, sum] of of.sums.entries()) {
          emitLoadPart(f, y, key, part, { offset: n * of.rowBytes + VECTOR_BYTES * j })
          const [a, b, c] = [x, y, sum].map((local) => () => f.local.get(local)) as [() => void, () => void, () => void]
          emitMulAdd(f, of.fma, a, b, c), f.local.set(sum)
        }
      }
    })
  })
}

/** Scores become `e^(score - max)`, the factor 1 / Σ of them, or 0 where there are none; `logSumExp = max + ln Σ`. */
function emitSoftmax({ f, shape, fma, end }: Sequence, { unit, scratch }: Head, logSumExp: Local): void {
  const { factor, sums, scores } = layOut(shape)
  f.scope(() => {
    const [at, stop] = f.locals("i32", 2)
    const [value, largest, total] = f.locals("v128", 3)
    const fold = (...order: [number, number, number, number]) => {
      f.local.get(largest), f.local.get(largest), f.local.get(largest), f.i32x4.shuffle(...order), f.f32x4.pmax()
      f.local.set(largest)
    }
    f.assign(stop, () => f.address(scratch, () => f.scaled(end, 4)))
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
    f.local.get(scratch)
    f.f32x4.const(1), f.local.get(total), f.f32x4.div()
    f.local.get(total), f.f32x4.const(0), f.f32x4.eq(), f.v128.andnot(), f.v128.store(factor)
    f.address(scratch, sums), f.i32.const(0), f.i32.const(scores - sums), f.memory.fill()
    f.address(logSumExp, () => f.scaled(unit, 4)) // [B, H, 1]
    emitLog(f, total, fma), f.local.get(largest), f.f32x4.add(), f.f32x4.extractLane(0), f.f32.store()
  })
}

/** `sums += Σ_s scores[s] · v[s]` for every head. */
function emitWeightedSums(sequence: Sequence, module: ModuleBuilder, values: Local): void {
  const { f, shape, fma, forHeads } = sequence
  const { sums, scores } = layOut(shape)
  const bStep = 4 * shape.K * shape.D
  emitForBlocks(sequence, values, (first, stop) =>
    forHeads(({ scratch, column }) =>
      emitForColumns(f, shape.D, SUM_WIDTH, (offset, { length: vectors }) => {
        f.address(scratch, () => f.scaled(first, 4), scores)
        f.address(values, column, offset, () => f.scaled(first, bStep))
        f.address(scratch, offset, sums), f.local.get(stop), f.local.get(first), f.i32.sub(), f.i32.const(1)
        f.call(registerTile(module, { rows: 1, vectors, aRow: 0, aStep: 4, bStep, cRow: 0, fma }))
      }),
    ),
  )
}

/** `o = factor · sums`. */
function emitResult({ f, shape }: Sequence, { unit, scratch }: Head, o: Local): void {
  const { factor, sums } = layOut(shape)
  f.scope(() => {
    const at = f.local("i32")
    const value = f.local("v128")
    emitForColumns(f, shape.D, 1, (offset, [part]) => {
      f.assign(at, () => f.address(o, offset, () => f.scaled(unit, 4 * shape.D)))
      f.address(scratch, offset), f.v128.load(sums), f.local.get(scratch), f.v128.load(factor), f.f32x4.mul()
      f.local.set(value), emitStorePart(f, at, value, part!)
    })
  })
}
