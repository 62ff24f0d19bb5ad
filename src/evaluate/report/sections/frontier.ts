// Size against loss of all runs.
import { figure } from "../charts/figure.ts"
import { frontierChart } from "../charts/frontier-chart.ts"
import type { Group } from "../groups.ts"
import { html } from "../html.ts"
import type { Section } from "./section.ts"

export function frontier(groups: readonly Group[]): Section {
  const [id, title] = ["frontier", "Size and loss"]
  const runs = groups.flatMap((group) => group.runs)
  const texts = new Set(runs.flatMap(({ result }) => (result === undefined ? [] : [result.text])))
  const measure = runs.every(({ parameters }) => parameters === undefined) ? "bytes" : "parameters"
  const chart = frontierChart(groups, measure)
  if (chart === undefined) {
    const body = html`<p class="absent">Not known: no run tells both its size and its bits per byte.</p>`
    return { id, title, body, isAbsent: true }
  }
  const mixed =
    texts.size > 1 &&
    html`<p class="note">The runs were measured on ${texts.size} different texts: their bits per byte do not compare.</p>`
  return { id, title, body: html`${mixed}${figure(chart)}` }
}
