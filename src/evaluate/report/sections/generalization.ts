// What the model learned by heart and what it learned: the measures, and the sentence of what they mean.
import type { GeneralizationFacts } from "../facts.ts"
import { plain, range } from "../format.ts"
import type { Group } from "../groups.ts"
import { type Html, html } from "../html.ts"
import { tableOf } from "../table.ts"
import { absent, perRun, type Section } from "./section.ts"

export function generalization(groups: readonly Group[]): Section {
  const [id, title] = ["generalization", "Generalization"]
  const measured = groups
    .flatMap(({ runs }) => runs)
    .flatMap((run) => (run.generalization === undefined ? [] : [{ name: run.name, body: partsOf(run.generalization) }]))
  if (measured.length === 0) return absent(id, title, "kinglet evaluate RUN --generalization")
  return { id, title, body: perRun(measured) }
}

function partsOf({ sentence, parts }: GeneralizationFacts): Html {
  const table = tableOf({
    cards: true,
    columns: [
      { title: "measure" },
      ...["value", "95 % interval", "control"].map((title) => ({ title, number: true })),
      { title: "verdict" },
      { title: "because" },
    ],
    rows: parts.map(({ name, value, unit = "", interval, control, fires, because }) => [
      name,
      html`<span class="whole">${plain(value)}${unit}</span>`,
      range(interval, plain),
      plain(control),
      fires ? html`<strong class="fires">▲ fires</strong>` : html`<span class="quiet">quiet</span>`,
      because,
    ]),
  })
  return html`<p class="sentence">${sentence}</p>
${table}`
}
