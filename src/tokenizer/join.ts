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

/** Words longer than this are joined with a heap: going over them for every join would be quadratic. */
const LONG_WORD_BYTES = 128
/** The rank of a pair that nobody learned: after all others. */
const NEVER = 0x7fffffff

/** Joins the first `length` ids, in place, and returns how many are left. */
export type Joiner = (ids: Int32Array, length: number) => number

/** `merges` stand in the order of their ranks. */
export function createJoiner(merges: readonly Join[]): Joiner {
  const ranks = new PairTable(merges.length)
  for (const [rank, { left, right }] of merges.entries()) if (ranks.get(left, right) < 0) ranks.set(left, right, rank)
  const joined = Int32Array.from(merges, (merge) => merge.joined)
  const tables: ShortTables = { ranks, joined, rankAt: new Int32Array(LONG_WORD_BYTES) }
  return (ids, length) =>
    length > LONG_WORD_BYTES ? joinLong(ids.subarray(0, length), ranks, joined) : joinShort(ids, length, tables)
}

function rankOf(ranks: PairTable, left: number, right: number): number {
  const rank = ranks.get(left, right)
  return rank < 0 ? NEVER : rank
}

interface ShortTables {
  readonly ranks: PairTable
  readonly joined: Int32Array
  /** Scratch. */
  readonly rankAt: Int32Array
}

/** Goes over the ranks for each join, which is fastest for a few ids; `rankAt[i]` is that of `ids[i] ids[i + 1]`. */
function joinShort(ids: Int32Array, length: number, { ranks, joined, rankAt }: ShortTables): number {
  let last = length - 1
  for (let i = 0; i < last; i++) rankAt[i] = rankOf(ranks, ids[i]!, ids[i + 1]!)
  while (last > 0) {
    let at = 0
    for (let i = 1; i < last; i++) if (rankAt[i]! < rankAt[at]!) at = i
    if (rankAt[at] === NEVER) break
    ids[at] = joined[rankAt[at]!]!
    last--
    for (let i = at + 1; i <= last; i++) {
      ids[i] = ids[i + 1]!
      rankAt[i] = rankAt[i + 1]!
    }
    if (at < last) rankAt[at] = rankOf(ranks, ids[at]!, ids[at + 1]!)
    if (at > 0) rankAt[at - 1] = rankOf(ranks, ids[at - 1]!, ids[at]!)
  }
  return last + 1
}

/**
 * The same with a linked list and a heap of candidates, `n log n`. A candidate is one number, `rank · n + place`, so that
 * smaller means sooner; it is stale if the pair at its place has another rank by now.
 */
function joinLong(ids: Int32Array, ranks: PairTable, joined: Int32Array): number {
  const n = ids.length
  const next = new Int32Array(n)
  const previous = new Int32Array(n)
  const rankAt = new Int32Array(n)
  const heap = createHeap((a, b) => a < b)
  const consider = (at: number): void => {
    rankAt[at] = next[at]! < n ? ranks.get(ids[at]!, ids[next[at]!]!) : -1
    if (rankAt[at]! >= 0) heap.push(rankAt[at]! * n + at)
  }
  for (let at = 0; at < n; at++) {
    next[at] = at + 1
    previous[at] = at - 1
    consider(at)
  }
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
  return length
}
