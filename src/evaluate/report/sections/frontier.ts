// Size against loss of all runs, one chart a text: bits per byte of different texts do not compare.
import { figure } from "../charts/figure.ts"
import { frontierChart } from "../charts/frontier-chart.ts"
import { finite } from "../format.ts"
import type { Group } from "../groups.ts"
import { html } from "../html.ts"
import { type Section, unknown } from "./section.ts"

export function frontier(groups: readonly Group[]): Section {
  const [id, title] = ["frontier", "Size and loss"] as const
  const runs = groups.flatMap((group) => group.runs)
  const named = runs.flatMap(({ result }) => (result === undefined ? [] : [result.text]))
  const texts = [...new Set(named)].filter((text) => named.filter((each) => each === text).length > 1)
  if (named.length > 0 && texts.length === 0) return unknown(id, title, "it takes two runs on the same text")
  const measure = runs.every(({ parameters }) => finite(parameters) === undefined) ? "bytes" : "parameters"
  const charts = texts.flatMap((text) => {
    const chart = frontierChart(measuredOn(text, groups), measure)
    return chart === undefined ? [] : [{ text, chart }]
  })
  if (charts.length === 0) return unknown(id, title, "no run tells both its size and its bits per byte")
  const body = charts.map(({ text, chart }) => html`${charts.length > 1 && html`<h3>${text}</h3>`}${figure(chart)}`)
  return { id, title, body }
}

function measuredOn(text: string, groups: readonly Group[]): Group[] {
  return groups.map((group) => ({ ...group, runs: group.runs.filter(({ result }) => result?.text === text) }))
}
