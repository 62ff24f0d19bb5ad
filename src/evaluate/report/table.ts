// Tables: numbers to the right, the first column names the row, long ones cut with a word about it.
import { MISSING } from "./format.ts"
import { type Html, html, type Part } from "./html.ts"

export type Cell = Part

export interface Column {
  readonly title: string
  /** Numbers stand to the right. */
  readonly number?: boolean
}

export interface Table {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Cell[])[]
  /** On a narrow screen each row is a card, its cells below each other with their titles: for tables with sentences. */
  readonly cards?: boolean
}

/** A page should open at once: rows beyond are left out, and the page says how many. */
const MAX_ROWS = 400

export function tableOf({ columns, rows, cards = false }: Table): Html {
  const shown = rows.slice(0, MAX_ROWS)
  const head = columns.map(({ title, number }) => html`<th scope="col"${kind(number, title)}>${title}</th>`)
  return html`<div class="scroll" tabindex="0"><table${cards && html` class="cards"`}>
<thead><tr>${head}</tr></thead>
<tbody>
${shown.map((row) => html`<tr>${row.map((cell, at) => cellOf(cell, columns[at]!, at))}</tr>\n`)}</tbody>
</table></div>${rows.length > shown.length && html`<p class="absent">${rows.length - shown.length} more rows are left out.</p>`}`
}

function cellOf(cell: Cell, { title, number }: Column, at: number): Html {
  return at === 0
    ? html`<th scope="row"${kind(number, cell)}>${cell}</th>`
    : html`<td data-title="${title}"${kind(number, cell)}>${cell}</td>`
}

/** A phone leaves out cells that hold nothing. */
function kind(number: boolean | undefined, cell?: Cell): Part {
  const isEmpty = cell === MISSING || cell === "" || cell === undefined || cell === false
  const classes = [number === true && "number", isEmpty && "empty"].filter((name) => name !== false)
  return classes.length > 0 && html` class="${classes.join(" ")}"`
}
