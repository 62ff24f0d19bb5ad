// The head of a large vocabulary: logits are made some rows at a time, with the products of every other layer, in a block that
// the next rows use again. Where the gradient is wanted a block's logits become their own gradient at once, so that no product
// is made twice. Blocks depend on the shape alone, and each sum goes on where the block before left it.
import type { FunctionHandle, ModuleBuilder } from "../assembler.ts"
import { emitCrossEntropy, emitCrossEntropyGrad } from "./cross-entropy.ts"
import { type KernelOptions, type Part, productKernel, type Series, type Span } from "./kernel.ts"
import { defineKernel } from "./lane-slice.ts"
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
/** Fewer rows do not repay packing the weights and going through their gradient (V 32,768: 96 rows 1.1x the time, 192 none). */
const LEAST_ROWS = 192
/** A multiple of the rows of every tile. */
const TILE_ROWS = 12
/** A vector may be loaded past the last logit. */
const READ_PAST_END = 16

/** `(x, weight, targets; nats)` */
export function linearCrossEntropy(shape: HeadShape, options: KernelOptions): Series {
  const [x, weight, targets, nats] = [0, 1, 2, 3]
  return series(shape, (block) => natsOf(block, shape, options, { x, weight, targets, nats }))
}

/** `(x, weight, targets, dNats; dX, dWeight, nats, total)` */
export function linearCrossEntropyGrad(shape: HeadShape, options: KernelOptions): Series {
  const { N, C, V, softcap } = shape
  const [x, weight, targets, dNats, dX, dWeight, nats, total] = [0, 1, 2, 3, 4, 5, 6, 7]
  const { blockBytes, parts } = series(shape, (block) => {
    const { at, rows, logits, statistics } = block
    const ofRows = (tensor: number) => span(tensor, at * C, rows * C)
    const ofWeight = (tensor: number) => span(tensor, 0, V * C)
    const toRows = { m: rows, n: C, k: V }
    const toWeight = { m: V, n: C, k: rows, transposeA: true }
    return [
      ...natsOf(block, shape, options, { x, weight, targets, nats }),
      {
        emit: (module) => emitCrossEntropyGrad(module, { N: rows, V }, { ...options, softcap }),
        reads: [logits, span(targets, at, rows), statistics, span(dNats, at, rows)],
        writes: [logits],
      },
      multiply(toRows, options, logits, ofWeight(weight), ofRows(dX)),
      multiply(toWeight, options, logits, ofRows(x), ofWeight(dWeight), at > 0),
    ]
  })
  const sum: Part = {
    emit: (module) => emitWeightedSum(module, N),
    reads: [span(nats, 0, N), span(dNats, 0, N)],
    writes: [span(total, 0, 1)],
  }
  return { blockBytes, parts: [...parts, sum] }
}

/** Rows of logits, from row `at` on, and their statistics behind them. */
interface Block {
  readonly at: number
  readonly rows: number
  readonly logits: Span
  readonly statistics: Span
}

/** The parts of all blocks, which are as equal as tiles allow; without rows one empty block, to clear what it adds to. */
function series({ N, V }: HeadShape, partsOf: (block: Block) => readonly Part[]): Series {
  const count = Math.max(1, Math.min(Math.ceil((4 * N * V) / BLOCK_BYTES), Math.floor(N / LEAST_ROWS)))
  const size = Math.max(TILE_ROWS, Math.ceil(N / count / TILE_ROWS) * TILE_ROWS)
  const blocks = Array.from({ length: Math.max(1, Math.ceil(N / size)) }, (_, i): Block => {
    const rows = Math.min(size, N - i * size)
    const logits = span("block", 0, rows * V)
    return { at: i * size, rows, logits, statistics: span("block", rows * V, 2 * rows) }
  })
  return { blockBytes: 4 * Math.min(size, N) * (V + 2) + READ_PAST_END, parts: blocks.flatMap(partsOf) }
}

/** In numbers of 4 bytes. */
const span = (of: Span["of"], start: number, count: number): Span => ({ of, start: 4 * start, bytes: 4 * count })

/** Nats and statistics of a block. */
function natsOf(
  { at, rows, logits, statistics }: Block,
  { C, V, softcap }: HeadShape,
  options: KernelOptions,
  { x, weight, targets, nats }: { x: number; weight: number; targets: number; nats: number },
): Part[] {
  const product = { m: rows, n: V, k: C, transposeB: true }
  return [
    multiply(product, options, span(x, at * C, rows * C), span(weight, 0, V * C), logits),
    {
      emit: (module) => emitCrossEntropy(module, { N: rows, V }, { ...options, softcap }),
      // A softcap bends the logits in place: whoever reads them must read the statistics too, and so waits.
      reads: [logits, span(targets, at, rows)],
      writes: [span(nats, at, rows), statistics],
    },
  ]
}

function multiply(product: Product, options: KernelOptions, a: Span, b: Span, c: Span, accumulate = false): Part {
  return { ...productKernel(product, options, accumulate), reads: [a, b], writes: [c] }
}

/** `(x [N], y [N], total)`: `Σ x·y` in f64, by the first lane. */
function emitWeightedSum(module: ModuleBuilder, N: number): FunctionHandle {
  const name = `weightedSum ${N}`
  return module.once(name, () =>
    defineKernel(module, name, 3, (f, [x, y, total], { lane }) => {
      const at = f.local("i32")
      const sum = f.local("f64")
      const number = (of: typeof x) => (f.address(of, at), f.f32.load(), f.f64.promoteF32())
      f.local.get(lane), f.i32.eqz()
      f.if(() => {
        f.f64.const(0), f.local.set(sum)
        f.forRange(
          at,
          0,
          4 * N,
          4,
          () => (number(x), number(y), f.f64.mul(), f.local.get(sum), f.f64.add(), f.local.set(sum)),
        )
        f.local.get(total), f.local.get(sum), f.f32.demoteF64(), f.f32.store()
      })
    }),
  )
}
