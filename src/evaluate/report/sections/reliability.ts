// Whether probabilities are meant as they are said.
import { figure } from "../charts/figure.ts"
import { reliabilityChart } from "../charts/reliability-chart.ts"
import { percent } from "../format.ts"
import type { Group } from "../groups.ts"
import { html } from "../html.ts"
import { absent, type Section } from "./section.ts"

export function reliability(groups: readonly Group[]): Section {
  const [id, title] = ["reliability", "Are probabilities meant as they are said?"]
  const chart = reliabilityChart(groups)
  if (chart === undefined) return absent(id, title, "kinglet evaluate RUN --reliability")
  const measured = groups.flatMap(({ runs }) => runs).filter((run) => run.reliability !== undefined)
  const sentences = measured.slice(0, 6).map(
    ({
      name,
      reliability: { accuracy, expectedCalibrationError } = {
        accuracy: Number.NaN,
        expectedCalibrationError: Number.NaN,
      },
    }) =>
      html`<p>${name}: the likeliest token is right ${percent(accuracy)} of the time; what is said and what happens differ by ${percent(expectedCalibrationError)} on average (expected calibration error).</p>\n`,
  )
  return { id, title, body: html`${sentences}${figure(chart)}` }
}
