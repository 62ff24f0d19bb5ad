// Groups of documents that are the same or nearly the same: candidates by locality-sensitive hashing, then by their
// signatures. Nothing here looks at text. Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", chapter 3.
import { likeness, SIGNATURE_LENGTH } from "./min-hash.ts"
import type { DocumentFacts } from "./survey.ts"

/** Bands of five: a pair of likeness 0.8 shares none of the 25 with probability (1 - 0.8^5)^25 = 5e-5. */
const ROWS = 5
const BANDS = SIGNATURE_LENGTH / ROWS
/** Compared with at most so many earlier members of a bucket, so that boilerplate shared by all does not make it quadratic. */
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

/** The numbers of one band in one string: equal strings, equal bands. */
const bandKey = (signature: Uint16Array, band: number): string =>
  String.fromCharCode(...signature.subarray(band * ROWS, (band + 1) * ROWS))

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

function joinBand(
  facts: readonly DocumentFacts[],
  distinct: readonly number[],
  band: number,
  threshold: number,
  forest: ReturnType<typeof createForest>,
): void {
  const buckets = new Map<string, number[]>()
  for (const index of distinct) {
    const { signature } = facts[index]!
    if (!signature) continue
    const key = bandKey(signature, band)
    const members = buckets.get(key)
    if (!members) {
      buckets.set(key, [index])
      continue
    }
    for (const other of members)
      if (forest.root(other) !== forest.root(index) && likeness(facts[other]!.signature!, signature) >= threshold)
        forest.join(other, index)
    if (members.length < MAX_COMPARED) members.push(index)
  }
}
