// Files, folders, globs and standard input as one source. A .txt or .md file is one document, each line of a .jsonl file is
// one; `.gz` is undone on the way. Reading is streaming: one document at a time is in memory.
import { platform } from "#platform"
import { ConfigError, concatBytes, DataError, FormatError } from "../core/index.ts"
import { decodeUtf8, dropByteOrderMark, hasLoneSurrogate, readLines, refuseBinary } from "./read-text.ts"
import { type DataSource, type Document, remembered } from "./source.ts"

export interface FilesOptions {
  /** The field of a JSON line that holds its text; default `text`. */
  readonly field?: string
  /** How to read what has no telling extension, standard input included; default `text`. */
  readonly format?: "text" | "jsonl"
  /** A text file longer than this becomes several documents, cut between paragraphs; default 64 MiB. */
  readonly maxDocumentBytes?: number
}

/** What is taken from a folder; a file named outright is read whatever its extension. */
export const TEXT_EXTENSIONS: readonly string[] = [".txt", ".md", ".jsonl", ".txt.gz", ".md.gz", ".jsonl.gz"]
/** Well under V8's 2^29 characters a string, and small beside the memory that training takes. */
const MAX_DOCUMENT_BYTES = 64 * 2 ** 20
const STDIN = "-"

type Settings = Required<FilesOptions>

/**
 * A source of files: names, folders (all text files below), globs, and `-` for standard input; last, maybe, options.
 *
 * Files come in the order of their sorted paths. Ids are paths below their common folder; a JSON line's has `:LINE` added.
 *
 * @throws DataError  when read: a path that is absent or unreadable, no match, binary, invalid UTF-8, a JSON line without
 *                    text; each says which file and where
 */
export function files(...args: readonly (string | FilesOptions)[]): DataSource {
  const patterns = args.filter((arg): arg is string => typeof arg === "string")
  const given = Object.assign({}, ...args.filter((arg) => typeof arg === "object")) as FilesOptions
  const settings: Settings = { field: "text", format: "text", maxDocumentBytes: MAX_DOCUMENT_BYTES, ...given }
  if (patterns.length === 0) throw new ConfigError("files() needs at least one path or glob, got none")
  const cutFiles = new Set<string>()
  const source: DataSource = {
    name: sourceName(patterns),
    documents: () => readAll(patterns, settings, cutFiles),
    notes: () =>
      [...cutFiles].sort().map((id) => `${id} is longer than one document may be and was cut between paragraphs`),
  }
  return patterns.includes(STDIN) ? remembered(source) : source // standard input flows only once
}

/** `stories/*.txt` gives `stories`, `book.jsonl.gz` gives `book`, `-` gives `stdin`. */
function sourceName(patterns: readonly string[]): string {
  if (patterns[0] === STDIN) return "stdin"
  const parts = patterns[0]!.split(/[\\/]/).filter((part) => part !== "" && !/^\.*$/.test(part))
  const plain = parts.filter((part) => !/[*?{}[\]]/.test(part))
  return (plain.at(-1) ?? "text").replace(/(?<=.)\.(txt|md|jsonl|text)?(\.?gz)?$/i, "") || "text"
}

async function findFiles(patterns: readonly string[]): Promise<string[]> {
  if (!platform.files) throw new ConfigError("there are no files in a browser", "hand in strings: text(...)")
  const found = new Set<string>()
  for (const pattern of patterns) {
    if (pattern === "") throw new DataError("a path is empty", "give a file, a folder or a glob")
    const matches = await platform.files.glob([pattern], { extensions: TEXT_EXTENSIONS })
    if (matches.length === 0) throw await noMatch(pattern)
    for (const path of matches) found.add(path)
  }
  return [...found].sort()
}

async function noMatch(pattern: string): Promise<DataError> {
  const kind = (await platform.files!.stat(pattern))?.kind
  if (kind === "directory")
    return new DataError(
      `the folder ${pattern} holds no text files`,
      `looked for ${TEXT_EXTENSIONS.join(", ")}, at any depth`,
    )
  if (/[*?{}[\]]/.test(pattern))
    return new DataError(`no file matches ${pattern}`, "quote globs, so that the shell leaves them alone")
  return new DataError(
    `cannot read ${pattern}: no such file or folder`,
    "check the path; relative paths start at the working folder",
  )
}

/** Length of the part of the paths up to and including the last separator that all of them share. */
function commonFolderLength(paths: readonly string[]): number {
  let length = Math.max(
    0,
    ...paths.slice(0, 1).map((path) => Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1),
  )
  for (const path of paths)
    while (!path.startsWith(paths[0]!.slice(0, length))) length = parentLength(paths[0]!, length)
  return length
}
const parentLength = (path: string, length: number): number =>
  Math.max(path.lastIndexOf("/", length - 2), path.lastIndexOf("\\", length - 2), -1) + 1

