// kinglet compare: models on the same text, paired by document, with what each of them costs; or each on the text of each.

import { type Contestant, compareTwo, type MeasuredData, rank, type TextFindings } from "../../evaluate/index.ts"
import { commonText } from "../common-text.ts"
import { comparisonJson, rankingJson, rankingLines, twoLines } from "../comparison-lines.ts"
import { contestantOf, type Entrant, entrantsOf } from "../contestants.ts"
import { measureMatrix } from "../cross-domain.ts"
import { matrixLines } from "../cross-domain-lines.ts"
import { untilInterrupted } from "../interrupts.ts"
import { type MeasuringOptions, measureText } from "../measure-text.ts"
import type { Output } from "../output.ts"
import { wrap } from "../text.ts"
import type { NamedText } from "../texts.ts"
import { trainedOn } from "../trained-on.ts"
import type { ModelArguments } from "./generate.ts"

export interface CompareCommandOptions extends ModelArguments {
  readonly data?: readonly string[] | undefined
  readonly matrix?: true | undefined
}

/** What is wrong with the arguments, if anything. */
export function compareUsage(
  paths: readonly string[],
  { matrix, data }: Pick<CompareCommandOptions, "matrix" | "data">,
): string | undefined {
  if (paths.length > 1 || (matrix && data !== undefined)) return undefined
  return matrix
    ? "--matrix needs two runs, or a run and texts: --data name=path"
    : "compare needs two models: kinglet compare runs/a runs/b"
}

export async function compareCommand(
  paths: readonly string[],
  options: CompareCommandOptions,
  output: Output,
): Promise<number> {
  return untilInterrupted(output, async (signal) => {
    const entrants = await entrantsOf(paths, options.checkpoint)
    for (const { model } of entrants) if (model?.note) await output.note(model.note)
    const measuring = { ...options, output, signal }
    if (options.matrix) await showMatrix(entrants, options.data, measuring)
    else await showComparison(entrants, options.data, measuring)
    return 0
  })
}

async function showComparison(
  entrants: readonly Entrant[],
  data: readonly string[] | undefined,
  options: MeasuringOptions,
): Promise<void> {
  const { output } = options
  const text = await commonText(entrants, data)
  const warnings = "source" in text ? await warningsAbout(entrants, text, options) : []
  for (const warning of warnings) await output.note(`warning: ${warning}`)
  const found: TextFindings[] = []
  for (const entrant of entrants)
    found.push(entrant.findings ?? (await measureText(entrant.model, text as NamedText, options)))
  const unlike = unlikeWays(found)
  for (const warning of unlike) await output.note(`warning: ${warning}`)
  const contestants = alike(found).map((findings, at) => contestantOf(entrants[at]!, findings))
  await tell(contestants, text, [...warnings, ...unlike], output)
}

/** What keeps the numbers from being comparable. */
function unlikeWays(found: readonly TextFindings[]): string[] {
  const differ = (of: (findings: TextFindings) => string | number) => new Set(found.map(of)).size > 1
  return [
    ...(differ(({ result }) => result.stride ?? 0) ? ["their windows overlap by different strides"] : []),
    ...(differ(({ model }) => model.weights) ? ["their weights are held in different formats, f32 and f16"] : []),
  ]
}

/** Measured on different machines, or in other ways, their speeds say nothing and are left out. */
function alike(found: readonly TextFindings[]): readonly TextFindings[] {
  const ways = found.map(({ machine, result, model }) =>
    JSON.stringify([machine, result.stride, model.weights, result.reliability !== undefined]),
  )
  if (new Set(ways).size === 1) return found
  return found.map((findings) => ({ ...findings, result: { ...findings.result, seconds: 0 } }))
}

/** A sentence for each entrant that was trained on part of the text. */
async function warningsAbout(
  entrants: readonly Entrant[],
  text: NamedText,
  options: MeasuringOptions,
): Promise<string[]> {
  const warnings: string[] = []
  for (const { name, model } of entrants) {
    const known = model && (await trainedOn(model, text, options))
    if (known !== undefined)
      warnings.push(`${name} was ${known}: its bits per byte are too good, and the comparison is not fair`)
  }
  return warnings
}

async function tell(
  contestants: readonly Contestant[],
  text: MeasuredData,
  warnings: readonly string[],
  output: Output,
): Promise<void> {
  const [a, b] = contestants
  const about = { text: dataOf(text), warnings }
  if (contestants.length === 2) {
    const comparison = compareTwo(a!, b!)
    await output.event({ ...about, ...comparisonJson(comparison) })
    if (output.quiet) return output.answer(`${comparison.sentence}\n`)
    return output.say("", ...twoLines(comparison, text, output))
  }
  const ranking = rank(contestants)
  await output.event({ ...about, ...rankingJson(ranking) })
  if (output.quiet) return output.answer(`${ranking.sentence}\n`)
  await output.say("", ...rankingLines(ranking, text, output))
}

const dataOf = ({ name, sha256, documents, bytes }: MeasuredData): MeasuredData => ({ name, sha256, documents, bytes })

async function showMatrix(
  entrants: readonly Entrant[],
  data: readonly string[] | undefined,
  options: MeasuringOptions,
): Promise<void> {
  const { output } = options
  const { matrix, stored } = await measureMatrix(entrants, data, options)
  await output.event({ kind: "cross-domain", matrix, stored })
  if (output.quiet)
    return output.answer(
      `${matrix.cells.map((line) => line.map(({ bitsPerByte }) => bitsPerByte?.toFixed(4) ?? "-").join("\t")).join("\n")}\n`,
    )
  await output.say("", ...matrixLines(matrix, output))
  const where = wrap(`stored for kinglet report in ${stored.join(", ")}`, output.width - 2)
  if (stored.length > 0) await output.say("", ...where.map((line) => `  ${output.colors.dim(line)}`))
}
