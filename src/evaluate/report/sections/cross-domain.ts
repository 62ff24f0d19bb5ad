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
  if (facts === undefined || facts.names.length === 0) return absent(id, title, "kinglet compare --matrix RUN RUN…")
  const best = facts.names.map((_, column) => Math.min(...facts.matrix.map((row) => finite(row[column]) ?? Infinity)))
  const rows = facts.names.map(
    (name, row) =>
      html`<tr><th scope="row">${name}</th>${best.map((least, column) => cellOf(facts.matrix[row]?.[column], least, row === column))}</tr>\n`,
  )
  return {
    id,
    title,
    body: html`<p>Bits per byte of the model trained on the row's text, on the column's text. The best of a column is bold; the diagonal, where a model is at home, has a border.</p>
<div class="scroll" tabindex="0"><table class="heat">
<thead><tr><td class="corner">trained on ↓ tested on →</td>${facts.names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>`,
  }
}

function cellOf(value: number | null | undefined, least: number, isHome: boolean): Html {
  const known = finite(value)
  if (known === undefined) return html`<td${isHome && new Html(' class="home"')}>${MISSING}</td>`
  const above = Math.min(1, Math.max(0, (known / least - 1) / (FURTHEST - 1)))
  const classes = [known === least && "best", isHome && "home"].filter((name) => name !== false).join(" ")
  const shade = Number.isFinite(above) ? Math.round(DARKEST_PERCENT * above) : 0
  return html`<td class="${classes}" style="--shade:${shade}%">${bits(known)}</td>`
}
