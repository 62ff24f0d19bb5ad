// From the last hidden rows to nats: a head whose logits are never stored whole, however large the vocabulary.
import type { Feed } from "../../backends/index.ts"
import { sizeOf } from "../../core/index.ts"
import type { DecoderHead } from "../../models/index.ts"
import { linear, softcap } from "../../nn/index.ts"
import {
  applyOp,
  concatenate,
  divide,
  exp,
  greater,
  input,
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

/** Ranges of N rows whose logits are made together. */
function* chunksOf(N: number, V: number): Generator<{ name: string; from: number; end: number }> {
  const size = Math.max(1, Math.floor(LOGITS_AT_A_TIME / V))
  for (let from = 0; from < N; from += size) yield { name: `targets.${from}`, from, end: Math.min(from + size, N) }
}

/** What a pass with {@link headNats} is fed: the token after each row, negative for none; `[N]`. */
export function targetsFeed(targets: Int32Array, vocabSize: number): Feed {
  const chunks = [...chunksOf(targets.length, vocabSize)]
  return Object.fromEntries(chunks.map(({ name, from, end }) => [name, targets.subarray(from, end)]))
}

/**
 * Nats of each row, `ln Σ e^z - z[target]` with logits `z = softcap?(hidden·weightᵀ)`.
 *
 * Rows are worked off in chunks, which share the memory of one and have an input for targets each, see {@link targetsFeed}; a
 * row's bits do not depend on them.
 *
 * @param head  its hidden rows, `[…, C]`, N of them
 */
export function headNats(head: DecoderHead, { likeliest = false } = {}): RowScores {
  const [C, V] = [head.hidden.shape.at(-1)!, head.weight.shape[0]!]
  const rows = reshape(head.hidden, [sizeOf(head.hidden.shape) / C, C])
  const score = likeliest ? scoreWithLikeliest : scoreOf
  const chunks = [...chunksOf(rows.shape[0]!, V)].map(({ name, from, end }) => {
    const products = linear(slice(rows, 0, from, end), head.weight)
    const logits = head.softcap === 0 ? products : softcap(products, head.softcap)
    return score(logits, input(name, [end - from], "i32"))
  })
  const names = Object.keys(chunks[0]!) as (keyof RowScores)[]
  const joined = names.map((name) => [
    name,
    concatenate(
      chunks.map((chunk) => chunk[name]!),
      0,
    ),
  ])
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
