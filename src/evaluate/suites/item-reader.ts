// From an item of a task file to a context and its endings: one function for each kind of task.
import { DataError } from "../../core/index.ts"
import { describe, type PlacedObject, requireField, textOf } from "./placed-object.ts"
import type { TaskItem, TaskKind } from "./task.ts"
import { fillTemplate, type Template } from "./template.ts"

/** What items call the parts of an item; choices may lie in one field or in several. */
export interface FieldNames {
  readonly good: string
  readonly bad: string
  readonly choices: string | readonly string[]
  readonly answer: string
  readonly target: string
  readonly group: string
  readonly phenomenon: string
}

export interface ItemRules {
  readonly kind: TaskKind
  readonly names: FieldNames
  readonly prompt: Template
  /** Cloze: the last word of the filled prompt is the target. */
  readonly lastWord: boolean
}

/** More choices than any exam has. */
const MAX_CHOICES = 256

const FIELDS_HINT = '"fields" in the task file says what the items call it'

/** @throws DataError  with file, item and field where something is missing or wrong */
export function readItem(object: PlacedObject, rules: ItemRules): TaskItem {
  return { ...readers[rules.kind](object, rules), ...readGroup(object, rules.names) }
}

const readers: { readonly [kind in TaskKind]: (object: PlacedObject, rules: ItemRules) => TaskItem } = {
  "minimal-pairs": readPair,
  "multiple-choice": readChoices,
  cloze: readCloze,
}

/** The two may be the same, as in seven pairs of BLiMP: a tie for every model. */
function readPair(object: PlacedObject, { names }: ItemRules): TaskItem {
  const endings = [names.good, names.bad].map((name) => fieldText(object, name, "a minimal pair"))
  return { context: "", endings, answer: 0 }
}

function readChoices(object: PlacedObject, { names, prompt }: ItemRules): TaskItem {
  const endings = choicesOf(object, names.choices)
  return { context: fillTemplate(prompt, object), endings, answer: answerOf(object, names.answer, endings) }
}

function readCloze(object: PlacedObject, { names, prompt, lastWord }: ItemRules): TaskItem {
  const text = fillTemplate(prompt, object)
  if (!lastWord) return { context: text, endings: [fieldText(object, names.target, "a cloze task")], answer: 0 }
  const words = text.trimEnd()
  const context = words.slice(0, Math.max(0, words.search(/\s\S*$/))).trimEnd()
  if (context === "")
    throw new DataError(`${object.place}: expected at least two words, got ${describe(text)}`, "the last is the target")
  return { context, endings: [words.slice(context.length).trimStart()], answer: 0 }
}

function choicesOf(object: PlacedObject, names: string | readonly string[]): string[] {
  const values = typeof names === "string" ? requireField(object, names, "multiple choice", FIELDS_HINT) : undefined
  if (typeof names !== "string")
    return distinct(
      object,
      names.map((name) => fieldText(object, name, "multiple choice")),
    )
  if (!Array.isArray(values) || values.length < 2 || values.length > MAX_CHOICES)
    throw new DataError(
      `${object.place}: ${JSON.stringify(names)} must be a list of 2 to ${MAX_CHOICES} texts, got ${describe(values)}`,
    )
  return distinct(
    object,
    values.map((value, at) => textOf(value, `${object.place}: choice ${at}`)),
  )
}

function distinct({ place }: PlacedObject, choices: readonly string[]): string[] {
  const twice = choices.findIndex((choice, at) => choices.indexOf(choice) < at)
  if (twice >= 0) throw new DataError(`${place}: the choice ${describe(choices[twice])} is given twice`)
  return [...choices]
}

/** An index from 0, or the right choice itself. */
function answerOf(object: PlacedObject, name: string, choices: readonly string[]): number {
  const value = requireField(object, name, "multiple choice", FIELDS_HINT)
  const index = typeof value === "string" ? choices.indexOf(value) : value
  if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < choices.length) return index as number
  throw new DataError(
    `${object.place}: ${JSON.stringify(name)} must be a whole number in 0..${choices.length - 1} or one of the choices, got ${describe(value)}`,
    "choices are counted from 0",
  )
}

function readGroup(object: PlacedObject, names: FieldNames): Pick<TaskItem, "group" | "phenomenon"> {
  const { fields, place } = object
  const [group, phenomenon] = [names.group, names.phenomenon].map((name) =>
    fields.has(name) ? textOf(fields.get(name), `${place}: ${JSON.stringify(name)}`) : undefined,
  )
  if (group === undefined && phenomenon !== undefined)
    throw new DataError(
      `${place} has a phenomenon but no group`,
      "a phenomenon is what several groups show; name the group",
    )
  return { ...(group !== undefined && { group }), ...(phenomenon !== undefined && { phenomenon }) }
}

function fieldText(object: PlacedObject, name: string, needs: string): string {
  return textOf(requireField(object, name, needs, FIELDS_HINT), `${object.place}: ${JSON.stringify(name)}`)
}
