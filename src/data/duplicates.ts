// Groups of documents that are the same or nearly the same: candidates by locality-sensitive hashing, then by their
// signatures. Nothing here looks at text. Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3.
import { mix32 } from "../core/index.ts"
import { likeness, SIGNATURE_LENGTH } from "./min-hash.ts"
import type { DocumentFacts } from "./survey.ts"

/** Bands of five: a pair of likeness 0.8 shares none of the 25 with probability (1 - 0.8^5)^25 = 5e-5. */
const ROWS = 5
const BANDS = SIGNATURE_LENGTH / ROWS
/** A document is compared with at most so many earlier ones of its band, so that boilerplate shared by all does not make it quadratic. */
const MAX_COMPARED = 64

export interface Groups {
  /** Group number of each document: the index of its first member. */
  readonly groupOf: Int32Array
  /** Documents whose text occurred before. */
  readonly exactDuplicates: number
  /** Documents that are like an earlier, different one. */
  readonly nearDuplicates: number
}

/** Union-find with the smallest index as root: the groups do not depend on the order of joining. */
function createForest(size: number) {
  const parent = Int32Array.from({ length: size }, (_, index) => index)
  const root = (index: number): number => {
    while (parent[index] !== index) index = parent[index] = parent[parent[index]!]!
    return index
  }
  const join = (a: number, b: number): void => {
    const [low, high] = [Math.min(root(a), root(b)), Math.max(root(a), root(b))]
    parent[high] = low
  }
  return { root, join }
}

/** A hash of one band's numbers; a collision costs one comparison. */
function bandKey(signature: Uint16Array, band: number): number {
  let key = band
  for (let row = band * ROWS; row < (band + 1) * ROWS; row++) key = mix32(key ^ signature[row]!)
  return key
}

/**
 * Exact duplicates by hash, near-duplicates by an estimated Jaccard likeness of 5-word shingles of at least `threshold`.
 *
 * Likeness is not transitive and groups are: a chain of small edits is one group. That errs on the safe side, since a group
 * stays on one side of the split.
 */
export function groupDuplicates(facts: readonly DocumentFacts[], threshold = 0.8): Groups {
  const forest = createForest(facts.length)
  const firstOf = new Map<string, number>()
  const distinct: number[] = []
  for (const [index, { sha256 }] of facts.entries()) {
    const first = firstOf.get(sha256)
    if (first === undefined) firstOf.set(sha256, index), distinct.push(index)
    else forest.join(first, index)
  }
  for (let band = 0; band < BANDS; band++) joinBand(facts, distinct, band, threshold, forest)
  const groupOf = Int32Array.from(facts, (_, index) => forest.root(index))
  const nearDuplicates = distinct.filter((index) => groupOf[index] !== index).length
  return { groupOf, exactDuplicates: facts.length - distinct.length, nearDuplicates }
}

/** Compares each document with the latest of those that share its band. */
function joinBand(
  facts: readonly DocumentFacts[],
  distinct: readonly number[],
  band: number,
  threshold: number,
  forest: ReturnType<typeof createForest>,
): void {
  const latest = new Map<number, number>()
  const before = new Int32Array(facts.length).fill(-1)
  for (const index of distinct) {
    const { signature } = facts[index]!
    if (!signature) continue
    const key = bandKey(signature, band)
    before[index] = latest.get(key) ?? -1
    latest.set(key, index)
    let other = before[index]!
    for (let compared = 0; other >= 0 && compared < MAX_COMPARED; compared++, other = before[other]!)
      if (forest.root(other) !== forest.root(index) && likeness(facts[other]!.signature!, signature) >= threshold)
        forest.join(other, index)
  }
}