async function* readAll(
  patterns: readonly string[],
  settings: Settings,
  cutFiles: Set<string>,
): AsyncGenerator<Document> {
  if (patterns.includes(STDIN)) yield* readStdin(settings, cutFiles)
  const paths = await findFiles(patterns.filter((pattern) => pattern !== STDIN))
  const prefix = commonFolderLength(paths)
  for (const path of paths) {
    const id = path.slice(prefix).replaceAll("\\", "/")
    yield* readStream(platform.files!.stream(path), { path, id, settings, cutFiles })
  }
}

async function* readStdin(settings: Settings, cutFiles: Set<string>): AsyncGenerator<Document> {
  const chunks = platform.stdin()
  if (!chunks)
    throw new DataError("standard input is a terminal, expected text through a pipe", "cat book.txt | kinglet train -")
  yield* readStream(chunks, { path: "stdin", id: "stdin", settings, cutFiles })
}

interface Reading {
  /** For messages. */
  readonly path: string
  readonly id: string
  readonly settings: Settings
  readonly cutFiles: Set<string>
}

function readStream(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncIterable<Document> {
  const lower = reading.path.toLowerCase()
  const plain = lower.endsWith(".gz") ? unpack(chunks, reading.path) : chunks
  const jsonl =
    /\.(jsonl|ndjson)(\.gz)?$/.test(lower) || (reading.settings.format === "jsonl" && !/\.(txt|md)(\.gz)?$/.test(lower))
  return jsonl ? readJsonLines(plain, reading) : readTextFile(plain, reading)
}

async function* unpack(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* platform.gunzip(chunks)
  } catch (error) {
    if (error instanceof FormatError) throw new DataError(`${path}: ${error.message}`, error.hint)
    throw error
  }
}

async function* readTextFile(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Document> {
  const { path, id, settings, cutFiles } = reading
  let parts = 0
  for await (const { bytes, offset } of readParts(chunks, settings.maxDocumentBytes)) {
    refuseBinary(bytes, path, offset)
    const decoded = decodeUtf8(bytes, path, offset)
    const text = offset === 0 ? dropByteOrderMark(decoded) : decoded
    if (++parts > 1) cutFiles.add(id)
    if (text !== "") yield { id: parts === 1 ? id : `${id}#${parts}`, text }
  }
}

interface Part {
  readonly bytes: Uint8Array
  readonly offset: number
}

/** The stream whole if it is short, else in parts of at most `maxBytes`, cut after a blank line, a line or a character. */
async function* readParts(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Part> {
  let pending: Uint8Array[] = []
  let length = 0
  let offset = 0
  for await (const chunk of chunks) {
    pending.push(chunk.slice())
    length += chunk.length
    while (length > maxBytes) {
      const bytes = concatBytes(pending)
      const cut = cutBefore(bytes, maxBytes)
      yield { bytes: bytes.subarray(0, cut), offset }
      pending = [bytes.slice(cut)]
      length -= cut
      offset += cut
    }
  }
  if (length > 0) yield { bytes: concatBytes(pending), offset }
}

/** The last good place to cut in the second half of the first `limit` bytes. */
function cutBefore(bytes: Uint8Array, limit: number): number {
  const floor = Math.max(1, limit >> 1)
  for (let at = limit; at > floor; at--) if (bytes[at - 1] === 10 && bytes[at - 2] === 10) return at
  const line = bytes.lastIndexOf(10, limit - 1)
  if (line >= floor) return line + 1
  let at = limit
  while (at > floor && (bytes[at]! & 0xc0) === 0x80) at--
  return at
}

async function* readJsonLines(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<Document> {
  const { path, id, settings } = reading
  for await (const line of readLines(chunks, path)) {
    const where = `${path}:${line.number}`
    refuseBinary(line.bytes, path, line.offset)
    const json = dropByteOrderMark(decodeUtf8(line.bytes, where, line.offset)).trim()
    if (json === "") continue
    const text = parseLine(json, where, settings.field)
    if (text !== "") yield { id: `${id}:${line.number}`, text }
  }
}

/** The text of one JSON line. @throws DataError  if it is no JSON object with that field holding a well-formed string */
function parseLine(json: string, where: string, field: string): string {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new DataError(
      `${where}: not valid JSON (${(error as Error).message})`,
      'one JSON object a line, such as {"text": "..."}',
    )
  }
  const object = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  const text = object[field]
  if (typeof text !== "string") {
    const keys = Object.keys(object).slice(0, 8).join(", ") || "none"
    throw new DataError(
      `${where}: expected a string field "${field}", got the fields: ${keys}`,
      "name another field with the option `field`",
    )
  }
  if (hasLoneSurrogate(text))
    throw new DataError(`${where}: "${field}" holds half of a surrogate pair`, "repair that line")
  return text
}
