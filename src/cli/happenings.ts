// The events worth a line of their own: evaluations, samples, warnings. Both views print them.
import { formatDuration } from "../core/index.ts"
import type { EvaluationEndEvent, SampleEvent, TrainEvent } from "../train/index.ts"
import { count } from "./numbers.ts"
import type { Output } from "./output.ts"
import { printable, wrap } from "./text.ts"

type Style = Pick<Output, "colors" | "width">

/** Lines an event deserves; none for most. */
export function happening(event: TrainEvent, style: Style): string[] {
  switch (event.type) {
    case "evaluation-end":
      return [evaluationLine(event, style)]
    case "sample":
      return sampleLines(event, style)
    case "warning":
      return wrap(`warning: ${event.message}`, style.width - 2).map((line) => `  ${style.colors.yellow(line)}`)
    case "checkpoint-failed":
      return [
        `  ${style.colors.red(`the checkpoint of step ${count(event.step)} could not be written: ${event.message}`)}`,
      ]
    default:
      return []
  }
}

function evaluationLine(
  { step, bitsPerByte, tokens, whole, seconds, best }: EvaluationEndEvent,
  { colors }: Style,
): string {
  const which = whole ? "all of it" : `${count(tokens)} tokens`
  const mark = best ? colors.green(" best so far") : ""
  return `  ${colors.cyan("held out")} step ${count(step)}: ${colors.bold(`${bitsPerByte.toFixed(3)} bits/byte`)}${mark} ${colors.dim(`(${which}, ${formatDuration(seconds)})`)}`
}

const SAMPLE_LINES = 6

/** The sample as the model wrote it, a few lines of it, with its prompt set apart. */
export function sampleLines(
  { step, prompt, text }: Pick<SampleEvent, "prompt" | "text"> & { step?: number },
  { colors, width }: Style,
): string[] {
  const title = step === undefined ? [] : [`  ${colors.cyan("sample")} step ${count(step)}:`]
  const lines = printable(`${prompt}${text}`)
    .trim()
    .split("\n")
    .flatMap((line) => (line.trim() === "" ? [] : wrap(line, width - 6)))
  const shown = lines.slice(0, SAMPLE_LINES).map((line) => `  ${colors.dim("│")} ${line}`)
  return [...title, ...shown, ...(lines.length > SAMPLE_LINES ? [`  ${colors.dim("│ …")}`] : [])]
}
