// From the last hidden rows to nats: a head whose logits are never stored whole, however large the vocabulary.
import { sizeOf } from "../../core/index.ts"
import type { DecoderHead } from "../../models/index.ts"
import { linear, softcap } from "../../nn/index.ts"
import {
  applyOp,
  concatenate,
  divide,
  exp,
  greater,
  negate,
  reshape,
  slice,
  subtract,
  sum,
  type Tensor,
} from "../../tensor/index.ts"

/** Logits made at a time: 16 MB, enough rows for fast products at any vocabulary (80 at 50,000 tokens). */
const LOGITS_AT_A_TIME = 1 << 22

/** What is found for each row; all `[N]`. */
export interface RowScores {
  /** `-ln p(target)`, 0 where the target is negative. */
  readonly nats: Tensor
  /** Probability of the likeliest token. Only if asked for, as is `hit`. */
  readonly confidence?: Tensor
  /** 1 where the target is the likeliest token, a share of it where it is one of several, else 0. */
  readonly hit?: Tensor
}

/**
 * Nats of each row, `ln Σ e^z - z[target]` with logits `z = softcap?(hidden·weightᵀ)`.
 *
 * Rows are worked off in chunks, which share the memory of one; a row's bits do not depend on them.
 *
 * @param head     its hidden rows, `[…, C]`, N of them
 * @param targets  i32 `[N]`
 */
export function headNats(head: DecoderHead, targets: Tensor, { likeliest = false } = {}): RowScores {
  const [C, V, N] = [head.hidden.shape.at(-1)!, head.weight.shape[0]!, sizeOf(targets.shape)]
  const rows = reshape(head.hidden, [N, C])
  const size = Math.max(1, Math.floor(LOGITS_AT_A_TIME / V))
  const chunks: RowScores[] = []
  for (let at = 0; at < N; at += size) {
    const part = (x: Tensor) => (size >= N ? x : slice(x, 0, at, Math.min(at + size, N)))
    const products = linear(part(rows), head.weight)
    const logits = head.softcap === 0 ? products : softcap(products, head.softcap)
    chunks.push(likeliest ? scoreWithLikeliest(logits, part(targets)) : scoreOf(logits, part(targets)))
  }
  const names = Object.keys(chunks[0]!) as (keyof RowScores)[]
  const joined = names.map((name) => [name, concatenate(chunks.map((chunk) => chunk[name]!), 0)])
  return Object.fromEntries(joined) as unknown as RowScores
}

const scoreOf = (logits: Tensor, targets: Tensor): RowScores => ({
  nats: applyOp("crossEntropy", [logits, targets], {})[0]!,
})

/**
 * The kernel's statistics are `max z` and `ln Σ e^(z - max)`: the second is the likeliest token's nats, bit for bit those of a
 * target that is it.
 */
function scoreWithLikeliest(logits: Tensor, targets: Tensor): RowScores {
  const [N] = targets.shape as [number]
  const [nats, statistics] = applyOp("crossEntropy", [logits, targets], {}) as [Tensor, Tensor]
  const largest = slice(statistics, 1, 0, 1) // [N, 1]
  const least = reshape(slice(statistics, 1, 1, 2), [N])
  const rivals = sum(subtract(1, greater(largest, logits)), [1]) // [N], 1 but for ties
  return { nats, confidence: exp(negate(least)), hit: divide(subtract(1, greater(nats, least)), rivals) }
}
