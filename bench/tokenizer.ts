// Speed of byte-pair encoding on one thread: learning a vocabulary from a .jsonl.gz corpus, reading included, and encoding it.
// Run: npx esbuild bench/tokenizer.ts --bundle --platform=node --format=esm --outfile=/tmp/tokenizer.mjs && node /tmp/tokenizer.mjs [PATH] [--vocab 8192] [--json]
import { readFileSync } from "node:fs"
import { cpus } from "node:os"
import { gunzipSync } from "node:zlib"
import { trainBpe } from "../src/tokenizer/index.ts"

const argv = process.argv.slice(2)
const option = (name: string, otherwise: string): string =>
  argv.includes(name) ? argv[argv.indexOf(name) + 1]! : otherwise
const path =
  argv.find((word) => word.endsWith(".gz")) ?? `${process.env.KINGLET_DATA ?? "../shared/data"}/eltec-eng.jsonl.gz`
const vocabSize = Number(option("--vocab", "8192"))

/** Wall-clock and processor seconds: on a busy machine the second tells more. */
async function timed<T>(work: () => T | Promise<T>): Promise<{ result: T; seconds: number; cpuSeconds: number }> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const { user, system } = process.cpuUsage(cpu)
  return { result, seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
}

/** One text at a time, as a run reads it. */
function* texts(): Generator<string> {
  for (const line of gunzipSync(readFileSync(path)).toString().split("\n"))
    if (line !== "") yield (JSON.parse(line) as { text: string }).text
}

const training = await timed(() => trainBpe(texts(), { vocabSize }))
const tokenizer = training.result
const documents = [...texts()]
const megabytes = documents.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0) / 1e6
const first = await timed(() => documents.reduce((sum, text) => sum + tokenizer.encode(text).length, 0))
const second = await timed(() => documents.reduce((sum, text) => sum + tokenizer.encode(text).length, 0))
const run = await timed(() => tokenizer.encode("a".repeat(1e6)).length)
const ids = documents.map((text) => tokenizer.encode(text))
const decoding = await timed(() => ids.every((own, i) => tokenizer.decode(own) === documents[i]))
if (!decoding.result) throw new Error("decoding does not give the text back")

const round = (value: number) => Number(value.toPrecision(3))
const report = {
  work: "tokenizer",
  megabytes: round(megabytes),
  vocabSize: tokenizer.vocabSize,
  tokens: first.result,
  bytesPerToken: round((megabytes * 1e6) / first.result),
  trainSeconds: round(training.seconds),
  trainCpuSeconds: round(training.cpuSeconds),
  encodeMegabytesPerSecond: round(megabytes / first.seconds),
  encodeMegabytesPerCpuSecond: round(megabytes / first.cpuSeconds),
  encodeWarmMegabytesPerSecond: round(megabytes / second.seconds),
  decodeMegabytesPerSecond: round(megabytes / decoding.seconds),
  millionLettersMs: Math.round(run.seconds * 1000),
  rssMegabytes: Math.round(process.memoryUsage().rss / 1e6),
  engine: `node ${process.versions.node}`,
  cpu: cpus()[0]?.model ?? "unknown",
}
if (argv.includes("--json")) console.log(JSON.stringify(report))
else console.table(report)
