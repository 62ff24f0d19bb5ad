// All n-grams of a sequence, up to a given length, as a trie of sorted arrays. Positions are sorted by the symbols that
// follow them (radix sort, least significant first); every k-gram is then one contiguous range, and each level of the trie
// is read off in one sequential pass. Nothing is hashed, no collision is possible, no entry carries a key. One sort serves
// several tries: of fewer symbols a k-gram, or of the text's beginning alone.
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

export interface SortOptions {
  /** Longest n-gram that will be asked for. */
  readonly order: number
  readonly vocabSize: number
  /** Where documents begin, ascending; n-grams do not cross. Default: one document. */
  readonly starts?: ArrayLike<number>
}

/** The documents with a boundary after each, so that n-grams end there without a test of their own, and the order of positions. */
export interface SortedText {
  /** Ranks of the symbols in `alphabet`, `[length]`, then enough boundaries to read `order` symbols from anywhere. */
  readonly ranks: SymbolArray
  readonly length: number
  /** The symbols that occur, ascending. A boundary is the rank after the last: few ranks make few buckets. */
  readonly alphabet: SymbolArray
  readonly vocabSize: number
  readonly order: number
  /** Positions in the order of the `order` symbols from each, `[length]`. */
  readonly sorted: Uint32Array
}

/**
 * Sorts all positions by the `order` symbols from each.
 *
 * Time O(order · N), all of it sequential but one scattered access a position in each pass. It needs about 10 bytes a position.
 *
 * @throws ConfigError  if the order is not in `1..32`
 * @throws DataError  if an id is not below `vocabSize`
 */
export function* sortText(ids: ArrayLike<number>, options: SortOptions): Sliced<SortedText> {
  checkOrder(options.order)
  const text = yield* layOutText(ids, options)
  const sorted = yield* sortPositions(text, options.order)
  return { ...text, order: options.order, sorted }
}

export interface TrieOptions {
  /** At most that of the sort. */
  readonly order: number
  /** Lengths k whose occurrences are kept. */
  readonly occurrencesAt: readonly number[]
}

/** What is known of a trie before it is built. */
export interface TriePlan {
  readonly text: SortedText
  readonly neighbors: Neighbors
  readonly order: number
  /** Distinct k-grams by length, `[order + 1]`; one root. */
  readonly nodesPerLevel: Uint32Array
}

/** Counts the nodes of the trie of the first `length` positions; n-grams do not reach beyond them. */
export function* planTrie(text: SortedText, order: number, length = text.length): Sliced<TriePlan> {
  const nodesPerLevel = new Uint32Array(order + 1)
  const neighbors = yield* measureNeighbors(text, order, length, nodesPerLevel)
  return { text, neighbors, order, nodesPerLevel }
}

/** Builds the levels `0..order`; level 0 is the root alone. An order below the plan's leaves out the last levels. */
export function* buildTrie({ text, neighbors, nodesPerLevel }: TriePlan, options: TrieOptions): Sliced<TrieLevel[]> {
  const levels = allocateLevels(nodesPerLevel.subarray(0, options.order + 1), text.vocabSize, options)
  for (let k = 1; k <= options.order; k++) {
    yield* inSlices(text.length, fillLevel(text, neighbors, levels, k), TRIE_COST.level)
    levels[k - 1].firstChild[levels[k - 1].firstChild.length - 1] = nodesPerLevel[k]
  }
  return levels
}

/** Work of one position among its neighbors and in a level, in passes of the sort: 30 ns each, measured on 28 MB of prose. */
export const TRIE_COST = { neighbors: 6, level: 1 } as const

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

type Text = Omit<SortedText, "order" | "sorted">

function* layOutText(ids: ArrayLike<number>, { order, vocabSize, starts = [] }: SortOptions): Sliced<Text> {
  checkVocabSize(vocabSize)
  const used = new Uint8Array(vocabSize)
  yield* inSlices(ids.length, (from, to) => {
    checkIds(ids, vocabSize, from, to)
    for (let at = from; at < to; at++) used[ids[at]] = 1
  })
  const alphabet = makeSymbols(
    used.reduce((sum, one) => sum + one, 0),
    vocabSize,
  )
  const rankOf = makeSymbols(vocabSize, vocabSize)
  let rank = 0
  for (let id = 0; id < vocabSize; id++) if (used[id] === 1) (rankOf[id] = rank), (alphabet[rank++] = id)
  const boundary = alphabet.length
  const length = ids.length + starts.length
  const ranks = makeSymbols(length + order, boundary + 1)
  let document = 0 // documents begun so far: as many boundaries stand before this symbol
  yield* inSlices(ids.length, (from, to) => {
    for (let at = from; at < to; at++) {
      while (document < starts.length && starts[document] <= at) ranks[at + document++] = boundary
      ranks[at + document] = rankOf[ids[at]]
    }
  })
  ranks.fill(boundary, ids.length + document)
  return { ranks, length, alphabet, vocabSize }
}

/** Buckets of one pass of the sort, at most: two bytes fit, and the cursors stay in the second-level cache. */
const MAX_BUCKETS = 1 << 17

/** Symbols that one pass of the sort takes. */
const widestDigit = (base: number): number => Math.max(1, Math.floor(Math.log(MAX_BUCKETS) / Math.log(base)))

