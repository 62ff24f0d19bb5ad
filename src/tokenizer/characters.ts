// One token per character (Unicode code point), sorted by code point. Small alphabets, exact benchmarks, no surprises.
import { DataError, endOfWellFormedUtf8 } from "../core/index.ts"
import { assembleTokenizer, requireWellFormed, specialTokensAfter } from "./assemble.ts"
import type { IdWriter } from "./id-writer.ts"
import { END_OF_TEXT, type Tokenizer } from "./tokenizer.ts"

export interface CharactersOptions {
  /** Default: `<|endoftext|>`. */
  readonly specialTokens?: readonly string[]
}

const CODE_POINTS = 0x110000
const UNKNOWN_HINT = "leave it out, or train with a bpe or bytes tokenizer, which know every text"

/**
 * A tokenizer for the characters that occur in `texts`.
 *
 * @throws DataError    if there is no text at all, or it has a lone surrogate
 * @throws ConfigError  if a special token is a single character of the text
 */
export async function charactersTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  options: CharactersOptions = {},
): Promise<Tokenizer> {
  const seen = new Uint8Array(CODE_POINTS)
  for await (const text of texts) {
    requireWellFormed(text)
    for (let at = 0; at < text.length; at++) {
      const code = text.codePointAt(at)!
      if (code > 0xffff) at++
      seen[code] = 1
    }
  }
  const characters: string[] = []
  for (let code = seen.indexOf(1); code >= 0; code = seen.indexOf(1, code + 1))
    characters.push(String.fromCodePoint(code))
  if (characters.length === 0) throw new DataError("there is no text to take characters from")
  return createCharacters(characters, options.specialTokens ?? [END_OF_TEXT])
}

/** A tokenizer for exactly these characters; special tokens come after them. */
export function createCharacters(characters: readonly string[], specialTexts: readonly string[]): Tokenizer {
  const specialTokens = specialTokensAfter(characters, specialTexts)
  const encoder = new TextEncoder()
  const codes = characters.map((character) => character.codePointAt(0)!)
  const ids = new Int32Array(codes.reduce((a, b) => Math.max(a, b), 0) + 1).fill(-1)
  for (const [id, code] of codes.entries()) ids[code] = id
  const encodePlain = (text: string, out: IdWriter, offset: number): void => {
    for (let at = 0; at < text.length; at++) {
      const code = text.codePointAt(at)!
      const id = ids[code] ?? -1
      if (id < 0) unknownCharacter(code, offset + at)
      if (code > 0xffff) at++
      out.push(id)
    }
  }
  return assembleTokenizer({
    kind: "characters",
    tokens: [...characters.map((character) => encoder.encode(character)), ...specialTexts.map(() => new Uint8Array(0))],
    names: [...characters, ...specialTexts],
    specialTokens,
    expectedIds: (units) => units,
    encodePlain,
    encodeBytes: (bytes, out) => encodePlain(requireUtf8(bytes), out, 0),
    // A BPE model without merges splits into characters by itself; `Fuse` joins them again without spaces.
    json: { preTokenizer: null, decoder: { type: "Fuse" }, merges: [] },
  })
}

function unknownCharacter(code: number, at: number): never {
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`
  const character = JSON.stringify(String.fromCodePoint(code))
  throw new DataError(`the character ${character} (${name}) at position ${at} is not in the vocabulary`, UNKNOWN_HINT)
}

function requireUtf8(bytes: Uint8Array): string {
  const end = endOfWellFormedUtf8(bytes)
  if (end < bytes.length)
    throw new DataError(`byte ${end} begins no UTF-8 character, and this vocabulary has only characters`, UNKNOWN_HINT)
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
}
