// All of a task file but its items: which keys there are, what they mean, and what is assumed where they are absent.
import { DataError } from "../../core/index.ts"
import type { FewShot } from "./few-shot.ts"
import type { FieldNames, ItemRules } from "./item-reader.ts"
import { countOf, describe, type PlacedObject, placeObject, refuseUnknownKeys, textOf } from "./placed-object.ts"
import type { TaskFacts, TaskKind } from "./task.ts"
import { checkBeside } from "./task-file.ts"
import { parseTemplate } from "./template.ts"

export interface TaskHeader {
  readonly facts: TaskFacts
  readonly rules: ItemRules
  readonly separator: string
  /** The items as they stand in the task file, or the file they stand in. */
  readonly items: readonly unknown[] | { readonly file: string }
  /** `examples` undefined: they are drawn from the items. */
  readonly fewShot?: FewShot & { readonly examples: readonly unknown[] | undefined }
}

const VERSION = 1
/** More worked examples than any context holds. */
const MAX_SHOTS = 256

const ALWAYS = ["kinglet", "version", "name", "kind", "description", "licence", "source", "published"]
const EVERY_KIND = [...ALWAYS, "items", "file", "fields"]
const PROMPTED = ["prompt", "separator", "fewShot"]

/** By kind: its keys beside those of every kind, the fields of its items, and its prompt where none is given. */
const KINDS: { readonly [kind in TaskKind]: { keys: string[]; fields: (keyof FieldNames)[]; prompt: string } } = {
  "minimal-pairs": { keys: [], fields: ["good", "bad"], prompt: "" },
  "multiple-choice": { keys: PROMPTED, fields: ["choices", "answer"], prompt: "{question}" },
  cloze: { keys: [...PROMPTED, "lastWord"], fields: ["target"], prompt: "{text}" },
}

/** @throws DataError  naming the task file and the key that is missing, unknown or wrong */
export function readHeader(object: PlacedObject): TaskHeader {
  checkVersion(object)
  const kind = kindOf(object)
  refuseUnknownKeys(object, [...EVERY_KIND, ...KINDS[kind].keys])
  const fewShot = fewShotOf(object)
  const prompt = optionalString(object, "prompt") ?? KINDS[kind].prompt
  return {
    facts: factsOf(object, kind),
    rules: {
      kind,
      names: namesOf(object, kind),
      prompt: parseTemplate(prompt, `${object.place}: "prompt"`),
      lastWord: flagOf(object, "lastWord"),
    },
    separator: kind === "minimal-pairs" ? "" : (optionalString(object, "separator") ?? " "),
    items: itemsOf(object),
    ...(fewShot && { fewShot }),
  }
}

function checkVersion({ fields, place }: PlacedObject): void {
  if (fields.get("kinglet") !== "task")
    throw new DataError(
      `${place}: expected "kinglet": "task", got ${describe(fields.get("kinglet"))}`,
      "is it a task file?",
    )
  if (fields.get("version") !== VERSION)
    throw new DataError(`${place}: "version" must be ${VERSION}, got ${describe(fields.get("version"))}`)
}

function kindOf({ fields, place }: PlacedObject): TaskKind {
  const kind = fields.get("kind")
  if (typeof kind === "string" && Object.hasOwn(KINDS, kind)) return kind as TaskKind
  throw new DataError(`${place}: "kind" must be one of ${Object.keys(KINDS).join(", ")}, got ${describe(kind)}`)
}

function factsOf(object: PlacedObject, kind: TaskKind): TaskFacts {
  const [description, licence, source] = ["description", "licence", "source"].map((key) => optionalText(object, key))
  return {
    name: textOf(object.fields.get("name"), `${object.place}: "name"`),
    kind,
    ...(description !== undefined && { description }),
    ...(licence !== undefined && { licence }),
    ...(source !== undefined && { source }),
    published: publishedOf(object),
  }
}

function publishedOf({ fields, place }: PlacedObject): TaskFacts["published"] {
  const published = placeObject(fields.get("published") ?? new Map(), `${place}: "published"`)
  return Array.from(published.fields, ([name, accuracy]) => {
    if (typeof accuracy === "number" && accuracy >= 0 && accuracy <= 1) return { name, accuracy }
    throw new DataError(
      `${published.place}: ${JSON.stringify(name)} must be a share in 0..1, got ${describe(accuracy)}`,
      "61.24 % is written 0.6124",
    )
  })
}

function namesOf({ fields, place }: PlacedObject, kind: TaskKind): FieldNames {
  const renamed = placeObject(fields.get("fields") ?? new Map(), `${place}: "fields"`)
  const roles = [...KINDS[kind].fields, "group", "phenomenon"] as const
  refuseUnknownKeys(renamed, roles)
  const nameOf = (role: keyof FieldNames) => textOf(renamed.fields.get(role) ?? role, `${renamed.place}: "${role}"`)
  const choices = renamed.fields.get("choices")
  const names = ["good", "bad", "answer", "target", "group", "phenomenon"] as const
  const byRole = Object.fromEntries(names.map((role) => [role, nameOf(role)])) as Record<(typeof names)[number], string>
  return { ...byRole, choices: Array.isArray(choices) ? choiceFields(choices, renamed.place) : nameOf("choices") }
}

function choiceFields(names: readonly unknown[], place: string): string[] {
  if (names.length < 2) throw new DataError(`${place}: "choices" must name at least 2 fields, got ${names.length}`)
  return names.map((name, at) => textOf(name, `${place}: "choices" ${at}`))
}

function itemsOf(object: PlacedObject): TaskHeader["items"] {
  const { fields, place } = object
  if (fields.has("items") === fields.has("file"))
    throw new DataError(
      `${place}: expected either "items" or "file", got ${fields.has("items") ? "both" : "neither"}`,
      '"items" is a list of objects; "file" names JSON lines (.jsonl, .jsonl.gz) beside the task file',
    )
  if (fields.has("items")) return listOf(fields.get("items"), `${place}: "items"`)
  const file = textOf(fields.get("file"), `${place}: "file"`)
  checkBeside(file, place)
  return { file }
}

function fewShotOf({ fields, place }: PlacedObject): TaskHeader["fewShot"] {
  if (!fields.has("fewShot")) return undefined
  const object = placeObject(fields.get("fewShot"), `${place}: "fewShot"`)
  refuseUnknownKeys(object, ["count", "examples", "seed", "separator"])
  const examples = object.fields.get("examples")
  return {
    count: countOf(object, "count", { least: 0, most: MAX_SHOTS }),
    seed: countOf(object, "seed", { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: 1 }),
    separator: optionalString(object, "separator") ?? "\n\n",
    examples: examples === undefined ? undefined : listOf(examples, `${object.place}: "examples"`),
  }
}

function listOf(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new DataError(`${place} must be a list of objects, got ${describe(value)}`)
  if (value.length === 0) throw new DataError(`${place} is an empty list`)
  return value
}

function optionalString({ fields, place }: PlacedObject, key: string): string | undefined {
  const value = fields.get(key)
  if (value === undefined || typeof value === "string") return value
  throw new DataError(`${place}: ${JSON.stringify(key)} must be a text, got ${describe(value)}`)
}

const optionalText = ({ fields, place }: PlacedObject, key: string): string | undefined =>
  fields.has(key) ? textOf(fields.get(key), `${place}: ${JSON.stringify(key)}`) : undefined

function flagOf({ fields, place }: PlacedObject, key: string): boolean {
  const value = fields.get(key) ?? false
  if (typeof value === "boolean") return value
  throw new DataError(`${place}: ${JSON.stringify(key)} must be true or false, got ${describe(value)}`)
}
