// The held-out documents themselves, one JSON object a line (`valid.jsonl`): a run folder can be evaluated without its sources.
import { platform } from "#platform"
import { DeviceError, FormatError } from "../core/index.ts"
import { decodeUtf8, readLines } from "./read-text.ts"
import type { Document } from "./source.ts"

function fileSystem() {
  if (!platform.files) throw new DeviceError("a run folder needs files, which a browser has not", "keep data in memory")
  return platform.files
}

/** Writes `valid.jsonl` at `path`, whole or not at all. */
export async function saveDocuments(path: string, documents: readonly Document[]): Promise<void> {
  const lines = documents.map(({ id, text }) => `${JSON.stringify({ id, text })}\n`)
  await fileSystem().writeAtomic(path, lines.join(""))
}

/** Reads what {@link saveDocuments} wrote. @throws FormatError  if a line is not `{ id, text }` */
export async function loadDocuments(path: string): Promise<Document[]> {
  const documents: Document[] = []
  for await (const { bytes, number, offset } of readLines(fileSystem().stream(path), path)) {
    let document: Partial<Document>
    try {
      document = JSON.parse(decodeUtf8(bytes, path, offset)) as Partial<Document>
    } catch (cause) {
      throw new FormatError(`${path}:${number}: not a held-out document`, { offset, cause })
    }
    const { id, text } = document ?? {}
    if (typeof id !== "string" || typeof text !== "string")
      throw new FormatError(`${path}:${number}: expected { "id", "text" }`, { offset })
    documents.push({ id, text })
  }
  return documents
}
