// kinglet train: what was asked becomes a recipe, the recipe a run in a folder of its own.

import { type FileSystem, platform } from "#platform"
import { openDevice } from "../../backends/index.ts"
import { type DataSource, files as filesSource } from "../../data/index.ts"
import { resume, train } from "../../train/index.ts"
import { followRun } from "../follow.ts"
import { count } from "../numbers.ts"
import type { Output } from "../output.ts"
import { measurePeak } from "../peak.ts"
import { planned, reasonLines } from "../planning.ts"
import { digestOf, type Request, withDigest } from "../request.ts"
import { type ChosenFolder, chooseFolder, takeFolder } from "../run-folders.ts"
import { vanillaFolder, vanillaOf } from "../vanilla.ts"

export interface TrainCommandOptions {
  readonly budget?: number | undefined
  readonly steps?: number | undefined
  readonly size?: number | undefined
  readonly preset?: string | undefined
  /** A run whose equal-FLOP control is trained, on its own text where no paths are given. */
  readonly vanilla?: string | undefined
  readonly set?: readonly (readonly [string, string])[] | undefined
  readonly valid?: readonly string[] | undefined
  readonly out?: string | undefined
  readonly seed: number
  readonly threads?: number | undefined
  readonly blas: "auto" | "off"
  readonly device: "wasm" | "reference"
  readonly strict?: true | undefined
  readonly baselines: boolean
  readonly tensorboard?: true | undefined
}

/** @param inline  the text, where it is not simply read from `paths` */
export async function trainCommand(
  given: readonly string[] | "inline",
  options: TrainCommandOptions,
  output: Output,
  inline?: DataSource,
): Promise<number> {
  const startedMs = platform.now()
  const files = platform.files!
  const control = options.vanilla === undefined ? undefined : await vanillaOf(files, options.vanilla)
  const paths = control?.paths ?? given
  const source = inline ?? filesSource(...paths)
  const request: Request = {
    paths,
    vanilla: options.vanilla,
    name: source.name,
    validPaths: options.valid,
    budgetSeconds: options.budget,
    steps: options.steps,
    size: options.size,
    preset: options.preset,
    settings: options.set ?? [],
    seed: options.seed,
    strict: options.strict === true,
  }
  const digest = await digestOf(request, files)
  const out = options.out ?? (control ? vanillaFolder(options.vanilla!) : undefined)
  const { dir, unfinished } = await folderFor(files, source.name, out, digest)
  const before = unfinished?.device
  await using device = await openDevice({
    kind: options.device,
    ...(before ? { lanes: before.lanes } : {}),
    ...(options.threads === undefined ? {} : { lanes: options.threads }),
    strict: request.strict,
    blas: options.blas,
    allowV8Flags: true,
  })
  const common = {
    output,
    device,
    dir,
    startedMs,
    baselines: options.baselines,
    tensorboard: options.tensorboard === true,
  }
  const peak = options.device === "wasm" ? await measurePeak(device) : 0
  if (unfinished) {
    await output.say(
      `  ${dir} holds the unfinished run of this very command, at step ${count(unfinished.step)} of ${count(unfinished.recipe.steps)}: going on`,
    )
    return await followRun({ ...common, peak, startRun: (signal) => resume(dir, { device, signal }) })
  }
  const derived =
    control?.recipe(request.settings) ??
    (await planned({ device, source, request, startedMs, baselines: options.baselines }, output))
  const recipe = withDigest(derived, digest)
  await output.say(...reasonLines(recipe, output), "")
  return await followRun({
    ...common,
    peak,
    startRun: (signal) => train(recipe, { device, data: source, dir, signal }),
  })
}

/** The folder asked for, or one named after the text. What already holds another run is refused by `train`. */
async function folderFor(
  files: FileSystem,
  name: string,
  out: string | undefined,
  digest: string | undefined,
): Promise<ChosenFolder> {
  if (out === undefined) return chooseFolder(files, name, digest)
  return (await takeFolder(files, out, digest)) ?? { dir: out }
}
