// The head of a large vocabulary: logits are made block by block with the products of every other layer, and never stored
// whole. Forward a block is some rows with all their columns, so that a row's sum runs as in cross-entropy.ts; backward it is
// all rows with some columns, so that each row of dWeight is summed up once and where it belongs. How blocks are cut depends on
// the shape alone.
import { emitCrossEntropy, emitCrossEntropyGrad } from "./cross-entropy.ts"
import { type KernelOptions, type Part, productKernel, type Series, type Span } from "./kernel.ts"
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

/** `(x, weight, targets; nats, statistics)` */
export function linearCrossEntropy({ N, C, V, softcap }: HeadShape, options: KernelOptions): Series {
  const [x, weight, targets, nats, statistics] = [0, 1, 2, 3, 4]
  const blocks = pieces(N, V)
  const parts = blocks.flatMap(({ at, size: rows }): Part[] => {
    const product = { m: rows, n: V, k: C, transposeA: false, transposeB: true }
    const logits = span("block", 0, rows * V)
    return [
      multiply(product, options, span(x, at * C, rows * C), span(weight, 0, V * C), logits),
      {
        emit: (module) => emitCrossEntropy(module, { N: rows, V }, { ...options, softcap }),
        reads: [logits, span(targets, at, rows)],
        writes: [span(nats, at, rows), span(statistics, 2 * at, 2 * rows)],
      },
    ]
  })
  return { blockBytes: blockBytes(blocks, V), parts }
}

/** `(x, weight, targets, statistics, dNats; dX, dWeight)` */
export function linearCrossEntropyGrad({ N, C, V, softcap }: HeadShape, options: KernelOptions): Series {
  const [x, weight, targets, statistics, dNats, dX, dWeight] = [0, 1, 2, 3, 4, 5, 6]
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
        emit: (module) => emitCrossEntropyGrad(module, { N, V: columns }, { ...options, softcap }),
        reads: [logits, span(targets, 0, N), span(statistics, 0, 2 * N), span(dNats, 0, N)],
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
