// Zero-shot suites: per phenomenon, with what guessing and others reach.
import { type BarRow, barsOptions } from "../charts/bars-chart.ts"
import { type Chart, figure, type LegendItem } from "../charts/figure.ts"
import type { SuiteBaselineFacts, SuiteFacts } from "../facts.ts"
import { finite, percent, range, shorten, whole } from "../format.ts"
import { distinct, type Group, type Look } from "../groups.ts"
import { type Html, html, type Part } from "../html.ts"
import { tableOf } from "../table.ts"
import { absent, type Section } from "./section.ts"

const MARKS = ["diamond", "triangle", "cross"] as const

interface Series {
  readonly name: string
  readonly look: Look
  readonly suite: SuiteFacts
  /** Of its group, the first that was measured: it stands for the group in the chart. */
  readonly isFirst: boolean
}

export function suites(groups: readonly Group[]): Section {
  const [id, title] = ["suites", "Zero-shot suites"]
  const names = [
    ...new Set(groups.flatMap(({ runs }) => runs.flatMap((run) => (run.suites ?? []).map(({ name }) => name)))),
  ]
  if (names.length === 0) return absent(id, title, "kinglet evaluate RUN --suite blimp")
  return { id, title, body: names.map((name) => suiteOf(name, seriesOf(name, groups))) }
}

function seriesOf(name: string, groups: readonly Group[]): Series[] {
  return groups.flatMap(({ runs, look }) => {
    const measured = runs.filter((run) => (run.suites ?? []).some((suite) => suite.name === name))
    return measured.map((run, index) => {
      const suite = run.suites!.find((suite) => suite.name === name)!
      return { name: run.name, look, suite, isFirst: index === 0 }
    })
  })
}

function suiteOf(name: string, all: readonly Series[]): Html {
  const published = all
    .flatMap(({ suite }) => suite.published ?? [])
    .filter((each, at, list) => list.findIndex((other) => other.name === each.name) === at)
  const firsts = all.filter(({ isFirst }) => isFirst)
  const drawn = distinct(firsts.toSorted((a, b) => (finite(b.suite.accuracy) ?? 0) - (finite(a.suite.accuracy) ?? 0)))
  const chance = drawn.map(({ suite }) => finite(suite.chance)).find((each) => each !== undefined)
  const rows = rowsOf(drawn, published)
  const sentences = [
    chance !== undefined && `Guessing reaches ${percent(chance)}${rows.length > 0 ? " (the dashed line)" : ""}.`,
    rows.length > 0 && firsts.length > drawn.length && `Drawn are the ${drawn.length} best of ${firsts.length}.`,
    rows.length > 0 && all.length > firsts.length && "Of the seeds of a recipe, the first is drawn.",
  ].filter((sentence) => sentence !== false)
  const baselines = baselinesOf(all)
  return html`<h3>${name}</h3>
${sentences.length > 0 && html`<p>${sentences.join(" ")}</p>`}
${overall(all, baselines, published)}
${notesOf(all, baselines)}
${rows.length > 0 && figure(chartOf(name, rows, drawn, published, chance))}`
}

/** Baselines of all runs, the best first; two of a name stay apart where they counted different texts. */
function baselinesOf(all: readonly Series[]): SuiteBaselineFacts[] {
  const found = new Map(
    all
      .flatMap(({ suite }) => suite.baselines ?? [])
      .map((baseline) => [JSON.stringify([baseline.name, percent(baseline.accuracy)]), baseline]),
  )
  return [...found.values()].toSorted((a, b) => (finite(b.accuracy) ?? 0) - (finite(a.accuracy) ?? 0))
}

function notesOf(all: readonly Series[], baselines: readonly SuiteBaselineFacts[]): Html | undefined {
  const verdicts = all.flatMap(({ name, suite: { verdict } }) =>
    verdict === undefined ? [] : [`${all.length > 1 ? `${name}: ` : ""}${verdict}`],
  )
  const notes = baselines.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]))
  const lines = [...new Set([...verdicts, ...notes])]
  return lines.length === 0 ? undefined : html`<ul class="notes">${lines.map((line) => html`<li>${line}</li>\n`)}</ul>`
}

