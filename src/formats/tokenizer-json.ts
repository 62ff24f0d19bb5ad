// tokenizer.json as Hugging Face's tokenizers library writes it, for byte-level BPE and its relatives: plain data, checked
// once. What the parts mean is the tokenizer room's business.
import { FormatError } from "../core/index.ts"
import { parseJsonStrictly } from "./json.ts"

export interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special: boolean
}

export interface TokenizerJson {
  readonly addedTokens: readonly AddedToken[]
  /** Parts other than the model, as they stand in the file; `null` where absent. */
  readonly normalizer: unknown
  readonly preTokenizer: unknown
  readonly postProcessor: unknown
  readonly decoder: unknown
  /** Token text by id, without gaps; no text twice, none empty. */
  readonly vocab: readonly string[]
  readonly merges: readonly (readonly [string, string])[]
  /** Joins to longest entries before merging; ours never do. */
  readonly ignoreMerges: boolean
}

/** A vocabulary larger than any in use is damage; it also bounds memory. */
const MAX_VOCABULARY = 2_000_000

/**
 * Reads the parts we know of a tokenizer.json.
 *
 * @throws FormatError  if it is not JSON, not a BPE model, asks for what we would do differently, or its ids do not form
 *                      0 … n-1
 */
export function parseTokenizerJson(text: string): TokenizerJson {
  const root = parseJsonStrictly(text)
  if (!(root instanceof Map)) throw damaged("the file must be an object")
  const model: unknown = root.get("model")
  if (!(model instanceof Map) || model.get("type") !== "BPE")
    throw damaged("the model must be of type BPE", "other kinds are not read yet")
  refuseVariants(model)
  const addedTokens = readAddedTokens(root.get("added_tokens") ?? [])
  return {
    addedTokens,
    normalizer: plain(root.get("normalizer")),
    preTokenizer: plain(root.get("pre_tokenizer")),
    postProcessor: plain(root.get("post_processor")),
    decoder: plain(root.get("decoder")),
    vocab: readVocab(model.get("vocab"), addedTokens),
    merges: readMerges(model.get("merges") ?? []),
    ignoreMerges: model.get("ignore_merges") === true,
  }
}

/** The file's text. */
export function serializeTokenizerJson(json: TokenizerJson): string {
  const settings = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: json.addedTokens.map((token) => ({ ...token, ...ADDED_TOKEN_SETTINGS })),
    normalizer: json.normalizer,
    pre_tokenizer: json.preTokenizer,
    post_processor: json.postProcessor,
    decoder: json.decoder,
  }
  const model = { type: "BPE", ...MODEL_SETTINGS, ignore_merges: json.ignoreMerges }
  // The vocabulary is written entry by entry: an object would put names that look like numbers first.
  const vocab = json.vocab.map((token, id) => `${JSON.stringify(token)}:${id}`).join(",")
  const rest = `"vocab":{${vocab}},"merges":${JSON.stringify(json.merges)}`
  return `${JSON.stringify(settings).slice(0, -1)},"model":${JSON.stringify(model).slice(0, -1)},${rest}}}`
}

const ADDED_TOKEN_SETTINGS = { single_word: false, lstrip: false, rstrip: false, normalized: false }
const MODEL_SETTINGS = {
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
}

const damaged = (message: string, hint?: string): FormatError =>
  new FormatError(`tokenizer.json: ${message}`, hint === undefined ? {} : { hint })

/** What would change the ids, and is neither ours nor GPT-2's. */
function refuseVariants(model: ReadonlyMap<string, unknown>): void {
  for (const key of ["continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "dropout"])
    if (model.get(key)) throw damaged(`model.${key} ${JSON.stringify(plain(model.get(key)))} is not supported`)
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
/** A token's text: half a surrogate pair is none. */
const isText = (value: unknown): value is string => typeof value === "string" && value !== "" && value.isWellFormed()

function readAddedTokens(value: unknown): AddedToken[] {
  if (!Array.isArray(value)) throw damaged("added_tokens must be a list")
  const seen = new Set<string>()
  return value.map((entry: unknown) => {
    const [id, content] = entry instanceof Map ? [entry.get("id"), entry.get("content")] : []
    if (!isId(id) || !isText(content)) throw damaged("an added token needs an id and its content")
    if (seen.has(content)) throw damaged(`two added tokens are ${JSON.stringify(content)}`)
    seen.add(content)
    return { id, content, special: (entry as Map<string, unknown>).get("special") === true }
  })
}

/** Added tokens may stand in the model's vocabulary or only in their own list. */
function readVocab(value: unknown, added: readonly AddedToken[]): string[] {
  if (!(value instanceof Map)) throw damaged("model.vocab must be an object")
  const ids = new Map<string, unknown>(value)
  for (const { content, id } of added) {
    if (ids.has(content) && ids.get(content) !== id)
      throw damaged(`the added token ${JSON.stringify(content)} has two ids`)
    ids.set(content, id)
  }
  if (ids.size > MAX_VOCABULARY) throw damaged(`more than ${MAX_VOCABULARY} tokens`)
  const vocab = new Array<string>(ids.size).fill("")
  for (const [token, id] of ids) {
    if (!isText(token)) throw damaged(`the token ${JSON.stringify(token)} is empty or has a lone surrogate`)
    if (!isId(id) || id >= ids.size)
      throw damaged(`token ${JSON.stringify(token)} has id ${String(id)}, expected 0 … ${ids.size - 1} without gaps`)
    if (vocab[id] !== "") throw damaged(`two tokens have id ${id}`)
    vocab[id] = token
  }
  return vocab
}

function readMerges(value: unknown): [string, string][] {
  if (!Array.isArray(value)) throw damaged("model.merges must be a list")
  return value.map((merge: unknown, rank) => {
    const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(isText))
      throw damaged(`merge ${rank} must be a pair of tokens`)
    return pair as [string, string]
  })
}

/** Maps back to plain objects without a prototype, for parts that are only passed on. */
function plain(value: unknown): unknown {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof Map)) return value
  const object: { [key: string]: unknown } = Object.create(null)
  for (const [key, item] of value as Map<string, unknown>) object[key] = plain(item)
  return object
}
