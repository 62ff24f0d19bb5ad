// Learning a byte-pair vocabulary: count each distinct word once, then join the most frequent pair of neighbors over and
// over. @see Sennrich et al. 2016, arXiv:1508.07909, algorithm 1
import { ConfigError, DataError } from "../core/index.ts"
import { requireWellFormed, specialTokensAfter } from "./assemble.ts"
import { createBpe } from "./bpe.ts"
import { BYTE_LETTERS } from "./byte-letters.ts"
import { Corpus } from "./corpus.ts"
import type { Join } from "./join.ts"
import { endOfWord } from "./pre-tokenize.ts"
import { END_OF_TEXT, type Tokenizer } from "./tokenizer.ts"
import { WordTable } from "./word-table.ts"

export interface TrainBpeOptions {
  /** Bytes, joins and special tokens together; at least 256 and the special tokens. */
  readonly vocabSize: number
  /** Default: `<|endoftext|>`. */
  readonly specialTokens?: readonly string[]
  /** `done` counts characters read, then pairs joined. */
  readonly onProgress?: (progress: {
    readonly phase: "count" | "join"
    readonly done: number
    readonly total?: number
  }) => void
  /** Called between pieces of work of some milliseconds, so that timers and signals get their turn. */
  readonly yieldToEventLoop?: () => Promise<void>
}

export interface TrainedTokenizer extends Tokenizer {
  /** Why the vocabulary is smaller than asked for, where it is. */
  readonly note?: string
}

/** Work between two turns of the event loop: characters counted, words added, words visited by joins. */
const CHARACTERS_A_TURN = 50_000
const WORDS_A_TURN = 5_000
/** A longer word is no word; it is counted in pieces, which bounds the work of a join. */
const MAX_WORD_UNITS = 1024

/**
 * Trains on texts. The vocabulary is smaller than asked for where the text has no pair left that occurs twice; `note` says so.
 *
 * Ties between equally frequent pairs go to the smaller left id, then the smaller right id: the result depends on the texts
 * alone, and not on their order. Ids are the 256 bytes, joins in the order they were learned, special tokens. No join is
 * learned that would be spelled like a special token.
 *
 * @throws ConfigError  if `vocabSize` cannot hold the bytes and special tokens
 * @throws DataError    if there is no text at all, or it has a lone surrogate
 */
export async function trainBpe(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainBpeOptions,
): Promise<TrainedTokenizer> {
  const { vocabSize, specialTokens = [END_OF_TEXT] } = options
  const joins = vocabSize - 256 - specialTokens.length
  if (!Number.isInteger(vocabSize) || joins < 0)
    throw new ConfigError(
      `vocabSize must be at least ${256 + specialTokens.length} (256 bytes and ${specialTokens.length} special tokens), got ${vocabSize}`,
    )
  specialTokensAfter(BYTE_LETTERS, specialTokens)
  const corpus = await countWords(texts, options)
  const { merges, names } = await learnJoins(corpus, joins, options)
  const tokenizer = createBpe({
    kind: "bpe",
    tokens: tokensOf(merges, specialTokens.length),
    merges,
    specialTokens: specialTokensAfter(names, specialTokens),
  })
  if (merges.length === joins) return tokenizer
  return { ...tokenizer, note: `the text has pairs for ${tokenizer.vocabSize} tokens of the ${vocabSize} asked for` }
}

function tokensOf(merges: readonly Join[], specials: number): Uint8Array[] {
  const tokens = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))
  for (const { left, right } of merges) tokens.push(Uint8Array.from([...tokens[left]!, ...tokens[right]!]))
  for (let i = 0; i < specials; i++) tokens.push(new Uint8Array(0))
  return tokens
}

async function countWords(
  texts: Iterable<string> | AsyncIterable<string>,
  { onProgress, yieldToEventLoop }: TrainBpeOptions,
): Promise<Corpus> {
  const words = new WordTable()
  const counts: number[] = []
  let done = 0
  let sinceTurn = 0
  for await (const text of texts) {
    requireWellFormed(text)
    for (let at = 0, end = 0; at < text.length; at = end) {
      end = endOfWord(text, at, wordLimit(text, at))
      const word = words.numberOf(text, at, end)
      counts[word] = (counts[word] ?? 0) + 1
      sinceTurn += end - at
      if (sinceTurn < CHARACTERS_A_TURN) continue
      done += sinceTurn
      sinceTurn = 0
      onProgress?.({ phase: "count", done })
      await yieldToEventLoop?.()
    }
  }
  if (words.size === 0) throw new DataError("there is no text to learn a vocabulary from")
  return corpusOf(words, counts, yieldToEventLoop)
}

/** Where a word that begins at `at` is cut at the latest; never between the halves of a surrogate pair. */
function wordLimit(text: string, at: number): number {
  const limit = at + MAX_WORD_UNITS
  if (limit >= text.length) return text.length
  const code = text.charCodeAt(limit)
  return code >= 0xdc00 && code < 0xe000 ? limit - 1 : limit
}

async function corpusOf(
  words: WordTable,
  counts: readonly number[],
  yieldToEventLoop: TrainBpeOptions["yieldToEventLoop"],
): Promise<Corpus> {
  const corpus = new Corpus()
  const encoder = new TextEncoder()
  for (const [word, count] of counts.entries()) {
    corpus.add(encoder.encode(words.word(word)), count)
    if (word % WORDS_A_TURN === 0) await yieldToEventLoop?.()
  }
  return corpus
}

async function learnJoins(corpus: Corpus, joins: number, options: TrainBpeOptions) {
  const { specialTokens = [END_OF_TEXT], onProgress, yieldToEventLoop } = options
  const names = [...BYTE_LETTERS]
  const merges: Join[] = []
  let sinceTurn = 0
  for (let best = corpus.takeMostFrequent(); best && merges.length < joins; best = corpus.takeMostFrequent()) {
    const name = names[best.left]! + names[best.right]!
    if (specialTokens.includes(name)) continue
    const joined = names.push(name) - 1
    merges.push({ ...best, joined })
    sinceTurn += corpus.join(best, joined)
    if (sinceTurn < WORDS_A_TURN) continue
    sinceTurn = 0
    onProgress?.({ phase: "join", done: merges.length, total: joins })
    await yieldToEventLoop?.()
  }
  return { merges, names }
}
