// Learning a byte-pair vocabulary: count each distinct word once, then join the most frequent pair of neighbors over and
// over. @see Sennrich et al. 2016, arXiv:1508.07909, algorithm 1
import { platform } from "#platform"
import { ConfigError, DataError } from "../core/index.ts"
import { specialTokensAfter } from "./assemble.ts"
import { createBpe } from "./bpe.ts"
import { BYTE_LETTERS } from "./byte-letters.ts"
import { Corpus } from "./corpus.ts"
import { CountingTeam } from "./counting-team.ts"
import type { Join } from "./join.ts"
import { batchesOf } from "./text-batches.ts"
import { END_OF_TEXT, type Tokenizer } from "./tokenizer.ts"
import type { WordList } from "./word-counts.ts"

export interface TrainBpeOptions {
  /** Bytes, joins and special tokens together; at least 256 and the special tokens. */
  readonly vocabSize: number
  /** Default: `<|endoftext|>`. */
  readonly specialTokens?: readonly string[]
  /**
   * Threads that count words, the calling one included; the vocabulary is the same for any number. Default: as many as the
   * machine has cores and the reader keeps busy, once a text is longer than some megabytes. Where workers cannot be started
   * (a bundler left `kinglet/dist/tokenizer/counting-worker.js` behind), it is one.
   */
  readonly threads?: number
  /** `done` counts characters read, by so many `threads`, then pairs joined. */
  readonly onProgress?: (progress: {
    readonly phase: "count" | "join"
    readonly done: number
    readonly total?: number
    readonly threads?: number
  }) => void
  /** Called between pieces of work of some milliseconds, so that timers and signals get their turn. */
  readonly yieldToEventLoop?: () => Promise<void>
}

export interface TrainedTokenizer extends Tokenizer {
  /** Why the vocabulary is smaller than asked for, where it is. */
  readonly note?: string
}

/** Work between two turns of the event loop: words added, words visited by joins. */
const WORDS_A_TURN = 5_000
/**
 * Characters that the calling thread counts before it looks for help. A worker takes 40 ms to start and is slow until it is
 * compiled: reading and counting 28 MB fell from 0.70 to 0.56 s on two cores, 8 MB took as long as before.
 */
const ALONE_UP_TO = 4e6

/**
 * Trains on texts. The vocabulary is smaller than asked for where the text has no pair left that occurs twice; `note` says so.
 *
 * Ties between equally frequent pairs go to the smaller left id, then the smaller right id: the result depends on the texts
 * alone, and not on their order. Ids are the 256 bytes, joins in the order they were learned, special tokens. No join is
 * learned that would be spelled like a special token.
 *
 * @throws ConfigError  if `vocabSize` cannot hold the bytes and special tokens, or `threads` is no number of threads
 * @throws DataError    if there is no text at all, or it has a lone surrogate
 */
export async function trainBpe(
  texts: Iterable<string> | AsyncIterable<string>,
  options: TrainBpeOptions,
): Promise<TrainedTokenizer> {
  const { vocabSize, specialTokens = [END_OF_TEXT], threads = 1 } = options
  const joins = vocabSize - 256 - specialTokens.length
  if (!Number.isInteger(vocabSize) || joins < 0)
    throw new ConfigError(
      `vocabSize must be at least ${256 + specialTokens.length} (256 bytes and ${specialTokens.length} special tokens), got ${vocabSize}`,
    )
  if (!Number.isInteger(threads) || threads < 1)
    throw new ConfigError(`threads must be a whole number from 1 on, got ${threads}`)
  specialTokensAfter(BYTE_LETTERS, specialTokens)
  const corpus = await corpusOf(await countWords(texts, options), options.yieldToEventLoop)
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

/** The distinct words of the texts with their counts. */
async function countWords(
  texts: Iterable<string> | AsyncIterable<string>,
  { onProgress, yieldToEventLoop, threads }: TrainBpeOptions,
): Promise<WordList> {
  const team = new CountingTeam({ threads: threads ?? platform.cores() })
  let done = 0
  try {
    for await (const batch of batchesOf(texts)) {
      await team.count(batch, threads !== undefined || done > ALONE_UP_TO)
      for (const text of batch) done += text.length
      onProgress?.({ phase: "count", done, threads: team.threads })
      await yieldToEventLoop?.()
    }
    if (done === 0) throw new DataError("there is no text to learn a vocabulary from")
    return await team.words()
  } finally {
    await team.close()
  }
}

async function corpusOf(
  { bytes, starts, counts }: WordList,
  yieldToEventLoop: TrainBpeOptions["yieldToEventLoop"],
): Promise<Corpus> {
  const corpus = new Corpus()
  for (const [word, count] of counts.entries()) {
    corpus.add(bytes.subarray(starts[word], starts[word + 1]), count)
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
