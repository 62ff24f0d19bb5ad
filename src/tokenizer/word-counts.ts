// How often each word of some texts occurs: the whole of what learning a vocabulary needs to know about them. Counts of
// different threads are added up, so it does not matter who counted what.
import { endOfWord } from "./pre-tokenize.ts"
import { WordTable } from "./word-table.ts"

/** A longer word is no word; it is counted in pieces, which bounds the work of a join. */
const MAX_WORD_BYTES = 1024

/** Words and their counts as plain data: word `i` is `bytes[starts[i]..starts[i + 1])` and occurs `counts[i]` times. */
export interface WordList {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly counts: readonly number[]
}

export class WordCounts {
  readonly #words = new WordTable()
  readonly #counts: number[] = []
  readonly #encoder = new TextEncoder()

  /** Counts the words of a text. */
  add(text: string): void {
    const utf8 = this.#encoder.encode(text)
    for (let at = 0, end = 0; at < utf8.length; at = end) {
      end = endOfWord(utf8, at, Math.min(utf8.length, at + MAX_WORD_BYTES))
      this.#increase(utf8, at, end, 1)
    }
  }

  /** Adds what another counted. */
  merge({ bytes, starts, counts }: WordList): void {
    for (const [i, count] of counts.entries()) this.#increase(bytes, starts[i]!, starts[i + 1]!, count)
  }

  #increase(bytes: Uint8Array, from: number, to: number, count: number): void {
    const word = this.#words.numberOf(bytes, from, to)
    this.#counts[word] = (this.#counts[word] ?? 0) + count
  }

  /** All words so far; a word may stand there twice, its count divided. */
  list(): WordList {
    return { ...this.#words.list(), counts: this.#counts }
  }
}
