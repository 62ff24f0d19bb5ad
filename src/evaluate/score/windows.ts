// A stream of tokens in windows of the context, so many of them a batch. A window moves on by the stride and predicts what none
// before it has.
import { DataError } from "../../core/index.ts"
import { IGNORED_TARGET } from "../../data/index.ts"
import type { PlacedTokens } from "./placed-tokens.ts"

/** Rows of one pass, `[B, T]` each, row after row. */
export interface WindowBatch {
  readonly inputs: Int32Array
  /** The token after each input; -1 is not to be predicted here. */
  readonly targets: Int32Array
  /** Where each target is booked; -1 where there is none. */
  readonly blocks: Int32Array
}

export interface WindowShape {
  readonly batchSize: number
  readonly length: number
  /** Tokens by which a window moves on, 1 … length. */
  readonly stride: number
  /** Whether a text shorter than one window is scored; with less context than others, so not by default. */
  readonly allowShort: boolean
}

/**
 * Windows over all tokens: every token but the first is predicted once, from a window's first token on or, where windows
 * overlap, after at least `length - stride` tokens of context.
 *
 * Holds one batch and what comes after it in the same piece.
 *
 * @throws DataError  if there are fewer than two tokens, or fewer than a window has, one more for the last target
 */
export async function* windowsOf(tokens: AsyncIterable<PlacedTokens>, shape: WindowShape): AsyncGenerator<WindowBatch> {
  const { batchSize: B, length: T, stride } = shape
  const held = createQueue((B - 1) * stride + T + 1)
  let isFirst = true
  for await (const piece of tokens)
    for (let at = 0; at < piece.ids.length; ) {
      at += held.fill(piece, at)
      if (!held.isFull()) continue
      yield batchOf(held, shape, isFirst)
      held.drop(B * stride)
      isFirst = false
    }
  if (isFirst) checkLength(held.length, shape)
  const known = isFirst ? 1 : T - stride + 1
  if (held.length > known) yield batchOf(held, shape, isFirst)
}

function checkLength(tokens: number, { length, allowShort }: WindowShape): void {
  if (tokens < 2)
    throw new DataError(`the text to evaluate must hold at least 2 tokens, got ${tokens}`, "give more text")
  if (tokens < length + 1 && !allowShort)
    throw new DataError(
      `the text to evaluate is shorter than one context: expected at least ${length + 1} tokens, got ${tokens}`,
      "give more text; a stride does not help, and bits per byte of so little say little",
    )
}

/** The tokens of one batch and their blocks. */
function createQueue(capacity: number) {
  const ids = new Int32Array(capacity)
  const blocks = new Int32Array(capacity)
  let length = 0
  return {
    ids,
    blocks,
    get length() {
      return length
    },
    isFull: () => length === capacity,
    /** Takes tokens of `piece` from `at` on; says how many. */
    fill(piece: PlacedTokens, at: number): number {
      const count = Math.min(capacity - length, piece.ids.length - at)
      ids.set(piece.ids.subarray(at, at + count), length)
      blocks.set(piece.blocks.subarray(at, at + count), length)
      length += count
      return count
    },
    drop(count: number): void {
      ids.copyWithin(0, count, length)
      blocks.copyWithin(0, count, length)
      length -= count
    },
  }
}

/** The windows that `held` begins with; rows without a target of their own are empty. */
function batchOf(
  held: Pick<ReturnType<typeof createQueue>, "ids" | "blocks" | "length">,
  { batchSize: B, length: T, stride }: WindowShape,
  isFirst: boolean,
): WindowBatch {
  const inputs = new Int32Array(B * T)
  const targets = new Int32Array(B * T).fill(IGNORED_TARGET)
  const blocks = new Int32Array(B * T).fill(-1)
  for (let row = 0; row < B; row++) {
    const start = row * stride
    const end = Math.min(start + T, held.length - 1)
    const known = isFirst && row === 0 ? 0 : T - stride
    if (end <= start + known) break
    inputs.set(held.ids.subarray(start, end), row * T)
    targets.set(held.ids.subarray(start + known + 1, end + 1), row * T + known)
    blocks.set(held.blocks.subarray(start + known + 1, end + 1), row * T + known)
  }
  return { inputs, targets, blocks }
}
