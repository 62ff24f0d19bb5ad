// Size against loss of all runs, one chart a text: bits per byte of different texts do not compare.
import { figure } from "../charts/figure.ts"
import { frontierChart } from "../charts/frontier-chart.ts"
import { finite } from "../format.ts"
import type { Group } from "../groups.ts"
import { html } from "../html.ts"
import { isOn, textsOf } from "../texts.ts"
import { type Section, unknown } from "./section.ts"

export function frontier(groups: readonly Group[]): Section {
  const [id, title] = ["frontier", "Size and loss"] as const
  const runs = groups.flatMap((group) => group.runs)
  const measured = textsOf(runs)
  const texts = measured.filter(({ key }) => runs.filter(isOn(key)).length > 1)
  if (measured.length > 0 && texts.length === 0) return unknown(id, title, "it takes two runs on the same text")
  const measure = runs.every(({ parameters }) => finite(parameters) === undefined) ? "bytes" : "parameters"
  const charts = texts.flatMap(({ key, name }) => {
    const chart = frontierChart(measuredOn(key, groups), measure)
    return chart === undefined ? [] : [{ name, chart }]
  })
  if (charts.length === 0) return unknown(id, title, "no run tells both its size and its bits per byte")
  const body = charts.map(({ name, chart }) => html`${charts.length > 1 && html`<h3>${name}</h3>`}${figure(chart)}`)
  return { id, title, body }
}

function measuredOn(key: string, groups: readonly Group[]): Group[] {
  return groups.map((group) => ({ ...group, runs: group.runs.filter(isOn(key)) }))
}
