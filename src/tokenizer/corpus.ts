// The distinct words of a corpus while a vocabulary is learned from them: words as ids in one array, and for each pair of
// neighbors its count and the words it may occur in. Counts are exact; the lists of words only grow, and a word that lost
// its pair is passed over when it is visited.
import { invariant } from "../core/index.ts"
import { createHeap } from "./heap.ts"
import { PairTable } from "./pair-table.ts"

/** A pair that occurs once teaches nothing. */
const MIN_COUNT = 2

/** A list of numbers that grows. */
class Column<A extends Int32Array | Float64Array> {
  values: A
  length = 0

  constructor(values: A) {
    this.values = values
  }

  push(value: number): number {
    if (this.length === this.values.length) {
      const larger = new (this.values.constructor as new (length: number) => A)(2 * this.length)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length] = value
    return this.length++
  }
}

const integers = (): Column<Int32Array> => new Column(new Int32Array(1024))
const counts = (): Column<Float64Array> => new Column(new Float64Array(1024))

export interface Pair {
  readonly left: number
  readonly right: number
}

export class Corpus {
  /** Word `w` has the ids `start[w] .. start[w] + size[w]`, and occurs `frequency[w]` times. */
  readonly #ids = integers()
  readonly #start = integers()
  readonly #size = integers()
  readonly #frequency = counts()
  /** Pair `p` is `left[p] right[p]`, occurs `count[p]` times, and its list of words begins at cell `head[p]`. */
  readonly #pairs = new PairTable(65536)
  readonly #left = integers()
  readonly #right = integers()
  readonly #count = counts()
  readonly #head = integers()
  /** List cells: a word, and the cell before it or -1. */
  readonly #cellWord = integers()
  readonly #cellNext = integers()
  /**
   * Each pair once, by its count when it was pushed. A pair's count never grows after the join that brought it about (every
   * pair that a join adds has the new id in it), so a count that fell since is corrected when it comes up.
   */
  readonly #heap = createHeap((a, b) => this.#isBetter(a, b))
  readonly #queuedCount = counts()
  #queuedPairs = 0

  /** Adds a distinct word. All words come before the first join. */
  add(bytes: Uint8Array, frequency: number): void {
    const word = this.#start.push(this.#ids.length)
    this.#size.push(bytes.length)
    this.#frequency.push(frequency)
    for (let i = 0; i < bytes.length; i++) this.#ids.push(bytes[i]!)
    for (let i = 0; i + 1 < bytes.length; i++) this.#increase(bytes[i]!, bytes[i + 1]!, word)
  }

  /** The pair that occurs most often; ties go to the smaller left id, then the smaller right id. Each is given once. */
  takeMostFrequent(): Pair | undefined {
    this.#queueNewPairs()
    for (let pair = this.#heap.pop(); pair !== undefined; pair = this.#heap.pop()) {
      const count = this.#count.values[pair]!
      if (count === this.#queuedCount.values[pair])
        return { left: this.#left.values[pair]!, right: this.#right.values[pair]! }
      this.#queuedCount.values[pair] = count
      if (count >= MIN_COUNT) this.#heap.push(pair)
    }
    return undefined
  }

  /** Replaces `left right` by the new id `joined` in every word; returns how many words it visited. */
  join({ left, right }: Pair, joined: number): number {
    const pair = this.#pairs.get(left, right)
    let visited = 0
    for (let cell = this.#head.values[pair]!; cell >= 0; cell = this.#cellNext.values[cell]!) {
      this.#joinInWord(this.#cellWord.values[cell]!, left, right, joined)
      visited++
    }
    this.#head.values[pair] = -1
    this.#count.values[pair] = 0
    return visited
  }

  /** Walks one word, writing the joined ids over the old ones; pairs on both sides of a join change. */
  #joinInWord(word: number, left: number, right: number, joined: number): void {
    const ids = this.#ids.values
    const start = this.#start.values[word]!
    const end = start + this.#size.values[word]!
    let to = start
    for (let from = start; from < end; ) {
      if (ids[from] !== left || from + 1 >= end || ids[from + 1] !== right) {
        ids[to++] = ids[from++]!
        continue
      }
      if (to > start) this.#replace(ids[to - 1]!, left, ids[to - 1]!, joined, word)
      if (from + 2 < end) this.#replace(right, ids[from + 2]!, joined, ids[from + 2]!, word)
      ids[to++] = joined
      from += 2
    }
    this.#size.values[word] = to - start
  }

  #replace(oldLeft: number, oldRight: number, newLeft: number, newRight: number, word: number): void {
    this.#count.values[this.#pairs.get(oldLeft, oldRight)]! -= this.#frequency.values[word]!
    this.#increase(newLeft, newRight, word)
  }

  #increase(left: number, right: number, word: number): void {
    const pair = this.#pairOf(left, right)
    this.#count.values[pair]! += this.#frequency.values[word]!
    const head = this.#head.values[pair]!
    if (head >= 0 && this.#cellWord.values[head] === word) return
    this.#cellNext.push(head)
    this.#head.values[pair] = this.#cellWord.push(word)
  }

  #pairOf(left: number, right: number): number {
    const known = this.#pairs.get(left, right)
    if (known >= 0) return known
    const pair = this.#left.push(left)
    this.#right.push(right)
    this.#count.push(0)
    this.#head.push(-1)
    this.#pairs.set(left, right, pair)
    return pair
  }

  #queueNewPairs(): void {
    for (; this.#queuedPairs < this.#left.length; this.#queuedPairs++) {
      const count = this.#count.values[this.#queuedPairs]!
      invariant(count >= 0, "a pair occurs less than never")
      this.#queuedCount.push(count)
      if (count >= MIN_COUNT) this.#heap.push(this.#queuedPairs)
    }
  }

  #isBetter(a: number, b: number): boolean {
    const difference = this.#queuedCount.values[a]! - this.#queuedCount.values[b]!
    if (difference !== 0) return difference > 0
    const lefts = this.#left.values[a]! - this.#left.values[b]!
    return lefts !== 0 ? lefts < 0 : this.#right.values[a]! < this.#right.values[b]!
  }
}
