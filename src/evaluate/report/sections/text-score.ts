// Bits per byte beside baselines, one chart a text.
import { type BarRow, barsOptions } from "../charts/bars-chart.ts"
import { type Chart, figure } from "../charts/figure.ts"
import type { BaselineFacts, ResultFacts, RunFacts } from "../facts.ts"
import { bits, count, finite, plain, range, shorten, whole } from "../format.ts"
import type { Group } from "../groups.ts"
import { type Html, html } from "../html.ts"
import { isOn, seedNote, textsOf } from "../texts.ts"
import { absent, type Section } from "./section.ts"

/** Runs in a chart; all are in its table. */
const MAX_RUNS = 12

interface MeasuredRun {
  readonly run: RunFacts
  readonly result: ResultFacts
  readonly color: string
}

export function textScore(groups: readonly Group[]): Section {
  const [id, title] = ["bits", "Bits per byte, beside baselines"]
  const measured = groups
    .flatMap(({ runs, look }) => runs.map((run) => ({ run, result: run.result, color: look.color })))
    .filter((each): each is MeasuredRun => finite(each.result?.bitsPerByte) !== undefined)
  if (measured.length === 0) return absent(id, title, "kinglet evaluate RUN")
  const note = seedNote(groups)
  const texts = textsOf(measured.map(({ run }) => run)).map(({ key, name }) =>
    textOf(
      name,
      measured.filter(({ run }) => isOn(key)(run)),
    ),
  )
  return { id, title, body: html`${note !== undefined && html`<p class="note">${note}</p>\n`}${texts}` }
}

function textOf(text: string, measured: readonly MeasuredRun[]): Html {
  const best = measured.toSorted((a, b) => a.result.bitsPerByte - b.result.bitsPerByte)
  const baselines = baselinesOf(measured)
  const { result } = best[0]!
  const left = best.length - MAX_RUNS
  const sizes = [
    result.documents !== undefined && `${whole(result.documents)} ${result.documents === 1 ? "document" : "documents"}`,
    result.bytes !== undefined && `${count(result.bytes)} bytes`,
    result.tokens !== undefined && `${count(result.tokens)} tokens of the model`,
  ].filter((size) => size !== false)
  return html`<h3>${text}</h3>
<p>${sizes.length > 0 && `${sizes.join(", ")}. `}${result.protocol !== undefined && `Context: ${result.protocol}. `}Fewer bits are better.${left > 0 && ` Drawn are the ${MAX_RUNS} best runs of ${best.length}.`}</p>
${figure(chartOf(text, best, baselines))}
${notesOf(best, baselines)}`
}

/** Baselines of all runs; two of a name stay apart where they differ, as over tokens of different tokenizers. */
function baselinesOf(measured: readonly MeasuredRun[]): BaselineFacts[] {
  const found = new Map<string, BaselineFacts>()
  for (const { result } of measured)
    for (const baseline of result.baselines ?? []) {
      const key = JSON.stringify([baseline.name, finite(baseline.bitsPerByte)?.toFixed(4)])
      if (!found.has(key)) found.set(key, baseline)
    }
  return [...found.values()].toSorted((a, b) => (finite(a.bitsPerByte) ?? 1e9) - (finite(b.bitsPerByte) ?? 1e9))
}

function chartOf(text: string, best: readonly MeasuredRun[], baselines: readonly BaselineFacts[]): Chart {
  const known = baselines.filter(({ bitsPerByte }) => finite(bitsPerByte) !== undefined)
  const rows = [
    ...best.slice(0, MAX_RUNS).map(({ run, result, color }) => rowOf(run.name, result, color)),
    ...known.map((baseline) => rowOf(baseline.name, baseline, "var(--quiet)")),
  ]
  const largest = Math.max(
    ...rows.flatMap(({ bars }) => bars.map(({ value, interval }) => Math.max(value, finite(interval?.high) ?? 0))),
  )
  return {
    label: `Bars of bits per byte on ${text}: ${rows
      .slice(0, 8)
      .map((row) => `${shorten(row.label, 40)} ${row.bars[0]!.text}`)
      .join(", ")}.`,
    caption: known.length > 0 && "Baselines (gray) saw the same training bytes. Whiskers are 95 % intervals.",
    options: (frame) => barsOptions(rows, { domain: [0, largest], axis: "bits per byte", format: plain }, frame),
    table: {
      columns: [
        { title: "model" },
        ...["bits per byte", "95 % interval", "bits per character", "bits per token"].map((title) => ({
          title,
          number: true,
        })),
      ],
      rows: [
        ...best.map(({ run, result }) => [
          run.name,
          bits(result.bitsPerByte),
          range(result.interval, bits),
          bits(result.bitsPerCharacter),
          bits(result.bitsPerToken),
        ]),
        ...baselines.map((baseline) => [
          baseline.name,
          bits(baseline.bitsPerByte),
          range(baseline.interval, bits),
          "",
          "",
        ]),
      ],
    },
  }
}

function rowOf(
  label: string,
  result: { bitsPerByte?: number; interval?: ResultFacts["interval"] },
  color: string,
): BarRow {
  const value = result.bitsPerByte!
  return { label, bars: [{ value, interval: result.interval, color, text: bits(value) }] }
}

function notesOf(best: readonly MeasuredRun[], baselines: readonly BaselineFacts[]): Html | undefined {
  const verdicts = best
    .slice(0, MAX_RUNS)
    .flatMap(({ run, result }) =>
      result.verdict === undefined ? [] : [`${best.length > 1 ? `${run.name}: ` : ""}${result.verdict}`],
    )
  const notes = best
    .flatMap(({ result: { interval, noInterval } }) => [noInterval, interval?.note])
    .filter((note) => note !== undefined)
  const baselineNotes = baselines.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]))
  const all = [...new Set([...verdicts, ...notes, ...baselineNotes])]
  return all.length === 0 ? undefined : html`<ul class="notes">${all.map((note) => html`<li>${note}</li>\n`)}</ul>`
}
