// The live panel: progress, loss, speed and memory redrawn in place, while evaluations and samples scroll above it.

import { platform } from "#platform"
import { formatBytes, formatDuration } from "../core/index.ts"
import type { TrainEvent } from "../train/index.ts"
import { happening } from "./happenings.ts"
import { count, flopRate, percent, shareOfPeak } from "./numbers.ts"
import type { Colors } from "./output.ts"
import type { ViewOptions } from "./plain-view.ts"
import type { Progress } from "./progress.ts"
import type { Reader } from "./reader.ts"
import { createScreen } from "./screen.ts"
import { progressBar, sparkline } from "./sparkline.ts"
import { fit, oneLine, widthOf } from "./text.ts"

/** Redrawn also when nothing happens, so that the time left goes on. */
const TICK_MS = 500

export interface LiveOptions extends ViewOptions {
  /** Told while a checkpoint is being saved after Ctrl-C. */
  readonly isStopping: () => boolean
}

export function liveView(options: LiveOptions): Reader {
  const { output } = options
  const screen = createScreen(output.terminal)
  const draw = (): void => screen.draw(panel({ ...options, width: output.width, colors: output.colors }))
  const stopListening = output.terminal.onResize(draw)
  const timer = setInterval(draw, TICK_MS)
  draw()
  return {
    read: (event: TrainEvent) => {
      const lines = happening(event, output)
      if (lines.length > 0) screen.scroll(lines)
      draw()
    },
    close: async () => {
      clearInterval(timer)
      stopListening()
      await screen.close()
    },
  }
}

export interface PanelOptions {
  readonly progress: Progress
  readonly peak: number
  readonly width: number
  readonly colors: Colors
  readonly isStopping: () => boolean
}

/** The panel's lines, none wider than `width`. */
export function panel(options: PanelOptions): string[] {
  const { progress, width, colors } = options
  if (!progress.start)
    return ["", fit(`  ${colors.dim("reading the text, making the tokenizer, compiling …")}`, width - 1)]
  const lines = [
    progressLine(options),
    ...flow(lossParts(options), width),
    curveLine(options),
    ...flow(speedParts(options), width),
  ]
  const sample = progress.sample
    ? [`  ${colors.dim("sample")} ${oneLine(`${progress.sample.prompt}${progress.sample.text}`.trim())}`]
    : []
  return ["", ...[...lines, ...sample].map((line) => fit(line, width - 1))]
}

function progressLine({ progress, width, colors, isStopping }: PanelOptions): string {
  const { step, steps, evaluating } = progress
  const left = progress.secondsLeft()
  const doing = isStopping()
    ? "saving a checkpoint"
    : evaluating === undefined
      ? undefined
      : `evaluating ${percent(evaluating)}`
  const time = doing ?? (left === undefined ? "" : `${formatDuration(Math.max(0, left))} left`)
  const before = `  step ${count(step)}/${count(steps)} `
  const after = doing === undefined ? ` ${percent(step / Math.max(1, steps))}  ${time}` : `  ${doing}`
  const { full, rest } = progressBar(
    step / Math.max(1, steps),
    Math.max(4, Math.min(60, width - widthOf(before) - widthOf(after) - 2)),
  )
  return `${colors.bold(before)}${colors.cyan(full)}${colors.dim(rest)}${after}`
}

function lossParts({ progress, colors }: PanelOptions): string[] {
  const { loss, bitsPerByte, evaluation } = progress
  const held =
    evaluation &&
    `held out ${colors.bold(evaluation.bitsPerByte.toFixed(3))} ${colors.dim(`at step ${count(evaluation.step)}`)}`
  return present([
    loss === undefined ? "loss …" : `loss ${colors.bold(loss.toFixed(4))} ${colors.dim("nats/token")}`,
    bitsPerByte === undefined ? undefined : `${colors.bold(bitsPerByte.toFixed(3))} ${colors.dim("bits/byte")}`,
    held,
  ])
}

const curveLine = ({ progress, width, colors }: PanelOptions): string =>
  `  ${colors.green(sparkline(progress.curve, Math.min(100, width - 4)))}`

function speedParts({ progress, peak, colors }: PanelOptions): string[] {
  const { last, start, flopsPerSecond } = progress
  const { rssBytes } = platform.memory()
  const ofPeak =
    flopsPerSecond !== undefined && peak > 0
      ? `, ${colors.bold(shareOfPeak(flopsPerSecond, peak))} of this machine's peak`
      : ""
  return present([
    last && `${colors.bold(count(last.tokensPerSecond))} ${colors.dim("tokens/s")}`,
    flopsPerSecond === undefined ? undefined : `${flopRate(flopsPerSecond)}${ofPeak}`,
    `${formatBytes(rssBytes)} ${colors.dim(`memory, ${formatBytes(start!.plannedBytes)} of it planned`)}`,
  ])
}

const present = (parts: readonly (string | undefined)[]): string[] => parts.filter((part) => part !== undefined)

/** Parts side by side with three spaces between, on as many lines as it takes. */
function flow(parts: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + 3 + widthOf(part) < width) lines[lines.length - 1] = `${last}   ${part}`
    else lines.push(`  ${part}`)
  }
  return lines
}
