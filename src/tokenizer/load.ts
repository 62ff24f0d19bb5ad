// From a tokenizer.json of ours (or one that asks for nothing more) back to a tokenizer.
import { FormatError } from "../core/index.ts"
import { parseTokenizerJson, type TokenizerJson } from "../formats/index.ts"
import { createBpe } from "./bpe.ts"
import { lettersToBytes } from "./byte-letters.ts"
import { createCharacters } from "./characters.ts"
import type { Tokenizer } from "./tokenizer.ts"

/**
 * Reads a tokenizer.json: byte-level BPE with GPT-2's word rule, bytes, or characters.
 *
 * @throws FormatError  if the file is damaged, or asks for a part that is not supported
 */
export function loadTokenizer(text: string): Tokenizer {
  const json = parseTokenizerJson(text)
  if (json.normalizer !== null) throw unsupported("a normalizer")
  const specials = json.addedTokens.filter(({ special }) => special)
  if (specials.length !== json.addedTokens.length) throw unsupported("added tokens that are not special")
  const decoder = (json.decoder as { type?: unknown } | null)?.type
  if (decoder === "Fuse" && json.merges.length === 0) return loadCharacters(json)
  if (decoder !== "ByteLevel") throw unsupported(`the decoder ${String(decoder)}`)
  return loadBpe(json)
}

const unsupported = (what: string): FormatError =>
  new FormatError(`tokenizer.json: ${what} is not supported`, {
    hint: "supported are byte-level BPE as in GPT-2, bytes and characters",
  })

function specialTokensOf(json: TokenizerJson): Map<string, number> {
  return new Map(json.addedTokens.map(({ content, id }) => [content, id]))
}

function loadCharacters(json: TokenizerJson): Tokenizer {
  const specials = specialTokensOf(json)
  const characters = json.vocab.filter((token) => !specials.has(token))
  if (!characters.every((token) => [...token].length === 1))
    throw new FormatError("tokenizer.json: a character vocabulary must hold single characters")
  if (characters.some((character, id) => json.vocab[id] !== character))
    throw new FormatError("tokenizer.json: special tokens must come after the characters")
  return createCharacters(characters, [...specials.keys()])
}

function loadBpe(json: TokenizerJson): Tokenizer {
  requireByteLevel(json)
  const specialTokens = specialTokensOf(json)
  const ids = new Map(json.vocab.map((token, id) => [token, id]))
  const tokens = json.vocab.map((token) => {
    if (specialTokens.has(token)) return new Uint8Array(0)
    return lettersToBytes(token) ?? fail(`token ${JSON.stringify(token)} is not written in byte letters`)
  })
  const idOf = (token: string): number =>
    ids.get(token) ?? fail(`a merge names ${JSON.stringify(token)}, which is no token`)
  const merges = json.merges.map(([left, right]) => ({
    left: idOf(left),
    right: idOf(right),
    joined: idOf(left + right),
  }))
  return createBpe({ tokens, merges, specialTokens })
}

const fail = (message: string): never => {
  throw new FormatError(`tokenizer.json: ${message}`)
}

function requireByteLevel(json: TokenizerJson): void {
  const pre = json.preTokenizer as { type?: unknown; add_prefix_space?: unknown; use_regex?: unknown } | null
  if (pre?.type !== "ByteLevel" || pre.add_prefix_space === true)
    throw unsupported("a pre-tokenizer other than ByteLevel without prefix space")
  if (json.merges.length > 0 && pre.use_regex === false) throw unsupported("ByteLevel without its word rule")
  if (json.ignoreMerges) throw unsupported("ignore_merges")
}
