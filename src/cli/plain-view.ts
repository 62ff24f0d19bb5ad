// A run as plain lines, for pipes and log files: one every few seconds, and one for each thing that happens.

import { platform } from "#platform"
import { formatBytes, formatDuration } from "../core/index.ts"
import type { TrainEvent } from "../train/index.ts"
import { happening } from "./happenings.ts"
import { count, flopRate, shareOfPeak } from "./numbers.ts"
import type { Output } from "./output.ts"
import type { Progress } from "./progress.ts"
import type { Reader } from "./reader.ts"

/** Between two lines about steps. */
const EVERY_MS = 3000

export interface ViewOptions {
  readonly output: Output
  readonly progress: Progress
  /** FLOPs a second this machine reached in a matrix product; 0 where it was not measured. */
  readonly peak: number
}

/** The first step, the last one, and one every few seconds. */
export function plainView({ output, progress, peak }: ViewOptions): Reader {
  let toldMs = -Infinity
  const read = async (event: TrainEvent): Promise<void> => {
    if (event.type !== "step-end") return output.say(...happening(event, output))
    const now = platform.now()
    if (now - toldMs < EVERY_MS && event.step < progress.steps) return
    toldMs = now
    await output.say(stepLine(progress, peak))
  }
  return { read, close: () => {} }
}

function stepLine(progress: Progress, peak: number): string {
  const { step, steps, last, loss, bitsPerByte, flopsPerSecond } = progress
  const left = progress.secondsLeft()
  const speed =
    flopsPerSecond === undefined
      ? undefined
      : `${flopRate(flopsPerSecond)}${peak > 0 ? ` (${shareOfPeak(flopsPerSecond, peak)} of peak)` : ""}`
  const parts = [
    `step ${count(step)}/${count(steps)}`,
    loss === undefined ? undefined : `loss ${loss.toFixed(4)}`,
    bitsPerByte === undefined ? undefined : `${bitsPerByte.toFixed(3)} bits/byte`,
    last === undefined ? undefined : `${count(last.tokensPerSecond)} tokens/s`,
    speed,
    formatBytes(platform.memory().rssBytes),
    left === undefined || step === steps ? undefined : `${formatDuration(left)} left`,
  ]
  return `  ${parts.filter((part) => part !== undefined).join("  ")}`
}
