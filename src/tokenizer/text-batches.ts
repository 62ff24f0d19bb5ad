// Texts in batches of much the same length: short ones together, long ones cut where their words stay whole.
import { requireWellFormed } from "./assemble.ts"

/** UTF-16 units of a batch: about two milliseconds of counting. */
const BATCH_UNITS = 1 << 17

/** UTF-16 units without a blank that stay one piece: half a second of merging pairs or more, and more than any word has. */
const MOST_WORD_UNITS = 1 << 20

/** @throws DataError  for a text with a lone surrogate */
export async function* batchesOf(texts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let batch: string[] = []
  let units = 0
  for await (const text of texts) {
    requireWellFormed(text)
    for (const piece of piecesOf(text, BATCH_UNITS)) {
      batch.push(piece)
      units += piece.length
      if (units < BATCH_UNITS) continue
      yield batch
      batch = []
      units = 0
    }
  }
  if (units > 0) yield batch
}

/** `text` in pieces of at most `most` units, from half of that on if it goes on. */
export function* piecesOf(text: string, most: number): Generator<string> {
  let at = 0
  for (let end = 0; at < text.length; at = end) {
    end = at + most < text.length ? cutBefore(text, at + most, at + most / 2) : text.length
    yield text.slice(at, end)
  }
}

/**
 * `text` in pieces of about `most` units that have the tokens of the whole, whatever the tokenizer: each ends where a word ends
 * in any text around it. A stretch without such a place is one piece, up to {@link MOST_WORD_UNITS} more: there it is cut between
 * two characters, and tokens may differ from those of the whole.
 */
export function* wholeWordPieces(text: string, most: number): Generator<string> {
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = wordEndFrom(text, at + most)
    yield text.slice(at, end)
  }
}

/** The first place from `least` on where a word ends, or the end of the text; after {@link MOST_WORD_UNITS} any character's. */
function wordEndFrom(text: string, least: number): number {
  const most = least + MOST_WORD_UNITS
  let at = least
  while (at < text.length && at < most && !isWordEnd(text, at)) at++
  return at === most && isLowSurrogate(text.charCodeAt(at)) ? at + 1 : at
}

/**
 * The last place from `least` to `most` where a blank follows something visible: a word ends there, whatever stands around.
 * A text without such a place is cut at `most`, maybe within a word; never between the halves of a surrogate pair.
 */
function cutBefore(text: string, most: number, least: number): number {
  for (let at = most; at > least; at--) if (isWordEnd(text, at)) return at
  return isLowSurrogate(text.charCodeAt(most)) ? most - 1 : most
}

const isWordEnd = (text: string, at: number): boolean => isBlank(text.charCodeAt(at)) && isVisible(text[at - 1]!)
const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a
/** JavaScript's white space lacks U+0085, which Unicode's has. */
const isVisible = (character: string): boolean => /[^\s\u0085]/.test(character)
const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code < 0xe000
