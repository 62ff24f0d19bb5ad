// Trained on one domain, tested on another: a table whose cells are the darker the more bits they need above the column's best.
import type { CrossDomainFacts } from "../facts.ts"
import { bits, finite, MISSING } from "../format.ts"
import { Html, html } from "../html.ts"
import { absent, type Section } from "./section.ts"

/** Part of the accent in the cell that is furthest from its column's best: text stays readable on it. */
const DARKEST_PERCENT = 34
/** Twice the bits of the best are the end of the scale. */
const FURTHEST = 2

export function crossDomain(facts: CrossDomainFacts | undefined): Section {
  const [id, title] = ["cross-domain", "Across domains"]
  if (facts === undefined || facts.rows.length === 0) return absent(id, title, "kinglet compare --matrix RUN RUN…")
  const { rows, columns, cells } = facts
  const best = columns.map((_, column) => Math.min(...cells.map((line) => known(line[column]) ?? Infinity)))
  const lines = rows.map(
    ({ name, own }, row) =>
      html`<tr><th scope="row">${name}</th>${best.map((least, column) => cellOf(cells[row]?.[column], least, own === column))}</tr>\n`,
  )
  const hasHome = rows.some(({ own }) => own !== undefined)
  const notes = notesOf(facts)
  return {
    id,
    title,
    body: html`<p>Bits per byte of the row's model on the column's text. The best of a column is bold${hasHome && "; the text that a model's own run held out has a border"}.</p>
<div class="scroll" tabindex="0"><table class="heat">
<thead><tr><td class="corner">trained on ↓ tested on →</td>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${lines}</tbody>
</table></div>${notes.length > 0 && html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>\n`)}</ul>`}`,
  }
}

type Value = CrossDomainFacts["cells"][number][number] | undefined

const known = (value: Value): number | undefined => (typeof value === "string" ? undefined : finite(value))

/** Why cells have no number, and what the facts say beside others. */
function notesOf({ rows, columns, cells, notes = [] }: CrossDomainFacts): string[] {
  const reasons = rows.flatMap(({ name }, row) =>
    columns.flatMap((column, at) => {
      const value = cells[row]?.[at]
      return typeof value === "string" ? [`${name} has no number on ${column}: ${value}`] : []
    }),
  )
  return [...reasons, ...notes]
}

function cellOf(value: Value, least: number, isHome: boolean): Html {
  const number = known(value)
  if (number === undefined) return html`<td${isHome && new Html(' class="home"')}>${MISSING}</td>`
  const above = Math.min(1, Math.max(0, (number / least - 1) / (FURTHEST - 1)))
  const classes = [number === least && "best", isHome && "home"].filter((name) => name !== false).join(" ")
  const shade = Number.isFinite(above) ? Math.round(DARKEST_PERCENT * above) : 0
  return html`<td class="${classes}" style="--shade:${shade}%">${bits(number)}</td>`
}
