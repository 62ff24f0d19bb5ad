// Training works: a recipe on a text, through the same `train` a user calls. Times are of whole steps as a reader of the events
// sees them; the first step counts from the start of the process.
import { platform } from "#platform"
import { type Choices, openDevice } from "../src/backends/index.ts"
import { files } from "../src/data/index.ts"
import { predictedPeakBytes } from "../src/plan/index.ts"
import {
  defaultRecipe,
  flopsPerStepOf,
  nanogpt384Recipe,
  nanogptCpuRecipe,
  type Recipe,
  train,
} from "../src/train/index.ts"

export interface BenchOptions {
  readonly work: string
  readonly data: string
  readonly steps?: number
  readonly threads?: number
  readonly strict?: boolean
  readonly blas?: "auto" | "off"
  readonly seed?: number
  readonly onProgress?: (line: string) => void
}

export interface BenchResult {
  readonly work: string
  readonly device: string
  /** The library, and which products went through it; null where none did. */
  readonly blas: string | null
  readonly blasProducts: string | null
  readonly threads: number
  readonly steps: number
  readonly tokensPerSecond: number
  /** Median. */
  readonly msPerStep: number
  readonly gflopsPerSecond: number
  readonly firstStepMs: number
  readonly rssBytes: number
  readonly plannedBytes: number
  readonly predictedRssBytes: number
  /** Held-out, full sweep, nats per token; null if the run was too short to evaluate. */
  readonly lossNats: number | null
  readonly bitsPerByte: number | null
  readonly parameters: number
  readonly totalFlops: number
  readonly seconds: number
  readonly engine: string
}

/** Compute of nanoGPT's CPU example, the optimizer's included (peers.md): the default recipe gets no more. */
const COMPUTE_LIMIT = 7.93e12
/** Characters of tiny-shakespeare. */
const VOCABULARY = 65

/** The default recipe, cut off at the compute of the reference work, on the exact split. */
function defaultWork(): Recipe {
  const recipe = defaultRecipe({ tokenizer: { kind: "characters", endOfText: false }, vocabSize: VOCABULARY })
  const steps = Math.floor(COMPUTE_LIMIT / flopsPerStepOf(recipe, VOCABULARY))
  return {
    ...defaultRecipe({ tokenizer: recipe.tokenizer, vocabSize: VOCABULARY, steps }),
    data: { ...recipe.data, split: "exact" },
  }
}

export const TRAINING_WORKS: { readonly [work: string]: () => Recipe } = {
  "nanogpt-cpu": nanogptCpuRecipe,
  "nanogpt-384": nanogpt384Recipe,
  default: defaultWork,
}

export async function benchTraining(options: BenchOptions): Promise<BenchResult> {
  const base = TRAINING_WORKS[options.work]!()
  const steps = options.steps ?? base.steps
  // Nothing but steps until the end: one evaluation, no samples.
  const recipe: Recipe = {
    ...base,
    steps,
    seed: options.seed ?? base.seed,
    strict: options.strict ?? false,
    evaluation: { everySteps: 0 },
    sampling: { ...base.sampling, everySteps: 0 },
  }
  const device = await openDevice({
    allowV8Flags: true,
    strict: recipe.strict,
    blas: options.blas ?? "auto",
    ...(options.threads ? { lanes: options.threads } : {}),
  })
  const run = train(recipe, { device, data: files(options.data) })
  const times: number[] = []
  let [firstStepMs, last, plannedBytes, flopsPerStep, tokensPerStep, parameters] = [0, 0, 0, 0, 0, 0]
  let choices: Choices = {}
  let heldOut: { nats: number; bitsPerByte: number } | undefined
  for await (const event of run) {
    const now = platform.now()
    if (event.type === "run-start")
      ({ plannedBytes, flopsPerStep, tokensPerStep } = event),
        (parameters = event.parameters.total),
        (choices = event.device.choices)
    if (event.type === "evaluation-end") heldOut = event
    if (event.type !== "step-end") continue
    if (event.step === 1) firstStepMs = now
    else times.push(now - last)
    last = now
    if (event.step % 100 === 0)
      options.onProgress?.(
        `step ${event.step} of ${steps}: loss ${event.loss.toFixed(3)}, ${event.tokensPerSecond.toFixed(0)} tokens/s`,
      )
  }
  const msPerStep = times.sort((a, b) => a - b)[times.length >> 1] ?? firstStepMs
  const { peakRssBytes } = platform.memory()
  await device.close()
  return {
    work: options.work,
    device: `${device.kind}${recipe.strict ? " strict" : ""}`,
    blas: (choices["blas"] as string) ?? null,
    blasProducts: (choices["blasProducts"] as string) ?? null,
    threads: device.lanes,
    steps,
    tokensPerSecond: (1000 * tokensPerStep) / msPerStep,
    msPerStep,
    gflopsPerSecond: flopsPerStep / msPerStep / 1e6,
    firstStepMs,
    rssBytes: peakRssBytes,
    plannedBytes,
    predictedRssBytes: predictedPeakBytes({ plannedBytes, parameters, lanes: device.lanes }),
    lossNats: heldOut?.nats ?? null,
    bitsPerByte: heldOut?.bitsPerByte ?? null,
    parameters,
    totalFlops: flopsPerStep * steps,
    seconds: last / 1000,
    engine: platform.engine,
  }
}
