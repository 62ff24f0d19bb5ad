// From a tokenizer.json of ours (or one that asks for nothing more) back to a tokenizer.
import { FormatError } from "../core/index.ts"
import { parseTokenizerJson, type TokenizerJson } from "../formats/index.ts"
import { createBpe } from "./bpe.ts"
import { lettersToBytes } from "./byte-letters.ts"
import { createCharacters } from "./characters.ts"
import type { Join } from "./join.ts"
import type { Tokenizer } from "./tokenizer.ts"

/**
 * Reads a tokenizer.json: byte-level BPE with GPT-2's word rule, bytes, or characters.
 *
 * @throws FormatError  if the file is damaged, or asks for a part that is not supported
 */
export function loadTokenizer(text: string): Tokenizer {
  const json = parseTokenizerJson(text)
  if (json.normalizer !== null) throw unsupported("a normalizer")
  if (json.ignoreMerges) throw unsupported("ignore_merges")
  if (!json.addedTokens.every(({ special }) => special)) throw unsupported("added tokens that are not special")
  const post = typeOf(json.postProcessor)
  if (post !== undefined && post !== "ByteLevel") throw unsupported(`the post-processor ${JSON.stringify(post)}`)
  const decoder = typeOf(json.decoder)
  if (decoder === "Fuse" && json.preTokenizer === null && json.merges.length === 0) return loadCharacters(json)
  if (decoder === "ByteLevel") return loadBpe(json)
  throw unsupported(`the decoder ${JSON.stringify(decoder) ?? "none"} with these parts`)
}

const typeOf = (part: unknown): unknown => (part as { type?: unknown } | null)?.type

const unsupported = (what: string): FormatError =>
  new FormatError(`tokenizer.json: ${what} is not supported`, {
    hint: "supported are byte-level BPE as in GPT-2, bytes and characters",
  })

const fail = (message: string): never => {
  throw new FormatError(`tokenizer.json: ${message}`)
}

const specialTokensOf = (json: TokenizerJson): Map<string, number> =>
  new Map(json.addedTokens.map(({ content, id }) => [content, id]))

function loadCharacters(json: TokenizerJson): Tokenizer {
  const specials = specialTokensOf(json)
  const characters = json.vocab.filter((token) => !specials.has(token))
  const odd = characters.find((token) => [...token].length !== 1 || !token.isWellFormed())
  if (odd !== undefined) fail(`a character vocabulary must hold single characters, got ${JSON.stringify(odd)}`)
  if ([...characters, ...specials.keys()].some((token, id) => json.vocab[id] !== token))
    fail("special tokens must come after the characters, in the order of their ids")
  return createCharacters(characters, [...specials.keys()])
}

function loadBpe(json: TokenizerJson): Tokenizer {
  const kind = kindOf(json)
  const specialTokens = specialTokensOf(json)
  const tokens = json.vocab.map((token) => {
    if (specialTokens.has(token)) return new Uint8Array(0)
    return lettersToBytes(token) ?? fail(`token ${JSON.stringify(token)} is not written in byte letters`)
  })
  return createBpe({ kind, tokens, merges: mergesOf(json, specialTokens), specialTokens })
}

function kindOf({ preTokenizer, merges }: TokenizerJson): "bytes" | "bpe" {
  const options = preTokenizer as { type?: unknown; add_prefix_space?: unknown; use_regex?: unknown } | null
  // Absent, `add_prefix_space` is true in the tokenizers library.
  if (options?.type !== "ByteLevel" || options.add_prefix_space !== false)
    throw unsupported("a pre-tokenizer other than ByteLevel without prefix space")
  if (options.use_regex !== false) return "bpe"
  if (merges.length > 0) throw unsupported("ByteLevel without its word rule")
  return "bytes"
}

function mergesOf({ vocab, merges }: TokenizerJson, specialTokens: ReadonlyMap<string, number>): Join[] {
  const ids = new Map(vocab.map((token, id) => [token, id]))
  for (const text of specialTokens.keys()) ids.delete(text)
  const seen = new Set<number>()
  const idOf = (token: string): number =>
    ids.get(token) ?? fail(`a merge names ${JSON.stringify(token)}, which is no token`)
  return merges.map(([first, second]) => {
    const [left, right] = [idOf(first), idOf(second)]
    const pair = left * vocab.length + right
    if (seen.has(pair)) fail(`the merge of ${JSON.stringify(first)} and ${JSON.stringify(second)} is given twice`)
    seen.add(pair)
    return { left, right, joined: idOf(first + second) }
  })
}
