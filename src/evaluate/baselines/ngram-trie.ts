// All n-grams of a sequence, up to a given length, as a trie of sorted arrays. Positions are sorted by the symbols that
// follow them (radix sort, least significant first); every k-gram is then one contiguous range, and each level of the trie
// is read off in one sequential pass. Nothing is hashed, no collision is possible, no entry carries a key.
import { ConfigError } from "../../core/index.ts"
import { inSlices, type Sliced } from "./slices.ts"
import { checkIds, checkVocabSize, makeSymbols, type SymbolArray } from "./symbols.ts"

/** Lengths are kept in bytes while building. */
const MAX_TRIE_ORDER = 32

/** The distinct k-grams of one length k, in lexicographic order: one node each. */
export interface TrieLevel {
  /** Last symbol of each k-gram, `[nodes]`; sorted within the children of one node. */
  readonly symbols: SymbolArray
  /** Children of node `p` are nodes `firstChild[p] .. firstChild[p + 1] - 1` of the next level, `[nodes + 1]`. */
  readonly firstChild: Uint32Array
  /** How often each k-gram occurs, `[nodes]`; empty unless asked for. */
  readonly occurrences: Uint32Array
  /** How many different symbols precede each k-gram, the start of a document being one; empty at the last level. */
  readonly continuations: Uint32Array
}

export interface TrieOptions {
  readonly order: number
  readonly vocabSize: number
  /** Where documents begin, ascending; n-grams do not cross. Default: one document. */
  readonly starts?: ArrayLike<number>
  /** Lengths k whose occurrences are kept. */
  readonly occurrencesAt: readonly number[]
}

/**
 * Builds the levels `0..order`; level 0 is the root alone.
 *
 * Time O(order · N), all of it sequential but one scattered access per position in each pass of the sort. While it is
 * being built it needs about 14 bytes a position beside the result.
 *
 * @throws ConfigError  if the order is not in `1..32`
 * @throws DataError  if an id is not below `vocabSize`
 */
export function* buildTrie(ids: ArrayLike<number>, options: TrieOptions): Sliced<TrieLevel[]> {
  checkOrder(options.order)
  const text = yield* layOutText(ids, options)
  const sorted = yield* sortPositions(text, options.order)
  const neighbors = yield* measureNeighbors(text, sorted, options.order)
  const levels = allocateLevels(neighbors.nodesPerLevel, options)
  for (let k = 1; k <= options.order; k++) {
    yield* inSlices(sorted.length, fillLevel(text, sorted, neighbors, levels, k))
    levels[k - 1].firstChild[levels[k - 1].firstChild.length - 1] = neighbors.nodesPerLevel[k]
  }
  return levels
}