/** Passes over the text that {@link sortText} makes: two of each digit, and four before them. */
export const sortPasses = (order: number, alphabetSize: number): number =>
  2 * Math.ceil(order / widestDigit(alphabetSize + 1)) + 3

/** `width` symbols from `depth` on, read as one number in `base`. */
interface Digit {
  readonly ranks: SymbolArray
  readonly depth: number
  readonly width: number
  readonly base: number
}

/** Where the boundary sorts does not matter. */
function* sortPositions({ ranks, length, alphabet }: Text, order: number): Sliced<Uint32Array> {
  const base = alphabet.length + 1
  const widest = widestDigit(base)
  let source = new Uint32Array(length)
  let target = new Uint32Array(length)
  yield* inSlices(length, (from, to) => {
    for (let at = from; at < to; at++) source[at] = at
  })
  for (let end = order; end > 0; end -= widest) {
    const digit = { ranks, depth: Math.max(0, end - widest), width: Math.min(end, widest), base }
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

function readDigit({ ranks, depth, width, base }: Digit, position: number): number {
  let value = 0
  for (let at = position + depth; at < position + depth + width; at++) value = value * base + ranks[at]
  return value
}

/** What the passes over the levels need to know about each sorted position, so that they read in sequence. */
interface Neighbors {
  /** Symbols shared with a position that sorted before and reaches so far, boundary excluded, `[N]`. */
  readonly prefix: Uint8Array
  /** Symbols up to the next boundary or the end of what takes part, at most `order`, `[N]`. */
  readonly span: Uint8Array
  /** Rank of the symbol before in the text, the boundary at the start of a document, `[N]`. */
  readonly left: SymbolArray
}

/** A k-gram begins at sorted position i exactly when `prefix[i] < k <= span[i]`; positions from `length` on begin none. */
function* measureNeighbors(
  { ranks, sorted, alphabet }: SortedText,
  order: number,
  length: number,
  nodesPerLevel: Uint32Array,
): Sliced<Neighbors> {
  const boundary = alphabet.length
  const prefix = new Uint8Array(sorted.length)
  const span = new Uint8Array(sorted.length)
  const left = makeSymbols(sorted.length, boundary + 1)
  let [before, reachBefore] = [0, 0]
  let open = 0 // length of the longest k-gram that positions up to here began and the next one may share
  nodesPerLevel[0] = 1
  const measure = (from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      const position = sorted[at]
      if (position >= length) {
        prefix[at] = order
        continue
      }
      let reach = 0
      while (reach < order && ranks[position + reach] !== boundary) reach++
      open = Math.min(open, commonPrefix(ranks, before, position, Math.min(reachBefore, reach)))
      span[at] = Math.min(reach, length - position)
      left[at] = position === 0 ? boundary : ranks[position - 1]
      prefix[at] = Math.min(open, span[at])
      for (let k = prefix[at] + 1; k <= span[at]; k++) nodesPerLevel[k]++
      open = Math.max(open, span[at])
      before = position
      reachBefore = reach
    }
  }
  yield* inSlices(sorted.length, measure, TRIE_COST.neighbors)
  return { prefix, span, left }
}

function commonPrefix(ranks: SymbolArray, a: number, b: number, limit: number): number {
  let length = 0
  while (length < limit && ranks[a + length] === ranks[b + length]) length++
  return length
}

function allocateLevels(
  nodesPerLevel: Uint32Array,
  vocabSize: number,
  { order, occurrencesAt }: TrieOptions,
): TrieLevel[] {
  return Array.from(nodesPerLevel, (nodes, k) => ({
    symbols: makeSymbols(k === 0 ? 0 : nodes, vocabSize),
    firstChild: new Uint32Array(k < order ? nodes + 1 : 0),
    occurrences: new Uint32Array(occurrencesAt.includes(k) ? nodes : 0),
    continuations: new Uint32Array(k > 0 && k < order ? nodes : 0),
  }))
}

/** Reads level k off the sorted positions, together with `firstChild` of the level above. */
function fillLevel(
  { ranks, sorted, alphabet }: SortedText,
  { prefix, span, left }: Neighbors,
  levels: readonly TrieLevel[],
  k: number,
): (from: number, to: number) => void {
  const { symbols, occurrences, continuations } = levels[k]
  const parentFirstChild = levels[k - 1].firstChild
  const countsOccurrences = occurrences.length > 0
  const countsContinuations = continuations.length > 0
  const lastNodeAfter = new Int32Array(alphabet.length + 1).fill(-1) // by left neighbor: the k-gram it was last seen before
  let node = -1
  let parent = k === 1 ? 0 : -1
  return (from, to) => {
    for (let at = from; at < to; at++) {
      if (prefix[at] < k - 1 && span[at] >= k - 1) parentFirstChild[++parent] = node + 1
      if (span[at] < k) continue
      if (prefix[at] < k) symbols[++node] = alphabet[ranks[sorted[at] + k - 1]]
      if (countsOccurrences) occurrences[node]++
      if (!countsContinuations || lastNodeAfter[left[at]] === node) continue
      lastNodeAfter[left[at]] = node
      continuations[node]++
    }
  }
}
