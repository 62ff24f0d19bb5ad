// Learning a byte-pair vocabulary: count each distinct word once, then join the most frequent pair of neighbors over and
// over, keeping the counts of pairs up to date where a join changed them.
import { ConfigError, DataError } from "../core/index.ts"
import { createBpe } from "./bpe.ts"
import { createHeap } from "./heap.ts"
import { PairTable } from "./pair-table.ts"
import { endOfWord } from "./pre-tokenize.ts"
import { END_OF_TEXT, requireWellFormed, type Tokenizer } from "./tokenizer.ts"

export interface TrainBpeOptions {
  /** Bytes, joins and special tokens together; at least 256 and the special tokens. */
  readonly vocabSize: number
  /** Default: `<|endoftext|>`. */
  readonly specialTokens?: readonly string[]
  readonly onProgress?: (progress: {
    readonly phase: "count" | "join"
    readonly done: number
    readonly total?: number
  }) => void
  /** Called between pieces of work of some milliseconds, so that timers and signals get their turn. */
  readonly yieldToEventLoop?: () => Promise<void>
}

/** Words read, or pairs joined, between two turns of the event loop. */
const CHARACTERS_A_TURN = 100_000
const JOINS_A_TURN = 8
/** A longer word is no word; it is counted in pieces, which bounds the memory of joins. */
const MAX_WORD_UNITS = 1024

/**
 * Trains on texts. The vocabulary is smaller than asked for where the text has no pair left that occurs twice.
 *
 * Ties between equally frequent pairs go to the smaller left id, then the smaller right id: the result depends on the texts
 * alone, and not on their order.
 *
 * @throws ConfigError  if `vocabSize` cannot hold the bytes and special tokens
 * @throws DataError    if there is no text at all, or it has a lone surrogate
 */
export async function trainBpe(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainBpeOptions,
): Promise<Tokenizer> {
  const { vocabSize, specialTokens = [END_OF_TEXT] } = options
  const joins = vocabSize - 256 - specialTokens.length
  if (!Number.isInteger(vocabSize) || joins < 0)
    throw new ConfigError(
      `vocabSize must be at least ${256 + specialTokens.length} (256 bytes and ${specialTokens.length} special tokens), got ${vocabSize}`,
    )
  const words = await countWords(texts, options)
  if (words.size === 0) throw new DataError("there is no text to learn a vocabulary from")
  const merges = await learnJoins(words, joins, options)
  const tokens = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))
  for (const { left, right } of merges) tokens.push(Uint8Array.from([...tokens[left]!, ...tokens[right]!]))
  const specials = new Map(specialTokens.map((text, i) => [text, tokens.length + i]))
  return createBpe({
    tokens: [...tokens, ...specialTokens.map(() => new Uint8Array(0))],
    merges,
    specialTokens: specials,
  })
}

async function countWords(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainBpeOptions,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  let done = 0
  let sinceTurn = 0
  for await (const text of texts) {
    requireWellFormed(text)
    for (let at = 0; at < text.length; ) {
      const end = Math.min(endOfWord(text, at), wordLimit(text, at))
      const word = text.slice(at, end)
      counts.set(word, (counts.get(word) ?? 0) + 1)
      sinceTurn += end - at
      at = end
      if (sinceTurn < CHARACTERS_A_TURN) continue
      done += sinceTurn
      sinceTurn = 0
      options.onProgress?.({ phase: "count", done })
      await options.yieldToEventLoop?.()
    }
  }
  return counts
}

/** Never between the halves of a surrogate pair. */
function wordLimit(text: string, at: number): number {
  const limit = at + MAX_WORD_UNITS
  const code = text.charCodeAt(limit)
  return code >= 0xdc00 && code < 0xe000 ? limit - 1 : limit
}

interface Join {
  readonly left: number
  readonly right: number
  readonly joined: number
}

async function learnJoins(
  counts: ReadonlyMap<string, number>,
  joins: number,
  options: TrainBpeOptions,
): Promise<Join[]> {
  const corpus = new Corpus(counts)
  const merges: Join[] = []
  while (merges.length < joins) {
    const best = corpus.mostFrequent()
    if (best === undefined) break
    const joined = 256 + merges.length
    merges.push({ ...best, joined })
    corpus.join(best.left, best.right, joined)
    if (merges.length % JOINS_A_TURN !== 0) continue
    options.onProgress?.({ phase: "join", done: merges.length, total: joins })
    await options.yieldToEventLoop?.()
  }
  return merges
}

/** A list of integers that grows. */
class Column {
  values = new Int32Array(1024)
  length = 0
  push(value: number): number {
    if (this.length === this.values.length) {
      const larger = new Int32Array(2 * this.length)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length] = value
    return this.length++
  }
}

/**
 * Distinct words as ids in one array, and for each pair of neighbors its count and the words it may occur in. Counts are
 * exact; the lists of words only grow, and a word that lost its pair is passed over when it is visited.
 */
