// What was measured, in one sentence and a few figures; all runs in a table.
import type { ReportFacts, RunFacts } from "../facts.ts"
import { bits, bytes, count, duration, ends, finite, MISSING, power, range, shorten, whole } from "../format.ts"
import { type Group, median, seedsOf } from "../groups.ts"
import { Html, html, type Part } from "../html.ts"
import { tableOf } from "../table.ts"
import { isOn, textsOf } from "../texts.ts"
import { verdictOf } from "../verdict.ts"

export function headline(facts: ReportFacts, groups: readonly Group[]): Html {
  return html`<header>
<h1>${facts.title}</h1>
${facts.date !== undefined && html`<p class="date">${facts.date}</p>`}
<p class="verdict">${verdictOf(facts)}</p>
${groups.length === 1 && figuresOf(groups[0]!)}
${(facts.notes ?? []).map((note) => html`<p class="note">${note}</p>\n`)}
${facts.runs.length > 1 && runTable(facts.runs)}
</header>
`
}

/** The figures of a single recipe: medians where there are seeds; bits of different texts have none. */
function figuresOf(group: Group): Part {
  const middle = (of: (run: RunFacts) => number | undefined): number | undefined => {
    const values = group.runs.map((run) => finite(of(run))).filter((value) => value !== undefined)
    return values.length > 0 ? median(values) : undefined
  }
  const figures = [
    ...(textsOf(group.runs).length > 1
      ? []
      : [{ name: "bits per byte", value: bits(middle((run) => run.result?.bitsPerByte)), under: spreadOf(group) }]),
    { name: "parameters", value: count(middle((run) => run.parameters)), under: sizeOf(middle((run) => run.bytes)) },
    {
      name: "training",
      value: duration(middle((run) => run.seconds) ?? Number.NaN),
      under: workOf(middle((run) => run.flops)),
    },
    { name: "tokens a second", value: count(middle((run) => run.tokensPerSecond)), under: seedsOf(group) },
  ].filter(({ value }) => value !== MISSING)
  if (figures.length === 0) return undefined
  return html`<dl class="figures">${figures.map(
    ({ name, value, under }) => html`<div><dt>${name}</dt><dd>${value}</dd><dd class="under">${under}</dd></div>\n`,
  )}</dl>`
}

const sizeOf = (size: number | undefined): string => (size === undefined ? "" : `${bytes(size)} stored`)
const workOf = (flops: number | undefined): string => (flops === undefined ? "" : `${power(flops)} FLOPs`)

function spreadOf({ runs }: Group): string {
  if (runs.length === 1) {
    const { interval } = runs[0]!.result ?? {}
    return ends(interval) === undefined ? "" : `95 %: ${range(interval, bits)}`
  }
  const values = runs.map(({ result }) => finite(result?.bitsPerByte)).filter((value) => value !== undefined)
  return values.length < 2 ? "" : `seeds: ${bits(Math.min(...values))} to ${bits(Math.max(...values))}`
}

/** Runs that stand open; more can be opened. */
const OPEN_RUNS = 12

function runTable(runs: readonly RunFacts[]): Html {
  const numbers = ["seed", "parameters", "size", "training", "FLOPs", "bits per byte", "95 % interval"]
  const texts = textsOf(runs)
  const textOf = (run: RunFacts): string => texts.find(({ key }) => isOn(key)(run))?.name ?? MISSING
  const table = tableOf({
    columns: [
      { title: "run" },
      ...numbers.map((title) => ({ title, number: true })),
      ...(texts.length > 1 ? [{ title: "on" }] : []),
    ],
    rows: runs.map((run) => [
      run.name,
      finite(run.seed) === undefined ? MISSING : whole(run.seed),
      count(run.parameters),
      bytes(run.bytes),
      duration(run.seconds),
      power(run.flops),
      bits(run.result?.bitsPerByte),
      range(run.result?.interval, bits),
      ...(texts.length > 1 ? [shorten(textOf(run), 28)] : []),
    ]),
  })
  const open = new Html(runs.length <= OPEN_RUNS ? " open" : "")
  return html`<details class="run"${open}><summary>All ${runs.length} runs</summary>${table}</details>`
}
