// The reference work for running (peers.md): the SmolLM 135M shape with random weights, a prompt of 63 tokens, 32 decoded one by
// one. Decoding a token reads every weight once, so its speed is said beside the most this machine streams, measured in the same
// process, on as many lanes, in turns.
import { platform } from "#platform"
import { openDevice, openRooflineMeter } from "../src/backends/index.ts"
import { randomStream, sizeOf } from "../src/core/index.ts"
import { createModel, createSampler, engineOf, type Model } from "../src/generate/index.ts"
import { type DecoderConfig, decoderParameters, parameterCounts, presets } from "../src/models/index.ts"
import { bytesTokenizer } from "../src/tokenizer/index.ts"

const CONFIG: DecoderConfig = {
  ...presets.llama({
    vocabSize: 49_152,
    hiddenSize: 576,
    intermediateSize: 1536,
    numHiddenLayers: 30,
    numAttentionHeads: 9,
    numKeyValueHeads: 3,
    headDim: 64,
    maxPositionEmbeddings: 2048,
  }),
  tieWordEmbeddings: true,
}
const PROMPT_TOKENS = 63
const DECODED_TOKENS = 32
export interface BenchDecodeOptions {
  readonly threads?: number
  readonly weights?: "f32" | "f16"
}

/** Random weights that keep activations of the order of 1: speed depends on no number but zero and the subnormal ones. */
function randomParameters(): { [name: string]: Float32Array } {
  const noise = Float32Array.from(
    { length: 1_000_003 },
    (
      (stream) => () =>
        0.03 * stream.normal()
    )(randomStream(1, "bench")),
  )
  return Object.fromEntries(
    Object.entries(decoderParameters(CONFIG)).map(([name, { shape, init }]) => {
      const values = new Float32Array(sizeOf(shape))
      if (init.kind === "ones") return [name, values.fill(1)]
      for (let at = 0; at < values.length; at += noise.length) values.set(noise.subarray(0, values.length - at), at)
      return [name, values]
    }),
  )
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = platform.now()
  await work()
  return platform.now() - start
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!
const prompt = (seed: number): number[] => {
  const stream = randomStream(seed, "prompt")
  return Array.from({ length: PROMPT_TOKENS }, () => stream.below(CONFIG.vocabSize))
}

/** Bytes one token reads: every weight but the norms', the tied table once. */
const weightBytes = ({ parameters }: Model, bytesPerNumber: number): number =>
  Object.values(parameters).reduce((sum, { shape }) => sum + (shape.length < 2 ? 0 : bytesPerNumber * sizeOf(shape)), 0)

export async function benchDecode({ threads = 1, weights = "f32" }: BenchDecodeOptions) {
  const parameters = randomParameters()
  const loadStart = platform.now()
  const device = await openDevice({ allowV8Flags: true, lanes: threads })
  const model = await createModel({ config: CONFIG, tokenizer: bytesTokenizer(), parameters }, { device, weights })
  for (const name of Object.keys(parameters)) delete parameters[name]
  const loadMs = platform.now() - loadStart
  const engine = engineOf(model)
  const compileMs = await milliseconds(async () => {
    await engine.logitsAfter(prompt(1).slice(0, 1))
    await engine.logitsAfter(prompt(1))
  })
  const prefillMs = []
  for (const seed of [2, 3, 4]) prefillMs.push(await milliseconds(() => engine.logitsAfter(prompt(seed))))
  const { rssBytes, peakRssBytes } = platform.memory()
  const roofline = await openRooflineMeter({ lanes: device.lanes, allowV8Flags: true })
  const measureStream = () => roofline.bytesPerSecond("all", 1)
  await measureStream()
  const ids = prompt(4)
  const sampler = createSampler({ temperature: 0 })
  const [decodeMs, streams]: [number[], number[]] = [[], []]
  let logits = await engine.logitsAfter(ids)
  for (let token = 0; token < DECODED_TOKENS; token++) {
    streams.push((await measureStream()) / 1e9)
    decodeMs.push(
      await milliseconds(async () => {
        ids.push(sampler.sample(logits, ids).id)
        logits = await engine.logitsAfter(ids)
      }),
    )
  }
  await roofline.close()
  const bytes = weightBytes(model, weights === "f16" ? 2 : 4)
  const [decodeGbPerSecond, streamGbPerSecond] = [bytes / median(decodeMs) / 1e6, median(streams)]
  const { plannedBytes } = model.workspace
  await model.close()
  await device.close()
  return {
    work: "decode",
    device: device.kind,
    threads: device.lanes,
    weights,
    parameters: parameterCounts(CONFIG).total,
    decodeTokensPerSecond: 1000 / median(decodeMs),
    decodeGbPerSecond,
    streamGbPerSecond,
    percentOfStream: (100 * decodeGbPerSecond) / streamGbPerSecond,
    prefillTokensPerSecond: (1000 * PROMPT_TOKENS) / median(prefillMs),
    loadMs,
    compileMs,
    rssBytes,
    peakRssBytes,
    plannedBytes,
    engine: platform.engine,
  }
}
