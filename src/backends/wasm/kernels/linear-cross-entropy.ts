// The head of a large vocabulary: logits are made block by block with the products of every other layer, and never stored
// whole. Forward a block is some rows with all their columns, so that a row's sum runs as in cross-entropy.ts; backward it is
// all rows with some columns, so that each row of dWeight is summed up once and where it belongs. How blocks are cut depends on
// the shape alone.
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitExp } from "../vector-math.ts"
import { emitCrossEntropy, emitForChains, emitSoftcap } from "./cross-entropy.ts"
import { type KernelOptions, type Part, productKernel, type Series, type Span } from "./kernel.ts"
import { defineKernel, emitForUnits, emitStorePart, type LaneParams } from "./lane-slice.ts"
import type { Product } from "./matmul-shape.ts"

/** Sizes of `x [N, C]` and `weight [V, C]`, and what bends the logits (0: nothing). */
export interface HeadShape {
  readonly N: number
  readonly C: number
  readonly V: number
  readonly softcap: number
}

/** Of logits: about what the caches of two cores hold. */
const BLOCK_BYTES = 4 * 1024 * 1024
/** Fewer rows or columns do not repay packing the other operand of a product; a multiple of every tile. */
const LEAST = 48
/** A vector may be loaded past the last logit. */
const READ_PAST_END = 16

/** Pieces of 0..length-1 as equal as multiples of {@link LEAST} can be, whose logits fill a block; `across` is the other side. */
function pieces(length: number, across: number): { at: number; size: number }[] {
  const count = Math.max(1, Math.ceil((4 * length * across) / BLOCK_BYTES))
  const size = Math.ceil(length / count / LEAST) * LEAST
  const starts = Array.from({ length: Math.ceil(length / size) || 0 }, (_, i) => i * size)
  return starts.map((at) => ({ at, size: Math.min(size, length - at) }))
}

/** `(x, weight, targets; nats, logSumExp)` */
export function linearCrossEntropy({ N, C, V, softcap }: HeadShape, options: KernelOptions): Series {
  const [x, weight, targets, nats, logSumExp] = [0, 1, 2, 3, 4]
  const blocks = pieces(N, V)
  const parts = blocks.flatMap(({ at, size: rows }): Part[] => {
    const product = { m: rows, n: V, k: C, transposeA: false, transposeB: true }
    const [logits, ofRows] = [span("block", 0, rows * V), (tensor: number) => span(tensor, at, rows)]
    return [
      multiply(product, options, span(x, at * C, rows * C), span(weight, 0, V * C), logits),
      {
        emit: (module) => emitCrossEntropy(module, { N: rows, V }, { ...options, softcap, statistics: true }),
        reads: [logits, ofRows(targets)],
        writes: [ofRows(nats), ofRows(logSumExp)],
      },
    ]
  })
  return { blockBytes: blockBytes(blocks, V), parts }
}

/** `(x, weight, targets, logSumExp, dNats; dX, dWeight)` */
export function linearCrossEntropyGrad(shape: HeadShape, options: KernelOptions): Series {
  const { N, C, V } = shape
  const [x, weight, targets, logSumExp, dNats, dX, dWeight] = [0, 1, 2, 3, 4, 5, 6]
  const blocks = pieces(V, N)
  const [rows, dRows] = [span(x, 0, N * C), span(dX, 0, N * C)]
  const parts = blocks.flatMap(({ at, size: columns }): Part[] => {
    const logits = span("block", 0, N * columns)
    const ofColumns = (tensor: number) => span(tensor, at * C, columns * C)
    const [forward, toRows, toColumns]: Product[] = [
      { m: N, n: columns, k: C, transposeA: false, transposeB: true },
      { m: N, n: C, k: columns, transposeA: false, transposeB: false },
      { m: columns, n: C, k: N, transposeA: true, transposeB: false },
    ]
    return [
      multiply(forward, options, rows, ofColumns(weight), logits),
      {
        emit: (module) => emitLogitGradients(module, { ...shape, V: columns }, options),
        reads: [targets, logSumExp, dNats].map((tensor) => span(tensor, 0, N)),
        writes: [logits],
        numbers: [at],
      },
      multiply(toRows, options, logits, ofColumns(weight), dRows, at > 0),
      multiply(toColumns, options, logits, rows, ofColumns(dWeight)),
    ]
  })
  return { blockBytes: blockBytes(blocks, N), parts }
}

/** In numbers of 4 bytes. */
const span = (of: Span["of"], start: number, count: number): Span => ({ of, start: 4 * start, bytes: 4 * count })

const blockBytes = (blocks: readonly { size: number }[], across: number): number =>
  4 * (blocks[0]?.size ?? 0) * across + READ_PAST_END

function multiply(product: Product, options: KernelOptions, a: Span, b: Span, c: Span, accumulate = false): Part {
  return { ...productKernel(product, options, accumulate), reads: [a, b], writes: [c] }
}

/**
 * `(targets i32 [N], logSumExp [N], dNats [N], z [N, V], first)`: z becomes `dNats · (e^(logits - logSumExp) - onehot(target -
 * first)) · slope` with `logits = softcap(z)`, zeros where the target is negative. The V columns begin at column `first` of all.
 */
function emitLogitGradients(
  module: ModuleBuilder,
  { N, V, softcap }: HeadShape,
  { fma }: { fma: boolean },
): FunctionHandle {
  const name = `logitGradients ${N}x${V} ${softcap}`
  const build = (f: FunctionBuilder, [targets, logSumExp, dNats, z, first]: readonly Local[], params: LaneParams) =>
    emitForUnits(f, params, N, (n) => {
      const [row, target] = f.locals("i32", 2)
      const [total, factor, column, value, slope] = f.locals("v128", 5)
      const splat = (of: Local, to: Local) => (
        f.address(of, () => f.scaled(n, 4)), f.v128.load32Splat(), f.local.set(to)
      )
      f.address(z, () => f.scaled(n, 4 * V)), f.local.set(row)
      f.address(targets, () => f.scaled(n, 4)), f.i32.load(), f.local.tee(target)
      f.i32.const(0), f.i32.ltS()
      const gradient = () => {
        splat(logSumExp, total), splat(dNats, factor)
        // 0 where the column is the target
        f.i32x4.const(0, 1, 2, 3), f.local.get(first), f.local.get(target), f.i32.sub(), f.i32x4.splat(), f.i32x4.add()
        f.local.set(column)
        emitForChains(f, row, V, (at, offset, count) => {
          f.local.get(at), f.v128.load(offset), f.local.set(value)
          if (softcap !== 0) emitSoftcap(f, value, softcap, fma, slope)
          f.local.get(value), f.local.get(total), f.f32x4.sub(), f.local.set(value)
          emitExp(f, value, fma)
          f.local.get(column), f.i32x4.const(0), f.i32x4.eq(), f.f32x4.const(1), f.v128.and(), f.f32x4.sub()
          f.local.get(factor), f.f32x4.mul()
          if (softcap !== 0) f.local.get(slope), f.f32x4.mul()
          f.local.set(value), emitStorePart(f, at, value, count, offset)
          f.local.get(column), f.i32x4.const(4), f.i32x4.add(), f.local.set(column)
        })
      }
      f.if(() => (f.local.get(row), f.i32.const(0), f.i32.const(4 * V), f.memory.fill()), gradient)
    })
  return module.once(name, () => defineKernel(module, name, 5, build))
}
