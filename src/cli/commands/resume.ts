// kinglet resume: an interrupted run goes on, on the device it was started on.

import { platform } from "#platform"
import { openDevice } from "../../backends/index.ts"
import { DataError } from "../../core/index.ts"
import { inspectRun, type RunInspection, resume } from "../../train/index.ts"
import { followRun } from "../follow.ts"
import { count } from "../numbers.ts"
import type { Output } from "../output.ts"
import { measurePeak } from "../peak.ts"

export interface ResumeCommandOptions {
  readonly threads?: number | undefined
  readonly blas: "auto" | "off"
  readonly baselines: boolean
  readonly tensorboard?: true | undefined
}

export async function resumeCommand(dir: string, options: ResumeCommandOptions, output: Output): Promise<number> {
  const startedMs = platform.now()
  const found = await requireRun(dir)
  if (found.finished) {
    await output.note(`${dir} is finished: ${count(found.step)} steps; try npx kinglet generate ${dir} --prompt "..."`)
    await output.event({ type: "finished", dir, step: found.step })
    return 0
  }
  await using device = await openDevice(deviceOf(found, options))
  const peak = device.kind === "wasm" ? await measurePeak(device) : 0
  const { baselines, tensorboard = false } = options
  return await followRun({
    output,
    device,
    dir,
    startedMs,
    peak,
    baselines,
    tensorboard,
    startRun: (signal) => resume(dir, { device, signal }),
  })
}

async function requireRun(dir: string): Promise<RunInspection> {
  const found = await inspectRun(platform.files!, dir)
  if (!found)
    throw new DataError(
      `there is no run in ${dir}: recipe.json is missing`,
      "name the folder that train made, such as runs/book",
    )
  return found
}

/** What the run was computed on, so that its bits stay the same; `threads` and `blas` overrule. */
export function deviceOf(
  { device, recipe }: RunInspection,
  { threads, blas }: Pick<ResumeCommandOptions, "threads" | "blas">,
) {
  const lanes = threads ?? device?.lanes
  const kind = device?.kind === "reference" ? ("reference" as const) : ("wasm" as const)
  return { kind, strict: recipe.strict, blas, allowV8Flags: true, ...(lanes === undefined ? {} : { lanes }) }
}
