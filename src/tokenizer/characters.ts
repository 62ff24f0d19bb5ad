// One token per character (Unicode code point), sorted by code point. Small alphabets, exact benchmarks, no surprises.
import { DataError } from "../core/index.ts"
import { serializeTokenizerJson } from "../formats/index.ts"
import {
  bytesOfToken,
  decodeUtf8,
  END_OF_TEXT,
  joinBytes,
  requireWellFormed,
  splitAtSpecial,
  type Tokenizer,
} from "./tokenizer.ts"

export interface CharactersOptions {
  /** Default: `<|endoftext|>`. */
  readonly specialTokens?: readonly string[]
}

/**
 * A tokenizer for the characters that occur in `texts`.
 *
 * @throws DataError  if there is no text at all, or it has a lone surrogate
 */
export async function charactersTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  options: CharactersOptions = {},
): Promise<Tokenizer> {
  const seen = new Set<string>()
  for await (const text of texts) {
    requireWellFormed(text)
    for (const character of text) seen.add(character)
  }
  if (seen.size === 0) throw new DataError("there is no text to take characters from")
  const characters = [...seen].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)
  return createCharacters(characters, options.specialTokens ?? [END_OF_TEXT])
}

/** A tokenizer for exactly these characters; special tokens come after them. */
export function createCharacters(characters: readonly string[], specialTexts: readonly string[]): Tokenizer {
  const ids = new Map(characters.map((character, id) => [character, id]))
  const specialTokens = new Map(specialTexts.map((text, i) => [text, characters.length + i]))
  const encoder = new TextEncoder()
  const tokens = [
    ...characters.map((character) => encoder.encode(character)),
    ...specialTexts.map(() => new Uint8Array(0)),
  ]
  const tokenBytes = (id: number) => bytesOfToken(tokens, id)
  const decodeBytes = (list: ArrayLike<number>) => joinBytes(list, tokenBytes)
  const encodePlain = (text: string, out: number[]): void => {
    for (const character of text) out.push(ids.get(character) ?? unknownCharacter(character, text))
  }
  return {
    kind: "characters",
    vocabSize: tokens.length,
    specialTokens,
    endOfText: specialTokens.get(END_OF_TEXT),
    encode(text, { allowSpecial = false } = {}) {
      requireWellFormed(text)
      const out: number[] = []
      if (allowSpecial)
        splitAtSpecial(
          text,
          specialTokens,
          (plain) => encodePlain(plain, out),
          (id) => out.push(id),
        )
      else encodePlain(text, out)
      return Int32Array.from(out)
    },
    decode: (list) => decodeUtf8(decodeBytes(list)),
    decodeBytes,
    tokenBytes,
    toJson: () => toJson(characters, specialTokens),
  }
}

function unknownCharacter(character: string, text: string): never {
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")
  throw new DataError(
    `the character ${JSON.stringify(character)} (U+${code}) at position ${text.indexOf(character)} is not in the vocabulary`,
    "leave it out, or train with a bpe or bytes tokenizer, which know every text",
  )
}

/** A BPE model without merges splits into characters by itself; `Fuse` joins them again without spaces. */
function toJson(characters: readonly string[], specialTokens: ReadonlyMap<string, number>): string {
  return serializeTokenizerJson({
    addedTokens: [...specialTokens].map(([content, id]) => ({ id, content, special: true })),
    normalizer: null,
    preTokenizer: null,
    postProcessor: null,
    decoder: { type: "Fuse" },
    vocab: [...characters, ...specialTokens.keys()],
    merges: [],
    ignoreMerges: false,
  })
}
