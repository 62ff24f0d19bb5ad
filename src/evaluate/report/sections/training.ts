// The loss while training.
import { figure } from "../charts/figure.ts"
import { lossChart } from "../charts/loss-chart.ts"
import type { Group } from "../groups.ts"
import { html } from "../html.ts"
import type { Section } from "./section.ts"

export function training(groups: readonly Group[]): Section {
  const [id, title] = ["loss", "Loss while training"]
  const chart = lossChart(groups)
  if (chart !== undefined) return { id, title, body: figure(chart) }
  return { id, title, body: html`<p class="absent">Not known: no run tells its losses.</p>`, isAbsent: true }
}