/** The node for `symbol` among the children of `node`, or -1. Binary search in one sorted run of `symbols`. */
export function findChild(parents: TrieLevel, children: TrieLevel, node: number, symbol: number): number {
  const symbols = children.symbols
  let low = parents.firstChild[node]
  let high = parents.firstChild[node + 1] - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = symbols[middle]
    if (found === symbol) return middle
    if (found < symbol) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Throws unless `order` can be built. */
export function checkOrder(order: number): void {
  if (!Number.isInteger(order) || order < 1 || order > MAX_TRIE_ORDER)
    throw new ConfigError(`order must be an integer in 1..${MAX_TRIE_ORDER}, got ${order}`)
}

/** The documents with a boundary symbol after each, so that n-grams end there without a test of their own. */
interface Text {
  /** `[length]`, then enough boundaries to read `order` symbols from anywhere. */
  readonly symbols: SymbolArray
  readonly length: number
  /** An id that no document uses: a byte array of text stays a byte array. */
  readonly boundary: number
  /** Every symbol is below this. */
  readonly base: number
}

function* layOutText(ids: ArrayLike<number>, { order, vocabSize, starts = [] }: TrieOptions): Sliced<Text> {
  checkVocabSize(vocabSize)
  const used = new Uint8Array(vocabSize + 1)
  yield* inSlices(ids.length, (from, to) => {
    checkIds(ids, vocabSize, from, to)
    for (let at = from; at < to; at++) used[ids[at]] = 1
  })
  const boundary = used.indexOf(0)
  const base = Math.max(boundary + 1, vocabSize)
  const length = ids.length + starts.length
  const symbols = makeSymbols(length + order, base)
  let document = 0 // documents begun so far: as many boundaries stand before this symbol
  yield* inSlices(ids.length, (from, to) => {
    for (let at = from; at < to; at++) {
      while (document < starts.length && starts[document] <= at) symbols[at + document++] = boundary
      symbols[at + document] = ids[at]
    }
  })
  symbols.fill(boundary, ids.length + document)
  return { symbols, length, boundary, base }
}

/** Buckets of one pass of the sort: two bytes fit, and the cursors stay in the second-level cache. */
const MAX_BUCKETS = 1 << 17

/** `width` symbols from `depth` on, read as one number in `base`. */
interface Digit {
  readonly symbols: SymbolArray
  readonly depth: number
  readonly width: number
  readonly base: number
}

/** Positions in the order of the `order` symbols from each. Where the boundary symbol sorts does not matter. */
function* sortPositions({ symbols, length, base }: Text, order: number): Sliced<Uint32Array> {
  const widest = Math.max(1, Math.floor(Math.log(MAX_BUCKETS) / Math.log(base)))
  let source = new Uint32Array(length)
  let target = new Uint32Array(length)
  yield* inSlices(length, (from, to) => {
    for (let at = from; at < to; at++) source[at] = at
  })
  for (let end = order; end > 0; end -= widest) {
    const digit = { symbols, depth: Math.max(0, end - widest), width: Math.min(end, widest), base }
    yield* sortByDigit(source, target, digit)
    const sorted = target
    target = source
    source = sorted
  }
  return source
}

/** One stable counting sort. */
function* sortByDigit(source: Uint32Array, target: Uint32Array, digit: Digit): Sliced<void> {
  const cursors = new Uint32Array(digit.base ** digit.width + 1)
  yield* inSlices(source.length, (from, to) => {
    for (let at = from; at < to; at++) cursors[readDigit(digit, at) + 1]++
  })
  for (let bucket = 1; bucket < cursors.length; bucket++) cursors[bucket] += cursors[bucket - 1]
  yield* inSlices(source.length, (from, to) => {
    for (let at = from; at < to; at++) target[cursors[readDigit(digit, source[at])]++] = source[at]
  })
}

function readDigit({ symbols, depth, width, base }: Digit, position: number): number {
  let value = 0
  for (let at = position + depth; at < position + depth + width; at++) value = value * base + symbols[at]
  return value
}

/** What the passes over the levels need to know about each sorted position, so that they read in sequence. */
interface Neighbors {
  /** Symbols shared with the sorted neighbor before, boundary excluded, `[N]`. */
  readonly prefix: Uint8Array
  /** Symbols up to the next boundary, at most `order`, `[N]`. */
  readonly span: Uint8Array
  /** The symbol before in the text, the boundary at the start of a document, `[N]`. */
  readonly left: SymbolArray
  readonly nodesPerLevel: Uint32Array
}

/** A k-gram begins at sorted position i exactly when `prefix[i] < k <= span[i]`. */
function* measureNeighbors(text: Text, sorted: Uint32Array, order: number): Sliced<Neighbors> {
  const { symbols, boundary } = text
  const prefix = new Uint8Array(sorted.length)
  const span = new Uint8Array(sorted.length)
  const left = makeSymbols(sorted.length, text.base)
  const nodesPerLevel = new Uint32Array(order + 1)
  nodesPerLevel[0] = 1
  yield* inSlices(sorted.length, (from, to) => {
    for (let at = from; at < to; at++) {
      const position = sorted[at]
      while (span[at] < order && symbols[position + span[at]] !== boundary) span[at]++
      left[at] = position === 0 ? boundary : symbols[position - 1]
      if (at > 0) prefix[at] = commonPrefix(symbols, sorted[at - 1], position, Math.min(span[at - 1], span[at]))
      for (let k = prefix[at] + 1; k <= span[at]; k++) nodesPerLevel[k]++
    }
  })
  return { prefix, span, left, nodesPerLevel }
}

function commonPrefix(symbols: SymbolArray, a: number, b: number, limit: number): number {
  let length = 0
  while (length < limit && symbols[a + length] === symbols[b + length]) length++
  return length
}

function allocateLevels(nodesPerLevel: Uint32Array, { order, vocabSize, occurrencesAt }: TrieOptions): TrieLevel[] {
  return Array.from(nodesPerLevel, (nodes, k) => ({
    symbols: makeSymbols(k === 0 ? 0 : nodes, vocabSize),
    firstChild: new Uint32Array(k < order ? nodes + 1 : 0),
    occurrences: new Uint32Array(occurrencesAt.includes(k) ? nodes : 0),
    continuations: new Uint32Array(k > 0 && k < order ? nodes : 0),
  }))
}

/** Reads level k off the sorted positions, together with `firstChild` of the level above. */
function fillLevel(
  text: Text,
  sorted: Uint32Array,
  { prefix, span, left }: Neighbors,
  levels: readonly TrieLevel[],
  k: number,
): (from: number, to: number) => void {
  const { symbols, occurrences, continuations } = levels[k]
  const parentFirstChild = levels[k - 1].firstChild
  const countsOccurrences = occurrences.length > 0
  const countsContinuations = continuations.length > 0
  const lastNodeAfter = new Int32Array(text.base).fill(-1) // by left neighbor: the k-gram it was last seen before
  let node = -1
  let parent = k === 1 ? 0 : -1
  return (from, to) => {
    for (let at = from; at < to; at++) {
      if (prefix[at] < k - 1 && span[at] >= k - 1) parentFirstChild[++parent] = node + 1
      if (span[at] < k) continue
      if (prefix[at] < k) symbols[++node] = text.symbols[sorted[at] + k - 1]
      if (countsOccurrences) occurrences[node]++
      if (!countsContinuations || lastNodeAfter[left[at]] === node) continue
      lastNodeAfter[left[at]] = node
      continuations[node]++
    }
  }
}
