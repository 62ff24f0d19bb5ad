// The recipes with their reasons, and in what they differ.
import type { RecipeFact } from "../facts.ts"
import { plain, whole } from "../format.ts"
import type { Group } from "../groups.ts"
import { Html, html } from "../html.ts"
import { tableOf } from "../table.ts"
import { perRun, type Section } from "./section.ts"

/** Columns of the table of differences. */
const MAX_COMPARED = 8

export function recipe(groups: readonly Group[]): Section {
  const [id, title] = ["recipe", "The recipe, with its reasons"]
  const known = groups.flatMap(({ name, runs }) => {
    const entries = runs.find((run) => (run.recipe?.length ?? 0) > 0)?.recipe
    return entries === undefined ? [] : [{ name, entries }]
  })
  if (known.length === 0)
    return { id, title, body: html`<p class="absent">Not known: no run tells its recipe.</p>`, isAbsent: true }
  const tables = known.map(({ name, entries }) => ({ name, body: recipeTable(entries) }))
  return { id, title, body: html`${known.length > 1 && differences(known)}${perRun(tables)}` }
}

function recipeTable(entries: readonly RecipeFact[]): Html {
  const rows = entries.map(
    ({ key, value, because, source }) =>
      html`<tr><th scope="row">${key}</th><td class="value">${written(value)}</td><td class="reason">${because}${source !== undefined && html` <small>${source}</small>`}</td></tr>\n`,
  )
  return html`<table class="recipe">
<thead><tr><th scope="col">setting</th><th scope="col">value</th><th scope="col">because</th></tr></thead>
<tbody>
${rows}</tbody>
</table>`
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
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 1e15 ? whole(value) : plain(value)
  if (typeof value === "string") return value
  if (typeof value === "boolean") return value ? "yes" : "no"
  if (Array.isArray(value)) return value.map(written).join(", ")
  return value === undefined || value === null ? "–" : JSON.stringify(value)
}