class Corpus {
  readonly #ids: Int32Array
  readonly #start: Int32Array
  readonly #length: Int32Array
  readonly #frequency: Float64Array
  readonly #pairs = new PairTable(65536)
  readonly #left = new Column()
  readonly #right = new Column()
  #count = new Float64Array(1024)
  /** Head of each pair's list, and the list cells: a word and the cell before it. */
  readonly #head = new Column()
  readonly #cellWord = new Column()
  readonly #cellNext = new Column()
  /** Pairs by count when they were pushed; a count that fell since is corrected when it comes up. */
  readonly #queued: number[] = []
  readonly #queuedCount: number[] = []
  readonly #heap = createHeap((a, b) => this.#isBetter(a, b))
  readonly #changed = new Set<number>()

  constructor(counts: ReadonlyMap<string, number>) {
    const encoder = new TextEncoder()
    const words = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
    const bytes = words.map(([word]) => encoder.encode(word))
    this.#ids = new Int32Array(bytes.reduce((sum, word) => sum + word.length, 0))
    this.#start = new Int32Array(words.length)
    this.#length = Int32Array.from(bytes, (word) => word.length)
    this.#frequency = Float64Array.from(words, ([, count]) => count)
    let at = 0
    for (const [word, own] of bytes.entries()) {
      this.#ids.set(own, at)
      this.#start[word] = at
      at += own.length
    }
    for (let word = 0; word < words.length; word++) this.#addPairs(word)
    this.#queueChanged()
  }

  #isBetter(a: number, b: number): boolean {
    const [countA, countB] = [this.#queuedCount[a]!, this.#queuedCount[b]!]
    if (countA !== countB) return countA > countB
    const [pairA, pairB] = [this.#queued[a]!, this.#queued[b]!]
    const [leftA, leftB] = [this.#left.values[pairA]!, this.#left.values[pairB]!]
    return leftA !== leftB ? leftA < leftB : this.#right.values[pairA]! < this.#right.values[pairB]!
  }

  #pairOf(left: number, right: number): number {
    const known = this.#pairs.get(left, right)
    if (known >= 0) return known
    const pair = this.#left.push(left)
    this.#right.push(right)
    this.#head.push(-1)
    this.#pairs.set(left, right, pair)
    if (pair === this.#count.length) {
      const larger = new Float64Array(2 * pair)
      larger.set(this.#count)
      this.#count = larger
    }
    return pair
  }

  #add(left: number, right: number, word: number): void {
    const pair = this.#pairOf(left, right)
    this.#count[pair]! += this.#frequency[word]!
    this.#changed.add(pair)
    const head = this.#head.values[pair]!
    if (head >= 0 && this.#cellWord.values[head] === word) return
    this.#cellNext.push(head)
    this.#head.values[pair] = this.#cellWord.push(word)
  }

  #remove(left: number, right: number, word: number): void {
    const pair = this.#pairs.get(left, right)
    this.#count[pair]! -= this.#frequency[word]!
  }

  #addPairs(word: number): void {
    const start = this.#start[word]!
    for (let i = start; i + 1 < start + this.#length[word]!; i++) this.#add(this.#ids[i]!, this.#ids[i + 1]!, word)
  }

  #queueChanged(): void {
    for (const pair of this.#changed) this.#queue(pair)
    this.#changed.clear()
  }

  #queue(pair: number): void {
    if (this.#count[pair]! < 2) return
    this.#queuedCount.push(this.#count[pair]!)
    this.#heap.push(this.#queued.push(pair) - 1)
  }

  /** The pair that occurs most often, if any occurs twice. */
  mostFrequent(): { left: number; right: number } | undefined {
    for (let entry = this.#heap.pop(); entry !== undefined; entry = this.#heap.pop()) {
      const pair = this.#queued[entry]!
      if (this.#queuedCount[entry] === this.#count[pair])
        return { left: this.#left.values[pair]!, right: this.#right.values[pair]! }
      if (this.#queuedCount[entry]! > this.#count[pair]!) this.#queue(pair)
    }
    return undefined
  }

  /** Replaces `left right` by `joined` in every word. */
  join(left: number, right: number, joined: number): void {
    const pair = this.#pairs.get(left, right)
    for (let cell = this.#head.values[pair]!; cell >= 0; cell = this.#cellNext.values[cell]!)
      this.#joinInWord(this.#cellWord.values[cell]!, left, right, joined)
    this.#head.values[pair] = -1
    this.#count[pair] = 0
    this.#queueChanged()
  }

  /** Walks one word, writing the joined ids over the old ones; pairs on both sides of a join change. */
  #joinInWord(word: number, left: number, right: number, joined: number): void {
    const ids = this.#ids
    const start = this.#start[word]!
    const end = start + this.#length[word]!
    let to = start
    for (let from = start; from < end; ) {
      if (ids[from] !== left || from + 1 >= end || ids[from + 1] !== right) {
        ids[to++] = ids[from++]!
        continue
      }
      if (to > start) this.#remove(ids[to - 1]!, left, word), this.#add(ids[to - 1]!, joined, word)
      if (from + 2 < end) this.#remove(right, ids[from + 2]!, word), this.#add(joined, ids[from + 2]!, word)
      ids[to++] = joined
      from += 2
    }
    this.#length[word] = to - start
  }
}
