// How fast this machine runs a recipe: its very programs, compiled and run for a moment on random tokens.

import { platform } from "#platform"
import type { Device, Executable } from "../backends/index.ts"
import { randomStream } from "../core/index.ts"
import { validateConfig } from "../models/index.ts"
import { flopsOf } from "../tensor/index.ts"
import { decoderDefinition, defaultLoss, initialParameters } from "./model.ts"
import { buildPrograms, type TrainingPrograms } from "./programs.ts"
import type { Recipe } from "./recipe.ts"
import { optimizerOf } from "./recipe-optimizer.ts"

export interface Probe {
  readonly secondsPerStep: number
  readonly secondsPerEvaluatedToken: number
  /** Assembling and compiling. */
  readonly compileSeconds: number
  readonly flopsPerStep: number
  readonly plannedBytes: number
}

/** The first steps run before V8 has optimized the kernels, and are not counted. */
const WARM_UP_STEPS = 3

const programsOf = (recipe: Recipe, vocabSize: number): TrainingPrograms => {
  const config = validateConfig({ ...recipe.model, vocabSize })
  return buildPrograms(decoderDefinition(config), optimizerOf(recipe.optimizer), defaultLoss, {
    ...recipe,
    samples: false,
  })
}

/** FLOPs of one optimizer step, the optimizer's included, from the traced graph; nothing is run. */
export function flopsPerStepOf(recipe: Recipe, vocabSize: number): number {
  const { programs } = programsOf(recipe, vocabSize)
  const { train, accumulate, apply } = programs
  return train ? flopsOf(train) : recipe.accumulationSteps * flopsOf(accumulate!) + flopsOf(apply!)
}

/**
 * Runs steps of `recipe` for about `seconds` and takes the median.
 *
 * @throws DeviceError  if the plan needs more memory than there is
 */
export async function probeRecipe(recipe: Recipe, vocabSize: number, device: Device, seconds: number): Promise<Probe> {
  const config = validateConfig({ ...recipe.model, vocabSize })
  const start = platform.now()
  const workspace = device.createWorkspace()
  try {
    const { programs, parameters } = programsOf(recipe, vocabSize)
    const executables = await workspace.compile(programs)
    const compileSeconds = (platform.now() - start) / 1000
    const values = initialParameters(decoderDefinition(config), config, recipe.seed)
    for (const [name, tensor] of Object.entries(parameters)) workspace.write(tensor, values[name]!)
    const step = (executables["train"] ?? executables["accumulate"])!
    const perPass = await secondsPerRun(step, vocabSize, seconds)
    const perEvaluation = await secondsPerRun(executables["evaluate"]!, vocabSize, seconds / 4)
    const apply = executables["apply"] ? await secondsPerRun(executables["apply"], vocabSize, seconds / 4) : 0
    return {
      secondsPerStep: recipe.accumulationSteps * perPass + apply,
      secondsPerEvaluatedToken: perEvaluation / (recipe.batchSize * recipe.sequenceLength),
      compileSeconds,
      flopsPerStep: recipe.accumulationSteps * step.flops + (executables["apply"]?.flops ?? 0),
      plannedBytes: workspace.plannedBytes,
    }
  } finally {
    workspace.close()
  }
}

async function secondsPerRun(executable: Executable, vocabSize: number, seconds: number): Promise<number> {
  const feed = randomFeed(executable, vocabSize)
  const times: number[] = []
  const end = platform.now() + 1000 * seconds
  for (let run = 0; run < WARM_UP_STEPS + 2 || platform.now() < end; run++) {
    const start = platform.now()
    await executable.run(feed)
    if (run >= WARM_UP_STEPS) times.push(platform.now() - start)
  }
  return times.sort((a, b) => a - b)[times.length >> 1]! / 1000
}

/** Random tokens for integer inputs, a small number for scalars: the loss stays finite. */
function randomFeed(executable: Executable, vocabSize: number): { [name: string]: Int32Array | number } {
  const stream = randomStream(0, "probe")
  return Object.fromEntries(
    Object.entries(executable.program.inputs).map(([name, { shape, dtype }]) => {
      const size = shape.reduce((a, b) => a * b, 1)
      return [name, dtype === "i32" ? Int32Array.from({ length: size }, () => stream.below(vocabSize)) : 1e-3]
    }),
  )
}
