// Prompts with holes: `{field}` is filled from an item, `{{` and `}}` are braces. No conditions, no loops.
import { DataError } from "../../core/index.ts"
import { describe, type PlacedObject, requireField, wellFormedText } from "./placed-object.ts"

/** Text and fields in turn: texts stand at even places, field names at odd ones. */
export type Template = readonly string[]

/** Braces of any kind, told apart by the group: a field's name. */
const BRACES = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g

/** @throws DataError  for a brace without its partner or a hole without a name */
export function parseTemplate(text: string, place: string): Template {
  const parts = [""]
  let end = 0
  for (const { 0: found, 1: name, index } of text.matchAll(BRACES)) {
    parts[parts.length - 1] += text.slice(end, index)
    end = index + found.length
    if (found === "{{" || found === "}}") parts[parts.length - 1] += found[0]
    else if (name) parts.push(name, "")
    else
      throw new DataError(
        `${place}: expected {field} with the name of a field, got "${found}" at character ${index + 1}`,
        "a brace that is meant as such is written twice: {{ or }}",
      )
  }
  parts[parts.length - 1] += text.slice(end)
  return parts
}

/** @throws DataError  if the object lacks a field, or it is neither a text nor a number */
export function fillTemplate(template: Template, object: PlacedObject): string {
  const filled = template.map((part, index) => (index % 2 === 0 ? part : fieldText(object, part))).join("")
  return wellFormedText(filled, `${object.place}: the filled prompt`)
}

function fieldText(object: PlacedObject, name: string): string {
  const value = requireField(object, name, '"prompt"', "the names in {braces} are those of the items' own fields")
  if (typeof value === "string" || typeof value === "number") return String(value)
  throw new DataError(
    `${object.place}: ${JSON.stringify(name)} must be a text or a number to stand in a prompt, got ${describe(value)}`,
  )
}
