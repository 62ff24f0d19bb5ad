// Whether probabilities are meant as they are said.
import { figure } from "../charts/figure.ts"
import { reliabilityChart } from "../charts/reliability-chart.ts"
import { percent } from "../format.ts"
import type { Group } from "../groups.ts"
import { html } from "../html.ts"
import { tableOf } from "../table.ts"
import { absent, type Section } from "./section.ts"

export function reliability(groups: readonly Group[]): Section {
  const [id, title] = ["reliability", "Are probabilities meant as they are said?"]
  const chart = reliabilityChart(groups)
  if (chart === undefined) return absent(id, title, "kinglet evaluate RUN")
  const measured = groups.flatMap(({ runs }) => runs).filter((run) => run.reliability !== undefined)
  const table = tableOf({
    columns: [{ title: "run" }, { title: "right", number: true }, { title: "calibration error", number: true }],
    rows: measured.map(({ name, reliability: score }) => [
      name,
      percent(score?.accuracy),
      percent(score?.expectedCalibrationError),
    ]),
  })
  const body = html`<p>Right is how often the likeliest token came; the expected calibration error is how far, on average, what is said lies from what happens.</p>
${table}${figure(chart)}`
  return { id, title, body }
}
