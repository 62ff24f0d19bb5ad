// JSON objects that know where they stand, so that whatever is missing or wrong in one is said with file, item and field.
import { DataError } from "../../core/index.ts"

export interface PlacedObject {
  readonly fields: ReadonlyMap<string, unknown>
  /** `birds.json: item 3`: what messages begin with. */
  readonly place: string
}

/** A longer text is no item of a suite; it also bounds what one prompt can take. */
const MAX_TEXT_CHARACTERS = 1_000_000
/** Fields that a message names before it says how many more there are. */
const MAX_FIELDS_NAMED = 8

/** @throws DataError  if `value` is no object */
export function placeObject(value: unknown, place: string): PlacedObject {
  if (!(value instanceof Map)) throw new DataError(`${place}: expected an object, got ${describe(value)}`)
  return { fields: value as Map<string, unknown>, place }
}

/** @throws DataError  naming the first key that is not among `known` */
export function refuseUnknownKeys({ fields, place }: PlacedObject, known: readonly string[]): void {
  for (const key of fields.keys())
    if (!known.includes(key))
      throw new DataError(`${place}: unknown key ${JSON.stringify(key)}`, `known here are ${known.join(", ")}`)
}

/** @throws DataError  naming the field, what `needs` it and the fields there are */
export function requireField({ fields, place }: PlacedObject, key: string, needs: string, hint?: string): unknown {
  const value = fields.get(key)
  if (value !== undefined) return value
  throw new DataError(
    `${place} has no field ${JSON.stringify(key)}, which ${needs} needs; its fields are ${listOf([...fields.keys()])}`,
    hint,
  )
}

/** A text that is not empty. @throws DataError  if it is none, too long or has half of a surrogate pair */
export function textOf(value: unknown, place: string): string {
  if (typeof value !== "string") throw new DataError(`${place} must be a text, got ${describe(value)}`)
  if (value === "") throw new DataError(`${place} is empty`)
  return wellFormedText(value, place)
}

/** @throws DataError  if `value` is too long or has half of a surrogate pair */
export function wellFormedText(value: string, place: string): string {
  if (value.length > MAX_TEXT_CHARACTERS)
    throw new DataError(`${place} must have at most ${MAX_TEXT_CHARACTERS} characters, got ${value.length}`)
  if (!value.isWellFormed()) throw new DataError(`${place} holds half of a surrogate pair`, "repair that text")
  return value
}

/** A whole number in `least..most`, or `fallback` where there is none. @throws DataError */
export function countOf(
  { fields, place }: PlacedObject,
  key: string,
  { least, most, fallback }: { readonly least: number; readonly most: number; readonly fallback?: number },
): number {
  const value = fields.get(key) ?? fallback
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
  throw new DataError(`${place}: "${key}" must be a whole number in ${least}..${most}, got ${describe(value)}`)
}

/** A value in a few words. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing"
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Map) return "an object"
  const text = JSON.stringify(value)
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "none"
  const more = names.length - MAX_FIELDS_NAMED
  return names.slice(0, MAX_FIELDS_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "")
}
