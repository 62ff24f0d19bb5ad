// How fast texts and endings are scored: tokens a second of three models on a plain text, and minimal pairs a second of a model
// of 1 M parameters, by a vocabulary of 2,048 tokens and by bytes. Weights are random: speed does not depend on them.
import { platform } from "#platform"
import { type Device, openDevice } from "../src/backends/index.ts"
import { files, toSource } from "../src/data/index.ts"
import { type EndingsItem, scoreEndings, scoreText } from "../src/evaluate/index.ts"
import { createModel, type Model } from "../src/generate/index.ts"
import { initializeParameters, parameterCounts } from "../src/models/index.ts"
import { bytesTokenizer, type Tokenizer, trainBpe } from "../src/tokenizer/index.ts"
import { defaultModel } from "../src/train/index.ts"

const VOCABULARY = 2048
/** Of the 67 paradigms of 1,000 pairs each, every tenth. */
const [PARADIGM, EVERY] = [1000, 10]
/** By name: width, layers, context, and characters of the text that is scored. */
const SIZES = {
  "0.4M bytes": { C: 96, L: 3, T: 128, characters: 200_000 },
  "1M bytes": { C: 128, L: 5, T: 256, characters: 100_000 },
  "1M bpe": { C: 128, L: 4, T: 256, characters: 200_000 },
  "10M bpe": { C: 320, L: 8, T: 256, characters: 100_000 },
} as const

type Size = keyof typeof SIZES

export interface BenchEvaluationOptions {
  /** A text to score. */
  readonly data: string
  /** Minimal pairs: JSON lines with `good` and `bad`. */
  readonly pairs: string
  readonly threads?: number
  readonly batchTokens?: number
}

interface Pair {
  readonly good: string
  readonly bad: string
}

async function readText(path: string): Promise<string> {
  let text = ""
  for await (const document of toSource(files(path)).documents()) text += document.text
  return text
}

async function readPairs(path: string): Promise<Pair[]> {
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of platform.gunzip(platform.files!.stream(path)))
    text += decoder.decode(chunk, { stream: true })
  const lines = text.trim().split("\n")
  return lines.filter((_, i) => Math.floor(i / PARADIGM) % EVERY === 0).map((line) => JSON.parse(line) as Pair)
}

function modelOf(device: Device, size: Size, tokenizer: Tokenizer): Promise<Model> {
  const { C, L, T } = SIZES[size]
  const shape = { vocabSize: tokenizer.vocabSize, hiddenSize: C, numHiddenLayers: L, sequenceLength: T }
  const config = { ...defaultModel(shape), vocabSize: tokenizer.vocabSize }
  return createModel({ config, tokenizer, parameters: initializeParameters(config, 1) }, { device })
}

/** Seconds by the clock, and of all processors: on a busy machine they tell more. */
async function timed(work: () => Promise<unknown>): Promise<{ seconds: number; cpuSeconds: number }> {
  const [start, cpu] = [platform.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { seconds: (platform.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
}

/** Tokens a second, the second time: what is compiled is compiled. */
async function textSpeed(model: Model, text: string, batchTokens: number | undefined) {
  const T = model.config.maxPositionEmbeddings
  const options = batchTokens === undefined ? {} : { batchSize: Math.max(1, Math.round(batchTokens / T)) }
  await scoreText(model, { data: text.slice(0, 20_000), ...options })
  let tokens = 0
  const { seconds, cpuSeconds } = await timed(async () => {
    tokens = (await scoreText(model, { data: text, ...options })).tokens
  })
  return {
    parameters: parameterCounts(model.config).total,
    tokensPerSecond: tokens / seconds,
    tokensPerCpuSecond: tokens / cpuSeconds,
  }
}

/** Good and bad sentence after an end-of-text token, their common beginning as the prefix. */
function itemOf({ good, bad }: Pair, tokenizer: Tokenizer): EndingsItem {
  const [a, b] = [good, bad].map((sentence) => [tokenizer.endOfText!, ...tokenizer.encode(sentence)]) as [
    number[],
    number[],
  ]
  let shared = 0
  while (shared < a.length && a[shared] === b[shared]) shared++
  return { prefix: a.slice(0, shared), endings: [a.slice(shared), b.slice(shared)] }
}

async function pairSpeed(model: Model, pairs: readonly Pair[]) {
  const items = pairs.map((pair) => itemOf(pair, model.tokenizer))
  await scoreEndings(model, items.slice(0, 200))
  const { seconds, cpuSeconds } = await timed(() => scoreEndings(model, items))
  return { pairs: pairs.length, pairsPerSecond: pairs.length / seconds, pairsPerCpuSecond: pairs.length / cpuSeconds }
}

export async function benchEvaluation({ data, pairs: pairsPath, threads, batchTokens }: BenchEvaluationOptions) {
  const text = await readText(data)
  const pairs = await readPairs(pairsPath)
  const bpe = await trainBpe([text], { vocabSize: VOCABULARY })
  const device = await openDevice({ allowV8Flags: true, ...(threads ? { lanes: threads } : {}) })
  const facts: { [name: string]: unknown } = { work: "evaluation", threads: device.lanes, engine: platform.engine }
  for (const size of Object.keys(SIZES) as Size[]) {
    const model = await modelOf(device, size, size.endsWith("bpe") ? bpe : bytesTokenizer())
    const textFacts = await textSpeed(model, text.slice(0, SIZES[size].characters), batchTokens)
    facts[size] = size.startsWith("1M") ? { ...textFacts, ...(await pairSpeed(model, pairs)) } : textFacts
    await model.close()
  }
  await device.close()
  return { ...facts, peakRssBytes: platform.memory().peakRssBytes }
}
