// The plain sentence of the headline: how good the best run is, and whether a baseline is better.
import type { BaselineFacts, ReportFacts, ResultFacts, RunFacts } from "./facts.ts"
import { bits, ends, finite } from "./format.ts"

export function verdictOf(facts: ReportFacts): string {
  if (facts.verdict !== undefined) return facts.verdict
  if (facts.runs.length === 0) return "There are no runs to report."
  const best = facts.runs.filter((run) => finite(run.result?.bitsPerByte) !== undefined).toSorted(byResult)[0]
  if (best === undefined) return "No run has been measured on a text yet."
  const result = best.result!
  return `${sentenceOf(best, result, facts)} ${result.verdict ?? againstBaselines(result)}`.trim()
}

const byResult = (a: RunFacts, b: RunFacts): number => a.result!.bitsPerByte - b.result!.bitsPerByte

function sentenceOf(run: RunFacts, { bitsPerByte, interval, text }: ResultFacts, { runs }: ReportFacts): string {
  const texts = new Set(runs.flatMap(({ result }) => (result === undefined ? [] : [result.text])))
  const rank = runs.length > 1 && texts.size === 1 ? `, the best of ${runs.length} runs,` : ""
  const known = ends(interval)
  const span = known === undefined ? "" : ` (95 % interval ${bits(known.low)} to ${bits(known.high)})`
  return `${run.name}${rank} needs ${bits(bitsPerByte)} bits per byte${span} on ${text}.`
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
