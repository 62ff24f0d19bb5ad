// The events worth a line of their own: evaluations, samples, warnings. Both views print them.
import { formatBytes, formatCount, formatDuration } from "../core/index.ts"
import type { EvaluationEndEvent, RunStartEvent, SampleEvent, TrainEvent } from "../train/index.ts"
import { count, plural } from "./numbers.ts"
import type { Output } from "./output.ts"
import { printable, widthOf, wrap } from "./text.ts"

type Style = Pick<Output, "colors" | "width">

/** Lines an event deserves; none for most. */
export function happening(event: TrainEvent, style: Style): string[] {
  switch (event.type) {
    case "run-start":
      return startLines(event, style)
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

function startLines(event: RunStartEvent, { width }: Style): string[] {
  const { parameters, vocabSize, data, dir, device, resumedFromStep, recipe } = event
  const { train, valid, exactDuplicates, nearDuplicates } = data
  const twins = exactDuplicates + nearDuplicates
  const split = `${plural(train.documents, "document")}, ${formatBytes(train.bytes)} to train on; ${plural(valid.documents, "document")}, ${formatBytes(valid.bytes)} held out`
  const library = device.choices["blas"] === undefined ? "" : `, ${device.choices["blas"]}`
  const lines = [
    `${split}${twins > 0 ? `; ${plural(twins, "duplicate")} kept on one side` : ""}`,
    `${formatCount(parameters.total)} parameters, ${count(vocabSize)} tokens, ${device.kind} with ${plural(device.lanes, "lane")}${library}; ${dir ?? "in memory"}`,
    ...(resumedFromStep === undefined ? [] : [`going on at step ${count(resumedFromStep)} of ${count(recipe.steps)}`]),
  ]
  return [...lines.flatMap((line) => hanging(line, width - 2)), ""]
}

/** Lines that hang under their first. */
const hanging = (line: string, width: number): string[] =>
  wrap(line, width - 4).map((part, at) => (at === 0 ? `  ${part}` : `    ${part}`))

function evaluationLine(
  { step, bitsPerByte, tokens, whole, seconds, best }: EvaluationEndEvent,
  { colors, width }: Style,
): string {
  const which = whole ? "all of it" : `${count(tokens)} tokens`
  const figures = `  ${colors.cyan("held out")} step ${count(step)}: ${colors.bold(`${bitsPerByte.toFixed(3)} bits/byte`)}`
  const mark = best ? colors.green(" best so far") : ""
  const details = ` ${colors.dim(`(${which}, ${formatDuration(seconds)})`)}`
  return [figures + mark + details, figures + mark, figures].find((line) => widthOf(line) < width) ?? figures
}

const SAMPLE_LINES = 6

/** The sample as the model wrote it, a few lines of it, its prompt apart from the rest by weight. */
export function sampleLines(
  { step, prompt, text }: Pick<SampleEvent, "prompt" | "text"> & { step?: number },
  { colors, width }: Style,
): string[] {
  const title = step === undefined ? [] : [`  ${colors.cyan("sample")} step ${count(step)}:`]
  const given = printable(prompt).trimStart()
  const lines = `${given}${printable(text)}`
    .trimEnd()
    .split("\n")
    .flatMap((line) => wrapKeeping(line, width - 6))
  const first = given.split("\n", 1)[0]!
  const shown = lines.slice(0, SAMPLE_LINES).map((line, at) => {
    const marked =
      at === 0 && first !== "" && line.startsWith(first) ? `${colors.bold(first)}${line.slice(first.length)}` : line
    return `  ${colors.dim("│")} ${marked}`
  })
  return [...title, ...shown, ...(lines.length > SAMPLE_LINES ? [`  ${colors.dim("│ …")}`] : [])]
}

/** A line of a sample: its indentation is part of what the model wrote; empty lines are left out. */
function wrapKeeping(line: string, width: number): string[] {
  if (line.trim() === "") return []
  const indent = /^\s*/
    .exec(line)![0]
    .replaceAll("\t", "  ")
    .slice(0, width >> 1)
  return wrap(line, width - indent.length).map((part) => `${indent}${part}`)
}
