// The recipes with their reasons, and in what they differ.
import type { RecipeFact } from "../facts.ts"
import { whole } from "../format.ts"
import type { Group } from "../groups.ts"
import { type Html, html } from "../html.ts"
import { tableOf } from "../table.ts"
import { perRun, type Section, unknown } from "./section.ts"

/** Columns of the table of differences. */
const MAX_COMPARED = 8

export function recipe(groups: readonly Group[]): Section {
  const [id, title] = ["recipe", "The recipe, with its reasons"]
  const known = groups.flatMap(({ name, runs }) => {
    const entries = runs.find((run) => (run.recipe?.length ?? 0) > 0)?.recipe
    return entries === undefined ? [] : [{ name, entries }]
  })
  if (known.length === 0) return unknown(id, title, "no run tells its recipe")
  const tables = known.map(({ name, entries }) => ({ name, body: recipeTable(entries) }))
  return { id, title, body: html`${known.length > 1 && differences(known)}${perRun(tables)}` }
}

/** What was derived stands open; what nobody chose in particular can be opened. */
function recipeTable(entries: readonly RecipeFact[]): Html {
  const [reasoned, rest] = [entries.filter(hasReason), entries.filter((entry) => !hasReason(entry))]
  if (reasoned.length === 0 || rest.length === 0) return rowsOf(entries)
  return html`${rowsOf(reasoned)}
<details class="numbers"><summary>${rest.length} more settings</summary>${rowsOf(rest)}</details>`
}

const hasReason = ({ because, source }: RecipeFact): boolean => because !== undefined || source !== undefined

function rowsOf(entries: readonly RecipeFact[]): Html {
  const rows = entries.map(
    ({ key, value, because, source }) =>
      html`<tr><th scope="row">${breakable(key)}</th><td class="value">${written(value)}</td><td class="reason">${because}${source !== undefined && html` <small>${source}</small>`}</td></tr>\n`,
  )
  return html`<table class="recipe">
<thead><tr><th scope="col">setting</th><th scope="col">value</th><th scope="col">because</th></tr></thead>
<tbody>
${rows}</tbody>
</table>`
}

/** A name may break before its words: `optimizer.` `learning` `Rate`. */
function breakable(key: string): Html {
  const words = key.split(/(?<=\.)|(?<=[a-z])(?=[A-Z])/)
  return html`${words.map((word, index) => html`${index > 0 && html`<wbr>`}${word}`)}`
}

function differences(known: readonly { readonly name: string; readonly entries: readonly RecipeFact[] }[]): Html {
  const compared = known.slice(0, MAX_COMPARED)
  const values = compared.map(({ entries }) => new Map(entries.map(({ key, value }) => [key, written(value)])))
  const keys = [...new Set(values.flatMap((each) => [...each.keys()]))]
  const rows = keys
    .map((key) => [key, ...values.map((each) => each.get(key) ?? "–")])
    .filter(([, ...each]) => new Set(each).size > 1)
  if (rows.length === 0) return html`<p>The recipes do not differ.</p>`
  const table = tableOf({ columns: [{ title: "setting" }, ...compared.map(({ name }) => ({ title: name }))], rows })
  return html`<h3>In what they differ</h3>${known.length > compared.length && html`<p>The first ${compared.length} of ${known.length} recipes.</p>`}${table}<h3>Each recipe</h3>`
}

/** A setting as people write it: numbers grouped, lists with commas, the rest as JSON. */
function written(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 1e15 ? whole(value) : String(value)
  if (typeof value === "string") return value.trim() === "" ? JSON.stringify(value) : value
  if (typeof value === "boolean") return value ? "yes" : "no"
  if (Array.isArray(value)) return value.map(written).join(", ")
  return value === undefined || value === null ? "–" : JSON.stringify(value)
}