type Published = NonNullable<SuiteFacts["published"]>

function overall(all: readonly Series[], baselines: readonly SuiteBaselineFacts[], published: Published): Html {
  return tableOf({
    columns: [{ title: "model" }, ...["accuracy", "95 % interval", "items"].map((title) => ({ title, number: true }))],
    rows: [
      ...all.map(({ name, suite }) => [
        name,
        percent(suite.accuracy),
        range(suite.interval, percent),
        whole(suite.items),
      ]),
      ...baselines.map(({ name, accuracy }) => [
        html`${name} <small>counts the training text</small>`,
        percent(accuracy),
        "",
        "",
      ]),
      ...published.map(({ name, accuracy, source }) => [
        html`${name} <small>published${source !== undefined && `: ${source}`}</small>`,
        percent(accuracy),
        "",
        "",
      ]),
    ],
  })
}

function rowsOf(drawn: readonly Series[], published: Published): BarRow[] {
  const names = [...new Set(drawn.flatMap(({ suite }) => (suite.phenomena ?? []).map(({ name }) => name)))]
  return names.map((label) => ({
    label: label.replaceAll("_", " "),
    bars: drawn.flatMap(({ suite, look }) => {
      const found = suite.phenomena?.find(({ name }) => name === label)
      if (finite(found?.accuracy) === undefined) return []
      return [{ value: found!.accuracy, interval: found!.interval, color: look.color, text: percent(found!.accuracy) }]
    }),
    marks: published.slice(0, MARKS.length).flatMap(({ phenomena }, index) => {
      const value = finite(phenomena?.[label])
      return value === undefined ? [] : [{ value, symbol: MARKS[index]! }]
    }),
  }))
}

function chartOf(
  name: string,
  rows: readonly BarRow[],
  drawn: readonly Series[],
  published: Published,
  chance: number | undefined,
): Chart {
  const marked = published.slice(0, MARKS.length).filter((each) => each.phenomena !== undefined)
  const whiskers = rows.some(({ bars }) => bars.some(({ interval }) => interval !== undefined))
  return {
    label: `Bars of the accuracy on ${name} per phenomenon: ${rows.map(({ label, bars }) => `${label} ${bars[0]?.text ?? "not measured"}`).join(", ")}.`,
    legend: [
      ...drawn.map((series): LegendItem => ({ name: shorten(series.name, 32), look: series.look, kind: "bar" })),
      ...marked.map(
        (each): LegendItem => ({
          name: `${shorten(each.name, 32)}, published`,
          look: { color: "currentColor", symbol: MARKS[published.indexOf(each)]! },
          kind: "mark",
        }),
      ),
    ],
    caption: whiskers && "Whiskers are 95 % intervals.",
    options: (frame) =>
      barsOptions(
        rows,
        {
          domain: [0, 1],
          axis: "accuracy",
          format: (value) => `${Math.round(100 * value)} %`,
          ...(chance === undefined ? {} : { chance }),
        },
        frame,
      ),
    table: phenomenonTable(rows, drawn, published),
  }
}

function phenomenonTable(rows: readonly BarRow[], drawn: readonly Series[], published: Published) {
  const titles = [
    ...drawn.flatMap(({ name }) => [shorten(name, 28), "95 % interval"]),
    ...published.map(({ name }) => shorten(name, 28)),
  ]
  return {
    columns: [{ title: "phenomenon" }, ...titles.map((title) => ({ title, number: true }))],
    rows: rows.map(({ label }): Part[] => {
      const is = ({ name }: { name: string }): boolean => name.replaceAll("_", " ") === label
      return [
        label,
        ...drawn.flatMap(({ suite }) => {
          const found = suite.phenomena?.find(is)
          return [percent(found?.accuracy), range(found?.interval, percent)]
        }),
        ...published.map(({ phenomena = {} }) =>
          percent(Object.entries(phenomena).find(([name]) => is({ name }))?.[1]),
        ),
      ]
    }),
  }
}
