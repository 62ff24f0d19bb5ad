// Findings as a file: JSON with the scores of documents as columns, since a text may have thousands of them.
import { FormatError } from "../../core/index.ts"
import { bitRatios } from "../score/bit-ratios.ts"
import { BLOCK_BYTES, type DocumentScore } from "../score/document-score.ts"
import { type Fields, fieldsOf, parseFields } from "./fields.ts"
import type { MeasuredData, MeasuredModel, MeasuringMachine, TextFindings, TextResult } from "./findings.ts"
import { type CrossDomainCell, type CrossDomainMatrix, FINDINGS_VERSION, type Findings } from "./findings.ts"
import { CELL, checked, GENERALIZATION, SUITE, TEXT } from "./shapes.ts"

/** Digits of a document's SHA-256 that are kept: 64 bits, enough to tell any number of documents apart. */
export const DOCUMENT_HASH_DIGITS = 16

const KINDS = ["text", "suite", "generalization", "cross-domain"] as const

/** Scores whose documents are named as stored ones are, so that both can be paired. */
export const withShortHashes = (documents: readonly DocumentScore[]): DocumentScore[] =>
  documents.map((document) => ({ ...document, sha256: document.sha256.slice(0, DOCUMENT_HASH_DIGITS) }))

/** The JSON of `findings`; `parseFindings` reads it back. A number that is not finite is written as null. */
export function serializeFindings(findings: Findings): string {
  if (findings.kind !== "text") return `${JSON.stringify(findings)}\n`
  const { documents, ...numbers } = findings.result
  return `${JSON.stringify({ ...findings, result: { ...numbers, documents: columnsOf(documents) } })}\n`
}

function columnsOf(documents: readonly DocumentScore[]) {
  const column = <K extends keyof DocumentScore>(key: K) => documents.map((document) => document[key])
  return {
    sha256: withShortHashes(documents).map(({ sha256 }) => sha256),
    nats: column("nats"),
    tokens: column("tokens"),
    bytes: column("bytes"),
    characters: column("characters"),
    blockNats: column("blockNats"),
  }
}

/**
 * Findings from their JSON.
 *
 * @param file  for messages
 * @throws FormatError  if the text is no JSON, lacks a field, or has one of another kind; the sentence says which
 */
export function parseFindings(text: string, file: string): Findings {
  const fields = parseFields(text, file)
  const kind = KINDS.find((one) => one === fields.raw["kind"]) ?? fields.fail("kind", `one of ${KINDS.join(", ")}`)
  const version = fields.number("version")
  if (version !== FINDINGS_VERSION)
    throw new FormatError(`${file}: expected findings of version ${FINDINGS_VERSION}, got ${version}`, {
      hint: "a newer kinglet wrote it: update, or measure again",
    })
  if (Number.isNaN(Date.parse(fields.text("when")))) fields.fail("when", "a time in ISO 8601")
  const head = {
    version: FINDINGS_VERSION,
    model: modelFrom(fields.object("model")),
    kinglet: fields.text("kinglet"),
    ...(fields.has("commit") ? { commit: fields.text("commit") } : {}),
    machine: machineFrom(fields.object("machine")),
    data: dataFrom(fields.object("data")),
    when: fields.text("when"),
  } as const
  return { ...head, kind, result: readResult[kind](fields.object("result"), file) } as Findings
}

/** Findings about a text. @throws FormatError  as {@link parseFindings}, or if they are about something else */
export function parseTextFindings(text: string, file: string): TextFindings {
  const findings = parseFindings(text, file)
  if (findings.kind === "text") return findings
  throw new FormatError(`${file} holds findings of kind "${findings.kind}", and a comparison needs kind "text"`, {
    hint: "kinglet evaluate MODEL stores such findings in RUN/evaluations/",
  })
}

function modelFrom(fields: Fields): MeasuredModel {
  const weights = fields.text("weights")
  return {
    source: fields.text("source"),
    ...(fields.has("step") ? { step: fields.number("step") } : {}),
    ...(fields.has("steps") ? { steps: fields.number("steps") } : {}),
    sha256: fields.text("sha256"),
    parameters: fields.number("parameters"),
    bytes: fields.number("bytes"),
    weights: weights === "f32" || weights === "f16" ? weights : fields.fail("weights", '"f32" or "f16"'),
  }
}

