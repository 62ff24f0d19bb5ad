// kinglet report: what is known about runs, gathered, measured where bits per byte are missing, and written as one page.

import { platform } from "#platform"
import { DataError, formatBytes } from "../../core/index.ts"
import { type ComparisonOfTwo, compareTwo, reportHtml, type TextFindings } from "../../evaluate/index.ts"
import { list } from "../comparison.ts"
import { contestantOf, type Entrant, entrantsOf } from "../contestants.ts"
import { storedFindings } from "../evaluations.ts"
import { untilInterrupted } from "../interrupts.ts"
import { type MeasuringOptions, measureText } from "../measure-text.ts"
import type { Output } from "../output.ts"
import { type ReportedRun, reportFacts } from "../report-facts.ts"
import { wrap } from "../text.ts"
import { heldOutText } from "../texts.ts"
import type { ModelArguments } from "./generate.ts"

export interface ReportCommandOptions extends ModelArguments {
  readonly out?: string | undefined
}

export async function reportCommand(
  paths: readonly string[],
  options: ReportCommandOptions,
  output: Output,
): Promise<number> {
  return untilInterrupted(output, async (signal) => {
    const entrants = await entrantsOf(paths, options.checkpoint)
    const runs: ReportedRun[] = []
    for (const entrant of entrants) runs.push(await reportedRun(entrant, { ...options, output, signal }))
    const notes = entrants.flatMap(({ model }) => model?.note ?? [])
    const facts = reportFacts(runs, comparisonsOf(runs, entrants), notes)
    const files = platform.files!
    const out = options.out ?? files.join(runs[0]!.model.dir!, "report.html")
    const html = await reportHtml(facts)
    await files.writeAtomic(out, html)
    await output.event({ out, bytes: new TextEncoder().encode(html).length, ...facts })
    await tell(out, html, runs, facts.verdict, output)
    return 0
  })
}

/** @throws DataError  if the entrant is no run */
async function reportedRun({ name, model }: Entrant, options: MeasuringOptions): Promise<ReportedRun> {
  if (model?.dir === undefined)
    throw new DataError(
      `${name} is no run folder: a report tells how a model was made`,
      "name the folder that train made",
    )
  if (model.note) await options.output.note(model.note)
  const text = await measureText(model, await heldOutText(platform.files!, model.dir), options)
  const { findings } = await storedFindings(model.dir)
  return { name, model, text, findings: findings.filter((one) => one.model.sha256 === model.sha256) }
}

/** The best run against each of the others, where they were measured on the same text. */
function comparisonsOf(runs: readonly ReportedRun[], entrants: readonly Entrant[]): ComparisonOfTwo[] {
  const sha256 = runs[0]!.text.data.sha256
  if (runs.length < 2 || runs.some(({ text }) => text.data.sha256 !== sha256)) return []
  const contestants = runs.map(({ text }, at) => contestantOf(entrants[at]!, text))
  const [first, ...others] = contestants.sort((a, b) => a.result.bitsPerByte - b.result.bitsPerByte)
  return others.map((other) => compareTwo(first!, other))
}

async function tell(
  out: string,
  html: string,
  runs: readonly ReportedRun[],
  verdict: string | undefined,
  output: Output,
): Promise<void> {
  const { colors, width } = output
  if (output.quiet) return output.answer(`${out}\n`)
  const size = formatBytes(new TextEncoder().encode(html).length)
  const headline = verdict ?? headlineOf(runs[0]!.name, runs[0]!.text)
  await output.say(
    ...wrap(headline, width - 2).map((line) => `  ${colors.bold(line)}`),
    `  ${out}  ${colors.dim(size)}`,
    ...missingLines(runs, output),
  )
}

function headlineOf(name: string, { result, data }: TextFindings): string {
  const { bitsPerByte, interval } = result
  const range = interval ? ` (95 % interval ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})` : ""
  return `${name}: ${bitsPerByte.toFixed(3)} bits per byte${range} on ${data.name}`
}

/** What a report could also tell, were it measured. */
function missingLines(runs: readonly ReportedRun[], { colors, width }: Output): string[] {
  const has = (kind: string) => runs.some(({ findings }) => findings.some((one) => one.kind === kind))
  const missing = [
    ...(runs.some(({ text }) => text.result.baselines) ? [] : ["baselines"]),
    ...(runs.some(({ text }) => text.result.reliability) ? [] : ["reliability"]),
    ...(has("suite") ? [] : ["suites"]),
    ...(has("generalization") ? [] : ["generalization"]),
  ]
  if (missing.length === 0) return []
  const text = `not measured yet: ${list(missing)}; kinglet evaluate ${runs[0]!.model.path} --help tells how`
  return wrap(text, width - 2).map((line) => `  ${colors.dim(line)}`)
}
