// A text as a row of numbers: its words or its characters, normalized, each with its place.
import type { Sliced } from "../baselines/slices.ts"

/** How words are told apart and what counts as the same word. */
export const WORD_NORMALIZATION =
  "words are runs of letters, marks and digits (Unicode), compared in lower case and compatibility form (NFKC); punctuation and white space are ignored"

/** Told for each symbol: its number, and its place in UTF-16 units. */
type Visit = (symbol: number, start: number, end: number) => void

/** Cuts a text into symbols, in order, with pauses. */
export type Cut = (text: string, visit: Visit) => Sliced<void>

/** Symbols between two pauses. */
const SYMBOLS_PER_SLICE = 4096

/** Words as 32-bit hashes, by {@link WORD_NORMALIZATION}. */
export function* cutWords(text: string, visit: Visit): Sliced<void> {
  const word = /[\p{L}\p{M}\p{N}]+/gu
  let count = 0
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    visit(hashOf(match[0].normalize("NFKC").toLowerCase()), match.index, word.lastIndex)
    if (++count % SYMBOLS_PER_SLICE === 0) yield
  }
}

/** Code points, as they are. */
export function* cutCharacters(text: string, visit: Visit): Sliced<void> {
  let count = 0
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at)!
    const end = at + (point > 0xffff ? 2 : 1)
    visit(point, at, end)
    at = end
    if (++count % SYMBOLS_PER_SLICE === 0) yield
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** A small text, cut. */
export interface SymbolText {
  readonly symbols: Uint32Array
  /** Where each begins and ends in the text, UTF-16 units. */
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

/** All symbols of a text that fits memory. */
export function* symbolsOf(text: string, cut: Cut): Sliced<SymbolText> {
  const [symbols, starts, ends]: [number[], number[], number[]] = [[], [], []]
  yield* cut(text, (symbol, start, end) => {
    symbols.push(symbol)
    starts.push(start)
    ends.push(end)
  })
  return { symbols: Uint32Array.from(symbols), starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) }
}
