// The plain sentence of the headline: how good the best run is, and whether a baseline is better.
import type { BaselineFacts, ReportFacts, ResultFacts, RunFacts } from "./facts.ts"
import { bits, ends, finite } from "./format.ts"
import { isOn, type MeasuredText, textsOf } from "./texts.ts"

/** Texts of which the headline tells the best run. */
const MAX_TEXTS = 3

export function verdictOf(facts: ReportFacts): string {
  if (facts.verdict !== undefined) return facts.verdict
  if (facts.runs.length === 0) return "There are no runs to report."
  const texts = textsOf(facts.runs)
  if (texts.length === 0) return "No run has been measured on a text yet."
  const sentences = texts.slice(0, MAX_TEXTS).map((text) => sentencesOf(text, facts.runs))
  if (texts.length === 1) return sentences[0]!
  return `The runs were measured on ${texts.length} different texts, whose bits per byte do not compare. ${sentences.join(" ")}`
}

/** The best run on one text, and whether a baseline is better there. */
function sentencesOf(text: MeasuredText, runs: readonly RunFacts[]): string {
  const measured = runs.filter(isOn(text.key)).filter((run) => finite(run.result?.bitsPerByte) !== undefined)
  const best = measured.toSorted(byResult)[0]!
  const verdict = best.result!.verdict ?? againstBaselines(best.result!)
  return `${sentenceOf(best, text.name, measured.length)} ${verdict}`.trim()
}

const byResult = (a: RunFacts, b: RunFacts): number => a.result!.bitsPerByte - b.result!.bitsPerByte

function sentenceOf({ name, result }: RunFacts, text: string, runs: number): string {
  const { bitsPerByte, interval } = result!
  const rank = runs > 1 ? `, the best of ${runs} runs,` : ""
  const known = ends(interval)
  const span = known === undefined ? "" : ` (95 % interval ${bits(known.low)} to ${bits(known.high)})`
  return `${name}${rank} needs ${bits(bitsPerByte)} bits per byte${span} on ${text}.`
}

function againstBaselines({ bitsPerByte, baselines = [] }: ResultFacts): string {
  const best = bestBaseline(baselines)
  if (best === undefined) return "No baseline was measured on the same text."
  const difference = bits(Math.abs(bitsPerByte - best.bitsPerByte!))
  if (best.bitsPerByte! <= bitsPerByte)
    return `A baseline wins: ${best.name} needs ${bits(best.bitsPerByte)}, ${difference} less.`
  return `No baseline reaches that: the best one, ${best.name}, needs ${bits(best.bitsPerByte)}, ${difference} more.`
}

/** The baseline with the fewest bits, among those that ran. */
export function bestBaseline(baselines: readonly BaselineFacts[]): BaselineFacts | undefined {
  return baselines
    .filter(({ bitsPerByte }) => finite(bitsPerByte) !== undefined)
    .toSorted((a, b) => a.bitsPerByte! - b.bitsPerByte!)[0]
}
