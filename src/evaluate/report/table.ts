// Tables: numbers to the right, the first column names the row, long ones cut with a word about it.
import { Html, html, type Part } from "./html.ts"

export type Cell = Part

export interface Column {
  readonly title: string
  /** Numbers stand to the right. */
  readonly number?: boolean
}

export interface Table {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
}

/** A page should open at once: rows beyond are left out, and the page says how many. */
const MAX_ROWS = 400

export function tableOf({ columns, rows }: Table): Html {
  const shown = rows.slice(0, MAX_ROWS)
  const head = columns.map(({ title, number }) => html`<th scope="col"${kind(number)}>${title}</th>`)
  return html`<div class="scroll" tabindex="0"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${shown.map((row) => html`<tr>${row.map((cell, at) => cellOf(cell, columns[at]!, at))}</tr>\n`)}</tbody>
</table></div>${rows.length > shown.length && html`<p class="absent">${rows.length - shown.length} more rows are left out.</p>`}`
}

function cellOf(cell: Cell, { number }: Column, at: number): Html {
  return at === 0 ? html`<th scope="row"${kind(number)}>${cell}</th>` : html`<td${kind(number)}>${cell}</td>`
}

const kind = (number: boolean | undefined): Part => number === true && html` class="number"`
