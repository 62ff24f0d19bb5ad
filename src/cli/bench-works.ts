// What `kinglet bench` runs: steps of a training recipe, and tokens of a model, both with random numbers and by the very programs
// of `train` and `generate`. First as they are, for the speed; then on a device that times each kernel, for where it goes.

import { platform } from "#platform"
import { type Device, type DeviceOptions, openDevice, type StepTime } from "../backends/index.ts"
import { randomStream, sizeOf } from "../core/index.ts"
import { createModel, engineOf } from "../generate/index.ts"
import { type DecoderConfig, decoderParameters, parameterCounts } from "../models/index.ts"
import { matmul, program, state } from "../tensor/index.ts"
import { bytesTokenizer } from "../tokenizer/index.ts"
import { defaultRecipe, nanogpt384Recipe, nanogptCpuRecipe, probeRecipe, type Recipe } from "../train/index.ts"
import { type Recording, recordingOf } from "./recording-device.ts"

/** One run of a program: a training step, or a token. */
export interface Measured {
  readonly work: string
  readonly parameters: number
  readonly tokens: number
  readonly flops: number
  /** Median. */
  readonly seconds: number
  /** What each kernel took, on a device that timed it; a wait for the slowest lane after each. */
  readonly times: readonly StepTime[]
  /** Exact bytes of everything planned. */
  readonly plannedBytes: number
  readonly device: Pick<Device, "lanes" | "choices" | "tuning">
}

/** Says what is being done, for a line that goes away. */
export type Tell = (what: string) => void

const TRAINING_SECONDS = 1.5
/** Characters of tiny-shakespeare, which the recipes were made for. */
const VOCABULARY = 65

/** Recipes that need no text to be made. */
export type TrainingPreset = "nanogpt-cpu" | "nanogpt-384" | "default"

const TRAINING_PRESETS: { readonly [P in TrainingPreset]: () => Recipe } = {
  "nanogpt-cpu": nanogptCpuRecipe,
  "nanogpt-384": nanogpt384Recipe,
  default: () => defaultRecipe({ vocabSize: VOCABULARY }),
}

/** Steps of a recipe on random tokens. */
export async function measureTraining(preset: TrainingPreset, options: DeviceOptions, tell: Tell): Promise<Measured> {
  const recipe = TRAINING_PRESETS[preset]()
  const config = { ...recipe.model, vocabSize: VOCABULARY } as DecoderConfig
  return twice(options, "train", tell, async (device) => {
    const probe = await probeRecipe(recipe, VOCABULARY, device, TRAINING_SECONDS)
    return {
      work: preset,
      parameters: parameterCounts(config).total,
      tokens: recipe.batchSize * recipe.sequenceLength,
      flops: probe.flopsPerStep,
      seconds: probe.secondsPerStep,
      plannedBytes: probe.plannedBytes,
    }
  })
}

const DECODED_VOCABULARY = 8192
/** Tokens that are decoded, and what the cache holds when all are. */
const DECODED_TOKENS = 64

/** A model of the default shape with random weights continues one token, token by token. */
export async function measureDecoding(size: number, options: DeviceOptions, tell: Tell): Promise<Measured> {
  const { model } = defaultRecipe({ size, vocabSize: DECODED_VOCABULARY })
  const config: DecoderConfig = { ...model, vocabSize: DECODED_VOCABULARY, maxPositionEmbeddings: DECODED_TOKENS }
  const { total, matmul: multiplied } = parameterCounts(config)
  const parts = { config, tokenizer: bytesTokenizer(), parameters: noiseFor(config) }
  return twice(options, "pass", tell, async (device) => {
    await using made = await createModel(parts, { device })
    const engine = engineOf(made)
    const ids: number[] = []
    const times: number[] = []
    while (ids.length < DECODED_TOKENS) {
      ids.push(ids.length)
      const start = platform.now()
      await engine.logitsAfter(ids)
      times.push(platform.now() - start)
    }
    return {
      work: "decode",
      parameters: total,
      tokens: 1,
      flops: 2 * multiplied,
      seconds: times.sort((a, b) => a - b)[times.length >> 1]! / 1000,
      plannedBytes: made.workspace.plannedBytes,
    }
  })
}

/** Numbers of the right order: speed depends on none but zero and the subnormal ones. The same million again and again. */
function noiseFor(config: DecoderConfig): { [name: string]: Float32Array } {
  const stream = randomStream(1, "bench")
  const noise = Float32Array.from({ length: 1_000_003 }, () => 0.06 * (stream.uniform() - 0.5))
  return Object.fromEntries(
    Object.entries(decoderParameters(config)).map(([name, { shape }]) => {
      const values = new Float32Array(sizeOf(shape))
      for (let at = 0; at < values.length; at += noise.length) values.set(noise.subarray(0, values.length - at), at)
      return [name, values]
    }),
  )
}

/** A work at full speed, then with every kernel of `name` timed, by the same choices. */
async function twice(
  options: DeviceOptions,
  name: string,
  tell: Tell,
  run: (device: Device) => Promise<Omit<Measured, "times" | "device">>,
): Promise<Measured> {
  tell("measuring the speed")
  const plain = await recorded(options, undefined, async (recording) => ({
    measured: await run(recording.device),
    device: { ...recording.device, choices: { ...recording.device.choices, ...recording.choices } },
    chosen: recording.choices,
  }))
  tell("measuring where the time goes")
  const times = await recorded({ ...options, profile: true }, plain.chosen, async (recording) => {
    await run(recording.device)
    return recording.profileOf(name)
  })
  return { ...plain.measured, device: plain.device, times }
}

async function recorded<T>(
  options: DeviceOptions,
  choices: Device["choices"] | undefined,
  use: (recording: Recording) => Promise<T>,
): Promise<T> {
  await using device = await openDevice(options)
  return await use(recordingOf(device, choices))
}

/** Sides of the square products that are measured: an attention head's, and on to where edges no longer count. */
const PRODUCT_SIDES = [64, 128, 256, 512, 1024]
const PRODUCT_SECONDS = 0.3
const LEAST_RUNS = 3

/** FLOPs a second of one product. */
export interface ProductRate {
  readonly side: number
  readonly flopsPerSecond: number
}

/**
 * Square products on all lanes, packing and the meeting of the lanes included, the best of many runs.
 *
 * @param device  one that times kernels
 */
export async function measureProducts(device: Device): Promise<ProductRate[]> {
  const workspace = device.createWorkspace()
  try {
    const programs = PRODUCT_SIDES.map((side) => {
      const [a, b, c] = ["a", "b", "c"].map((name) => state(`${name}.${side}`, [side, side]))
      // memory that was never written is one page of zeros seen many times, and slower to read than real memory
      for (const operand of [a!, b!]) workspace.write(operand, new Float32Array(side * side).fill(0.5))
      return [String(side), program({ updates: [{ state: c!, value: matmul(a!, b!) }] })] as const
    })
    const executables = await workspace.compile(Object.fromEntries(programs))
    const rates: ProductRate[] = []
    for (const side of PRODUCT_SIDES) {
      const { run, profile, flops } = executables[String(side)]!
      let best = Infinity
      const end = platform.now() + 1000 * PRODUCT_SECONDS
      for (let runs = 0; runs < LEAST_RUNS || platform.now() < end; runs++) {
        await run()
        best = Math.min(
          best,
          profile!().reduce((sum, { seconds }) => sum + seconds, 0),
        )
      }
      rates.push({ side, flopsPerSecond: flops / best })
    }
    return rates
  } finally {
    workspace.close()
  }
}
