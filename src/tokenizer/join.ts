// Joining the bytes of one word: the pair of lowest rank first, of equal ones the leftmost, until no pair is left that was
// learned.
import { createHeap } from "./heap.ts"
import { PairTable } from "./pair-table.ts"

/** Two neighbors and what they become. */
export interface Join {
  readonly left: number
  readonly right: number
  readonly joined: number
}

/** Words longer than this are joined with a heap: rescanning them for every join would be quadratic. */
const LONG_WORD_BYTES = 48

/** A function that joins the ids of a word; it may overwrite what it is given. `merges` stand in the order of their ranks. */
export function createJoiner(merges: readonly Join[]): (ids: Int32Array) => Int32Array {
  const ranks = new PairTable(merges.length)
  for (const [rank, { left, right }] of merges.entries()) if (ranks.get(left, right) < 0) ranks.set(left, right, rank)
  const joined = Int32Array.from(merges, (merge) => merge.joined)
  return (ids) => (ids.length > LONG_WORD_BYTES ? joinLong(ids, ranks, joined) : joinShort(ids, ranks, joined))
}

/** Rescans for each join, which is fastest for a few ids. */
function joinShort(ids: Int32Array, ranks: PairTable, joined: Int32Array): Int32Array {
  let length = ids.length
  for (;;) {
    let best = joined.length
    let at = -1
    for (let i = 0; i + 1 < length; i++) {
      const rank = ranks.get(ids[i]!, ids[i + 1]!)
      if (rank < 0 || rank >= best) continue
      best = rank
      at = i
    }
    if (at < 0) return ids.slice(0, length)
    ids[at] = joined[best]!
    ids.copyWithin(at + 1, at + 2, length)
    length--
  }
}

/**
 * The same with a linked list and a heap of candidates, `n log n`. A candidate is one number, `rank · n + place`, so that
 * smaller means sooner; it is stale if the pair at its place has another rank by now.
 */
function joinLong(ids: Int32Array, ranks: PairTable, joined: Int32Array): Int32Array {
  const n = ids.length
  const next = new Int32Array(n).map((_, i) => i + 1)
  const previous = new Int32Array(n).map((_, i) => i - 1)
  const rankAt = new Int32Array(n).fill(-1)
  const heap = createHeap((a, b) => a < b)
  const consider = (at: number): void => {
    rankAt[at] = next[at]! < n ? ranks.get(ids[at]!, ids[next[at]!]!) : -1
    if (rankAt[at]! >= 0) heap.push(rankAt[at]! * n + at)
  }
  for (let at = 0; at < n; at++) consider(at)
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const at = top % n
    const rank = (top - at) / n
    if (rankAt[at] !== rank) continue
    const gone = next[at]!
    ids[at] = joined[rank]!
    rankAt[gone] = -1
    next[at] = next[gone]!
    if (next[at]! < n) previous[next[at]!] = at
    consider(at)
    if (previous[at]! >= 0) consider(previous[at]!)
  }
  let length = 0
  for (let at = 0; at < n; at = next[at]!) ids[length++] = ids[at]!
  return ids.slice(0, length)
}
