// The bytes of a task: the task file, and the file of items that may lie beside it. Reads, unpacks, and knows the limits.
import { platform } from "#platform"
import { ConfigError, concatBytes, DataError, FormatError } from "../../core/index.ts"
import { parseJsonStrictly } from "../../formats/index.ts"
import { type PlacedObject, placeObject } from "./placed-object.ts"

/** A task file is read in one go, which at this size takes some tenths of a second; larger sets are files of JSON lines. */
export const MAX_TASK_BYTES = 4 * 2 ** 20
/** Items are kept in memory, as are their tokens; the limit also stops what gzip can blow up. */
const MAX_ITEMS_BYTES = 512 * 2 ** 20

const LINE_FEED = 10

/** @throws DataError  if the text is no JSON or too long, with the place */
export function parseJson(json: string | Uint8Array, place: string, limit = MAX_TASK_BYTES): unknown {
  if (json.length > limit)
    throw new DataError(
      `${place}: a task file has at most ${limit} bytes, got ${json.length}`,
      'put the items into a file of JSON lines beside it and name that with "file"',
    )
  try {
    return parseJsonStrictly(json)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new DataError(`${place}: ${error.message.replace(/^JSON: /, "not valid JSON: ")}`, error.hint)
  }
}

/** Objects of a file of JSON lines, empty lines left out. @throws DataError  with the line */
export function* parseLines(bytes: Uint8Array, file: string, where: string): Generator<PlacedObject> {
  let [items, line] = [0, 0]
  for (let from = 0; from < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, from)
    const end = feed < 0 ? bytes.length : feed
    const text = bytes.subarray(from, end)
    from = end + 1
    line++
    if (isBlank(text)) continue
    const place = `${where}: item ${++items} (${file}:${line})`
    yield placeObject(parseJson(text, place, MAX_ITEMS_BYTES), place)
  }
}

const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 32 || byte === 13 || byte === 9)

/** The whole stream, gzip undone if its first bytes say that it is gzip. @throws DataError  if it is damaged or too long */
export async function readItemsFile(chunks: AsyncIterable<Uint8Array>, place: string): Promise<Uint8Array> {
  try {
    return await collect(await unpacked(chunks), place)
  } catch (error) {
    if (error instanceof FormatError) throw new DataError(`${place}: ${error.message}`, error.hint)
    throw error
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>, place: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > MAX_ITEMS_BYTES)
      throw new DataError(`${place}: a file of items has at most ${MAX_ITEMS_BYTES} bytes, and this has more`)
    parts.push(chunk)
  }
  return concatBytes(parts)
}

async function unpacked(chunks: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first = await iterator.next()
  const whole = (async function* () {
    if (!first.done) yield first.value
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  })()
  const isGzip = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b
  return isGzip ? platform.gunzip(whole) : whole
}

/** The file that a task file names, which lies in its folder or below it. */
export function openBeside(where: string, file: string): AsyncIterable<Uint8Array> {
  const { files } = platform
  if (!files)
    throw new ConfigError(`${where}: "file" names ${file}, but there are no files here`, "hand in `openItems`")
  return files.stream(files.join(files.dirname(where), file))
}

/** @throws DataError  if `file` leads out of the folder of the task */
export function checkBeside(file: string, place: string): void {
  if (/^([/\\]|[a-z]:)/i.test(file) || file.split(/[/\\]/).includes(".."))
    throw new DataError(`${place}: "file" must lie beside the task file or below, got ${JSON.stringify(file)}`)
}
