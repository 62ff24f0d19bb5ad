// The shapes of stored results: what reports read of them is checked when a file is read, so that nobody meets a damaged field
// later. Fields that no shape names are kept as they are.
import { type Fields, fieldsOf } from "./fields.ts"

/** Of a field; an array is a list of such objects. */
type Kind = "text" | "number" | "flag" | "object" | Shape | readonly [Shape]

/** Kinds by name; a name that ends with `?` may be absent. */
export interface Shape {
  readonly [name: string]: Kind
}

const INTERVAL: Shape = {
  low: "number",
  high: "number",
  level: "number",
  unit: "text",
  units: "number",
  "note?": "text",
}

export const TEXT: Shape = {
  protocol: "text",
  seconds: "number",
  "stride?": "number",
  "interval?": INTERVAL,
  "noInterval?": "text",
  "reliability?": {
    bins: [{ confidence: "number", accuracy: "number", count: "number" }],
    expectedCalibrationError: "number",
    accuracy: "number",
  },
  "baselines?": [
    {
      name: "text",
      title: "text",
      "bitsPerByte?": "number",
      "order?": "number",
      "seconds?": "number",
      "note?": "text",
    },
  ],
}

export const SUITE: Shape = {
  name: "text",
  accuracy: "number",
  "interval?": INTERVAL,
  "items?": "number",
  "mean?": "number",
  "meanInterval?": INTERVAL,
  "chance?": "number",
  "phenomena?": [{ name: "text", accuracy: "number", "interval?": INTERVAL, "items?": "number" }],
  "published?": [{ name: "text", accuracy: "number", "phenomena?": "object", "source?": "text" }],
  "baselines?": [{ name: "text", accuracy: "number", "order?": "number", "mean?": "number", "note?": "text" }],
  "verdict?": "text",
}

export const GENERALIZATION: Shape = {
  sentence: "text",
  "parts?": [
    {
      name: "text",
      value: "number",
      fires: "flag",
      "unit?": "text",
      "interval?": INTERVAL,
      "control?": "number",
      "because?": "text",
    },
  ],
}

export const CELL: Shape = {
  "bitsPerByte?": "number",
  "interval?": INTERVAL,
  "unreadable?": "text",
  "note?": "text",
}

/**
 * The object of `fields`, which has the shape. JSON has no number that is not finite and holds null for it: such a number is
 * NaN here, or absent where it may be.
 *
 * @throws FormatError  if a field is missing or of another kind; the sentence says which
 */
export function checked(fields: Fields, shape: Shape, file: string): { readonly [name: string]: unknown } {
  const found = new Map(Object.entries(fields.raw))
  for (const [key, kind] of Object.entries(shape)) {
    const name = key.replace(/\?$/, "")
    const isMissing = !found.has(name) || found.get(name) === null
    if (isMissing && name !== key) found.delete(name)
    else found.set(name, valueOf(name, kind, fields, file))
  }
  return Object.fromEntries(found)
}

function valueOf(name: string, kind: Kind, fields: Fields, file: string): unknown {
  if (kind === "text") return fields.text(name)
  if (kind === "number") return fields.raw[name] === null ? Number.NaN : fields.number(name)
  if (kind === "flag") return typeof fields.raw[name] === "boolean" ? fields.raw[name] : fields.fail(name, "a boolean")
  if (kind === "object") return fields.object(name).raw
  if (!isList(kind)) return checked(fields.object(name), kind, file)
  return fields.list(name, (each, place) => checked(fieldsOf(each, file, place), kind[0], file))
}

const isList = (kind: Shape | readonly [Shape]): kind is readonly [Shape] => Array.isArray(kind)
