// Speed of byte-pair encoding on one thread: learning a vocabulary from a .jsonl.gz corpus, reading included, and encoding
// and decoding that corpus. Processor seconds stand beside the clock's: on a busy machine they tell more.
// Run: npm run bench -- tokenizer [--data PATH] [--json]
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { platform } from "#platform"
import { trainBpe } from "../src/tokenizer/index.ts"

export interface BenchTokenizerOptions {
  /** A .jsonl.gz of objects with a `text`. */
  readonly data: string
  /** Default 8192. */
  readonly vocabSize?: number
}

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

/** One text at a time, as a run reads it. */
function* textsOf(path: string): Generator<string> {
  for (const line of gunzipSync(readFileSync(path)).toString().split("\n"))
    if (line !== "") yield (JSON.parse(line) as { text: string }).text
}

const round = (value: number) => Number(value.toPrecision(3))

/** Trains on the file and encodes it; throws if the texts do not come back. */
export async function benchTokenizer({ data, vocabSize = 8192 }: BenchTokenizerOptions): Promise<object> {
  const training = await timed(() => trainBpe(textsOf(data), { vocabSize }))
  const tokenizer = training.result
  const texts = [...textsOf(data)]
  const encoding = await timed(() => texts.map((text) => tokenizer.encode(text)))
  const again = await timed(() => texts.forEach((text) => void tokenizer.encode(text)))
  const decoding = await timed(() => encoding.result.every((ids, i) => tokenizer.decode(ids) === texts[i]))
  if (!decoding.result) throw new Error("decoding does not give the text back")
  const million = await timed(() => tokenizer.encode("a".repeat(1e6)))
  const megabytes = texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0) / 1e6
  const tokens = encoding.result.reduce((sum, ids) => sum + ids.length, 0)
  return {
    work: "tokenizer",
    engine: platform.engine,
    threads: 1,
    megabytes: round(megabytes),
    vocabSize: tokenizer.vocabSize,
    tokens,
    bytesPerToken: round((megabytes * 1e6) / tokens),
    trainSeconds: round(training.seconds),
    trainCpuSeconds: round(training.cpuSeconds),
    encodeMegabytesPerSecond: round(megabytes / encoding.seconds),
    encodeMegabytesPerCpuSecond: round(megabytes / encoding.cpuSeconds),
    encodeAgainMegabytesPerCpuSecond: round(megabytes / again.cpuSeconds),
    decodeMegabytesPerCpuSecond: round(megabytes / decoding.cpuSeconds),
    millionLettersCpuMs: Math.round(million.cpuSeconds * 1000),
    rssBytes: process.memoryUsage().rss,
  }
}
