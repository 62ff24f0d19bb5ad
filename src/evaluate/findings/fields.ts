// Fields of foreign JSON, each checked where it is read: what is missing or of another kind is named by its place.
import { FormatError } from "../../core/index.ts"

/** A JSON object and where it stands, for messages. */
export interface Fields {
  /** A field that must be there. @throws FormatError  if it is not a `kind` */
  text(name: string): string
  number(name: string): number
  object(name: string): Fields
  /** All of the field's elements by `read`. */
  list<T>(name: string, read: (value: unknown, place: string) => T): T[]
  has(name: string): boolean
  readonly raw: { readonly [name: string]: unknown }
  /** @throws FormatError  always: "file: place must be expected, got" */
  fail(name: string, expected: string): never
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`
}

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** @throws FormatError  if `value` is not an object */
export function fieldsOf(value: unknown, file: string, place = ""): Fields {
  const at = (name: string) => (place === "" ? name : `${place}.${name}`)
  const failAt = (where: string, expected: string, got: unknown): never => {
    throw new FormatError(`${file} is damaged: ${where || "it"} must be ${expected}, got ${shown(got)}`, {
      hint: "remove the file and measure again",
    })
  }
  const raw = isObject(value) ? value : failAt(place, "an object", value)
  const own = (name: string): unknown => (Object.hasOwn(raw, name) ? raw[name] : undefined)
  const fail = (name: string, expected: string): never => failAt(at(name), expected, own(name))
  return {
    raw,
    fail,
    has: (name) => own(name) !== undefined,
    text: (name) => {
      const found = own(name)
      return typeof found === "string" ? found : fail(name, "a string")
    },
    number: (name) => {
      const found = own(name)
      return typeof found === "number" ? found : fail(name, "a number")
    },
    object: (name) => fieldsOf(own(name), file, at(name)),
    list: (name, read) => {
      const found = own(name)
      if (!Array.isArray(found)) return fail(name, "an array")
      return found.map((each, index) => read(each, `${at(name)}[${index}]`))
    },
  }
}

/** JSON text as checked fields. @throws FormatError  if it is no JSON, or not an object */
export function parseFields(text: string, file: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new FormatError(`${file} is damaged: it is no JSON`, { hint: "remove the file and measure again", cause })
  }
  return fieldsOf(value, file)
}
