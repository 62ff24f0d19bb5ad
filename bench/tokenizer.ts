// Speed of byte-pair encoding: learning a vocabulary from a .jsonl.gz corpus on one thread and on several, reading included;
// encoding and decoding that corpus on one thread; cutting it into words, beside the regular expression that says the same;
// and encoding texts made to be slow. Processor seconds stand beside the clock's: on a busy machine they tell more.
// Run: npm run bench -- tokenizer [--data PATH] [--threads N] [--json]
import { platform } from "#platform"
import { files, textsOf } from "../src/data/index.ts"
import { type Tokenizer, trainBpe } from "../src/tokenizer/index.ts"
import { endOfWord } from "../src/tokenizer/pre-tokenize.ts"

export interface BenchTokenizerOptions {
  /** A .jsonl.gz of objects with a `text`. */
  readonly data: string
  /** Default 8192. */
  readonly vocabSize?: number
  /** Threads that count words; default: the machine's cores. */
  readonly threads?: number
}

/** Trainings on each number of threads, in turn; the median counts. */
const TRAININGS = 3

interface Timed<T> {
  readonly result: T
  readonly seconds: number
  readonly cpuSeconds: number
}

async function timed<T>(work: () => T | Promise<T>): Promise<Timed<T>> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const { user, system } = process.cpuUsage(cpu)
  return { result, seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
}

const round = (value: number) => Number(value.toPrecision(3))
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!
const megabytesOf = (texts: readonly string[]) =>
  texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0) / 1e6

/** Learns on one thread and on several in turn, reading as a run does; fails if the vocabularies differ. */
async function benchTraining(data: string, vocabSize: number, threads: number) {
  const seconds: { [key: string]: number[] } = { one: [], several: [] }
  const vocabularies = new Set<string>()
  let [seen, tokenizer] = [1, undefined as Tokenizer | undefined]
  for (let round = 0; round < TRAININGS; round++)
    for (const [key, count] of [["one", 1] as const, ["several", threads] as const]) {
      const onProgress = (progress: { threads?: number }) => (seen = Math.max(seen, progress.threads ?? 1))
      const options = { vocabSize, threads: count, onProgress }
      const training = await timed(() => trainBpe(textsOf(files(data).documents()), options))
      seconds[key]!.push(training.seconds)
      tokenizer = training.result
      vocabularies.add(tokenizer.toJson())
    }
  if (vocabularies.size > 1) throw new Error("the vocabulary depends on the number of threads")
  const [one, several] = [round(median(seconds["one"]!)), round(median(seconds["several"]!))]
  return { tokenizer: tokenizer!, facts: { threads: seen, trainSecondsOneThread: one, trainSeconds: several } }
}

/** GPT-2's rule with Unicode's white space, as the tests have it. */
const RULE =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu

function countWords(text: string): number {
  const utf8 = new TextEncoder().encode(text)
  let words = 0
  for (let at = 0; at < utf8.length; words++) at = endOfWord(utf8, at)
  return words
}

function countByRule(text: string): number {
  let words = 0
  for (RULE.lastIndex = 0; RULE.test(text); ) words++
  return words
}

/** Megabytes a processor second that cutting into words reaches, by the scanner and by the regular expression. */
async function benchCutting(texts: readonly string[]) {
  const count = (words: (text: string) => number) =>
    timed(() => texts.map(words).reduce((sum, count) => sum + count, 0))
  const megabytes = megabytesOf(texts)
  const [scanner, rule] = [await count(countWords), await count(countByRule)]
  if (scanner.result !== rule.result)
    throw new Error(`the scanner finds ${scanner.result} words, the rule ${rule.result}`)
  return { scanner: round(megabytes / scanner.cpuSeconds), regularExpression: round(megabytes / rule.cpuSeconds) }
}

/** A megabyte or so each of what makes tokenizers slow. */
const HOSTILE: { readonly [name: string]: string } = {
  letters: "a".repeat(1e6),
  spaces: " ".repeat(1e6),
  spacesThenLetter: `${" ".repeat(1e6)}a`,
  newlinesAndSpaces: "\n ".repeat(5e5),
  apostrophes: "'l".repeat(5e5),
  combiningMarks: `e${"\u0301".repeat(5e5)}`,
  emoji: "👩‍👩‍👧".repeat(6e4),
  ideographs: "漢字".repeat(1.5e5),
  digits: Array.from({ length: 2e5 }, (_, i) => (i * 7919) % 99_991).join(""),
  distinctWords: Array.from({ length: 2e5 }, (_, i) => ((i * 7919) % 999_983).toString(36)).join(" "),
}

async function benchHostile(tokenizer: Tokenizer): Promise<object> {
  const facts: [string, number][] = []
  for (const [name, text] of Object.entries(HOSTILE)) {
    const { result, cpuSeconds } = await timed(() => tokenizer.encode(text))
    if (tokenizer.decode(result) !== text) throw new Error(`${name} do not come back`)
    facts.push([name, round(megabytesOf([text]) / cpuSeconds)])
  }
  return Object.fromEntries(facts)
}

/** Encodes and decodes; fails if the texts do not come back. */
async function benchEncoding(tokenizer: Tokenizer, texts: readonly string[]) {
  const megabytes = megabytesOf(texts)
  const encoding = await timed(() => texts.map((text) => tokenizer.encode(text)))
  const again = await timed(() => texts.forEach((text) => void tokenizer.encode(text)))
  const decoding = await timed(() => encoding.result.every((ids, i) => tokenizer.decode(ids) === texts[i]))
  if (!decoding.result) throw new Error("decoding does not give the text back")
  const tokens = encoding.result.reduce((sum, ids) => sum + ids.length, 0)
  return {
    megabytes: round(megabytes),
    vocabSize: tokenizer.vocabSize,
    tokens,
    bytesPerToken: round((megabytes * 1e6) / tokens),
    encodeMegabytesPerSecond: round(megabytes / encoding.seconds),
    encodeMegabytesPerCpuSecond: round(megabytes / encoding.cpuSeconds),
    encodeAgainMegabytesPerCpuSecond: round(megabytes / again.cpuSeconds),
    decodeMegabytesPerCpuSecond: round(megabytes / decoding.cpuSeconds),
  }
}

/** All of it, in megabytes (1e6 bytes of UTF-8) and seconds. */
export async function benchTokenizer(options: BenchTokenizerOptions): Promise<object> {
  const { data, vocabSize = 8192, threads = platform.cores() } = options
  const { tokenizer, facts } = await benchTraining(data, vocabSize, threads)
  const texts: string[] = []
  for await (const text of textsOf(files(data).documents())) texts.push(text)
  return {
    work: "tokenizer",
    engine: platform.engine,
    ...facts,
    ...(await benchEncoding(tokenizer, texts)),
    cutMegabytesPerCpuSecond: await benchCutting(texts),
    hostileMegabytesPerCpuSecond: await benchHostile(tokenizer),
    rssBytes: process.memoryUsage().rss,
  }
}
