// The loss while training.
import { figure } from "../charts/figure.ts"
import { lossChart } from "../charts/loss-chart.ts"
import type { Group } from "../groups.ts"
import { type Section, unknown } from "./section.ts"

export function training(groups: readonly Group[]): Section {
  const [id, title] = ["loss", "Loss while training"] as const
  const chart = lossChart(groups)
  if (chart !== undefined) return { id, title, body: figure(chart) }
  return unknown(id, title, "no run tells its losses")
}
