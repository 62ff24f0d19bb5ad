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
  /** Token text by id, without gaps. */
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
 * @throws FormatError  if it is not JSON, not a BPE model, or its ids do not form 0 … n-1
 */
export function parseTokenizerJson(text: string): TokenizerJson {
  const root = parseJsonStrictly(new TextEncoder().encode(text))
  if (!(root instanceof Map)) throw new FormatError("tokenizer.json must be an object")
  const model = root.get("model")
  if (!(model instanceof Map) || model.get("type") !== "BPE")
    throw new FormatError("tokenizer.json: the model must be of type BPE", { hint: "other kinds are not read yet" })
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
  const added = json.addedTokens.map(({ id, content, special }) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  }))
  const vocab = `{${json.vocab.map((token, id) => `${JSON.stringify(token)}:${id}`).join(",")}}`
  const rest = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: json.normalizer,
    pre_tokenizer: json.preTokenizer,
    post_processor: json.postProcessor,
    decoder: json.decoder,
  }
  const model = {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: json.ignoreMerges,
    vocab: "@",
    merges: json.merges,
  }
  const body = JSON.stringify({ ...rest, model })
  // The vocabulary is written by hand: an object would put names that look like numbers first.
  const at = body.indexOf('"vocab":"@"') + '"vocab":'.length
  return body.slice(0, at) + vocab + body.slice(at + '"@"'.length)
}

function readAddedTokens(value: unknown): AddedToken[] {
  if (!Array.isArray(value)) throw new FormatError("tokenizer.json: added_tokens must be a list")
  return value.map((entry: unknown) => {
    const [id, content] = entry instanceof Map ? [entry.get("id"), entry.get("content")] : []
    if (!Number.isSafeInteger(id) || id < 0 || typeof content !== "string" || content === "")
      throw new FormatError("tokenizer.json: an added token needs an id and its content")
    return { id, content, special: (entry as Map<string, unknown>).get("special") === true }
  })
}

function readVocab(value: unknown, added: readonly AddedToken[]): string[] {
  if (!(value instanceof Map)) throw new FormatError("tokenizer.json: model.vocab must be an object")
  const entries = [...(value as Map<string, unknown>), ...added.map(({ content, id }) => [content, id] as const)]
  if (entries.length > MAX_VOCABULARY) throw new FormatError(`tokenizer.json: more than ${MAX_VOCABULARY} tokens`)
  const vocab: string[] = []
  for (const [token, id] of entries) {
    if (!Number.isSafeInteger(id) || (id as number) < 0 || (id as number) >= entries.length)
      throw new FormatError(
        `tokenizer.json: token ${JSON.stringify(token)} has id ${String(id)}, expected 0 … ${entries.length - 1}`,
      )
    if (vocab[id as number] !== undefined && vocab[id as number] !== token)
      throw new FormatError(`tokenizer.json: two tokens have id ${String(id)}`)
    vocab[id as number] = token
  }
  for (let id = 0; id < vocab.length; id++)
    if (vocab[id] === undefined) throw new FormatError(`tokenizer.json: no token has id ${id}`)
  return vocab
}

function readMerges(value: unknown): [string, string][] {
  if (!Array.isArray(value)) throw new FormatError("tokenizer.json: model.merges must be a list")
  return value.map((merge: unknown, rank) => {
    const pair: unknown = typeof merge === "string" ? merge.split(" ") : merge
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((part) => typeof part === "string" && part !== ""))
      throw new FormatError(`tokenizer.json: merge ${rank} must be a pair of tokens`)
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