function machineFrom(fields: Fields): MeasuringMachine {
  const device = fields.object("device")
  const choices = device.object("choices").raw as MeasuringMachine["device"]["choices"]
  return {
    engine: fields.text("engine"),
    cores: fields.number("cores"),
    device: { kind: device.text("kind"), lanes: device.number("lanes"), choices },
  }
}

const dataFrom = (fields: Fields): MeasuredData => ({
  name: fields.text("name"),
  sha256: fields.text("sha256"),
  documents: fields.number("documents"),
  bytes: fields.number("bytes"),
})

const readResult: { readonly [kind in Findings["kind"]]: (fields: Fields, file: string) => unknown } = {
  text: textFrom,
  suite: (fields, file) => checked(fields, SUITE, file),
  generalization: (fields, file) => checked(fields, GENERALIZATION, file),
  "cross-domain": matrixFrom,
}

/** JSON has no infinity: a loss that was one is stored as null. */
function natsFrom(value: unknown, place: string, fields: Fields): number {
  if (typeof value === "number") return value
  return value === null ? Infinity : fields.fail(place, "numbers")
}

function textFrom(fields: Fields, file: string): TextResult {
  const nats = natsFrom(fields.raw["nats"], "nats", fields)
  const [bytes, characters, tokens] = [fields.number("bytes"), fields.number("characters"), fields.number("tokens")]
  return {
    ...(checked(fields, TEXT, file) as unknown as TextResult),
    ...bitRatios({ nats, tokens, bytes, characters }),
    nats,
    tokens,
    bytes,
    characters,
    documents: documentsFrom(fields.object("documents")),
  }
}

/** Columns back to documents; all must be equally long, and a document's blocks must be those of its bytes. */
function documentsFrom(fields: Fields): DocumentScore[] {
  const hashes = fields.list("sha256", (value) =>
    typeof value === "string" ? value : fields.fail("sha256", "strings"),
  )
  const sized = <T>(name: string, read: (value: unknown) => T): T[] => {
    const column = fields.list(name, read)
    return column.length === hashes.length ? column : fields.fail(name, `an array of ${hashes.length}`)
  }
  const numbers = (name: string) =>
    sized(name, (value) => (typeof value === "number" ? value : fields.fail(name, "numbers")))
  const nats = sized("nats", (value) => natsFrom(value, "nats", fields))
  const [tokens, bytes, characters] = [numbers("tokens"), numbers("bytes"), numbers("characters")]
  const blockNats = sized("blockNats", (value) =>
    Array.isArray(value)
      ? value.map((each) => natsFrom(each, "blockNats", fields))
      : fields.fail("blockNats", "arrays"),
  )
  return hashes.map((sha256, at) => {
    if (blockNats[at]!.length > Math.ceil(bytes[at]! / BLOCK_BYTES) + 1)
      fields.fail("blockNats", `a number for each ${BLOCK_BYTES} bytes`)
    return {
      id: sha256,
      sha256,
      nats: nats[at]!,
      tokens: tokens[at]!,
      bytes: bytes[at]!,
      characters: characters[at]!,
      blockNats: blockNats[at]!,
    }
  })
}

function matrixFrom(fields: Fields, file: string): CrossDomainMatrix {
  const columns = fields.list("columns", (value, place) => dataFrom(fieldsOf(value, file, place)))
  const rows = fields.list("rows", (value, place) => {
    const row = fieldsOf(value, file, place)
    return { name: row.text("name"), sha256: row.text("sha256"), ...(row.has("own") ? { own: row.number("own") } : {}) }
  })
  const cells = fields.list("cells", (line, place) =>
    Array.isArray(line) && line.length === columns.length
      ? line.map((cell, at) => cellFrom(fieldsOf(cell, file, `${place}[${at}]`), file))
      : fields.fail("cells", `rows of ${columns.length}`),
  )
  return cells.length === rows.length ? { rows, columns, cells } : fields.fail("cells", `${rows.length} rows`)
}

function cellFrom(fields: Fields, file: string): CrossDomainCell {
  const cell = checked(fields, CELL, file)
  if (!fields.has("bitsPerByte")) fields.text("unreadable")
  return fields.raw["bitsPerByte"] === null ? { ...cell, bitsPerByte: Infinity } : cell
}
