// From bytes to text, exactly or not at all: a byte order mark is dropped, line ends stay as they are, and what is no UTF-8
// text is named with its place.
import { concatBytes, DataError, endOfWellFormedUtf8 } from "../core/index.ts"

/** Share of control characters (other than tab, line feed, form feed, carriage return, escape) above which a file is no text. */
const MAX_CONTROL_SHARE = 0.1
/** How many bytes are looked at for control characters. */
const CONTROL_SAMPLE_BYTES = 65536
const TEXT_CONTROLS = new Set([9, 10, 12, 13, 27])

const TEXT_HINT = "give plain text in UTF-8 (.txt, .md) or JSON lines (.jsonl, .jsonl.gz)"

/** The text without a leading byte order mark. */
export const dropByteOrderMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)

/** @throws DataError  if the bytes look like anything but text: UTF-16, a NUL, or many control characters */
export function refuseBinary(bytes: Uint8Array, name: string, offset = 0): void {
  if (offset === 0 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)))
    throw new DataError(`${name} is UTF-16, expected UTF-8`, `convert it: iconv -f UTF-16 -t UTF-8`)
  const nul = bytes.indexOf(0)
  if (nul >= 0) throw new DataError(`${name} is a binary file, not text: a NUL at byte ${offset + nul}`, TEXT_HINT)
  const sample = bytes.subarray(0, CONTROL_SAMPLE_BYTES)
  let controls = 0
  for (const byte of sample) if ((byte < 32 && !TEXT_CONTROLS.has(byte)) || byte === 127) controls++
  if (controls > sample.length * MAX_CONTROL_SHARE)
    throw new DataError(`${name} is a binary file, not text: ${controls} control characters at its start`, TEXT_HINT)
}

/** Half of a surrogate pair: no character, and without a UTF-8 form. */
export const hasLoneSurrogate = (text: string): boolean => !text.isWellFormed()

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * UTF-8 to text, byte for byte.
 *
 * @param offset  position of `bytes` in the file, for the message
 * @throws DataError  with the file's name and the position of the first bad byte
 */
export function decodeUtf8(bytes: Uint8Array, name: string, offset = 0): string {
  try {
    return decoder.decode(bytes)
  } catch {
    const at = endOfWellFormedUtf8(bytes)
    const byte = (bytes[at] ?? 0).toString(16).padStart(2, "0")
    throw new DataError(
      `${name} is not valid UTF-8: byte ${offset + at} is 0x${byte}`,
      "convert it to UTF-8 (iconv), or repair that place",
    )
  }
}

/** One line's bytes, without its line feed; `number` counts from 1, `offset` is its place in the stream. */
export interface Line {
  readonly bytes: Uint8Array
  readonly number: number
  readonly offset: number
}

/** A line longer than this is no JSON line of a corpus: V8 holds no string above 2^29 characters. */
const MAX_LINE_BYTES = 256 * 2 ** 20

/** Lines of a byte stream, never more of it in memory than one line and one chunk. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Line> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  let number = 1
  let offset = 0
  const finish = (rest: Uint8Array): Line => {
    const bytes = concatBytes([...pending, rest])
    const line = { bytes, number: number++, offset }
    offset += bytes.length + 1
    pending = []
    pendingBytes = 0
    return line
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield finish(chunk.subarray(from, end))
      from = end + 1
    }
    pending.push(chunk.slice(from))
    pendingBytes += chunk.length - from
    if (pendingBytes > MAX_LINE_BYTES)
      throw new DataError(
        `${name}:${number}: the line is longer than ${MAX_LINE_BYTES} bytes`,
        "one JSON object a line",
      )
  }
  if (pendingBytes > 0) yield finish(new Uint8Array(0))
}
