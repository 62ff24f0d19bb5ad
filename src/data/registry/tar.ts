// Reads the files out of a tar stream, as `git archive` writes them: POSIX ustar with pax records. One file at a time is in
// memory; links and folders are passed over. Damaged or hostile bytes are a FormatError, never a hang.
import { FormatError } from "../../core/index.ts"
import { type ByteReader, createByteReader } from "./byte-reader.ts"

/** A file of an archive; its path begins below the archive's one folder. */
export interface TarFile {
  readonly path: string
  readonly bytes: Uint8Array
}

const BLOCK = 512
/** Far above any text file that is wanted, far below what would hurt. */
const MAX_FILE_BYTES = 64 * 2 ** 20
/** Records of names: a path is 4 kB at most on any system. */
const MAX_RECORD_BYTES = 2 ** 20

interface Header {
  readonly path: string
  readonly bytes: number
  readonly type: string
}

/**
 * The files of a tar stream whose paths are wanted, in the stream's order.
 *
 * @param chunks  the archive, unpacked
 * @throws FormatError  for a damaged header, a file over 64 MiB, or an archive that ends too early
 * @see IEEE Std 1003.1, pax, "ustar Interchange Format" and "pax Extended Header"
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  wants: (path: string) => boolean,
): AsyncGenerator<TarFile> {
  const reader = createByteReader(chunks)
  try {
    yield* readFiles(reader, wants)
    await reader.skip(Infinity) // to the end, where gzip keeps its checksum
  } finally {
    await reader.close()
  }
}

async function* readFiles(reader: ByteReader, wants: (path: string) => boolean): AsyncGenerator<TarFile> {
  let longPath: string | undefined
  for (;;) {
    const offset = reader.offset
    const block = await reader.read(BLOCK)
    if (block.length < BLOCK) throw new FormatError("the archive ends before its end mark", { offset })
    if (block.every((byte) => byte === 0)) return
    const header = parseHeader(block, offset)
    const path = belowFirstFolder(longPath ?? header.path)
    const isRecord = header.type === "x" || header.type === "g"
    if (!isRecord) longPath = undefined
    if (!isRecord && !(header.type === "0" && wants(path))) {
      await reader.skip(padded(header.bytes))
      continue
    }
    checkSize(header, isRecord ? MAX_RECORD_BYTES : MAX_FILE_BYTES, offset)
    const content = await reader.read(padded(header.bytes))
    if (content.length < header.bytes) throw new FormatError(`the archive ends inside ${path}`, { offset })
    const bytes = content.subarray(0, header.bytes)
    if (!isRecord) yield { path, bytes }
    else if (header.type === "x") longPath = paxPath(bytes)
  }
}

const padded = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK

const belowFirstFolder = (path: string): string => path.slice(path.indexOf("/") + 1)

function checkSize({ path, bytes }: Header, most: number, offset: number): void {
  if (bytes > most) throw new FormatError(`${path} has ${bytes} bytes, expected at most ${most}`, { offset })
}

const decoder = new TextDecoder()

function field(block: Uint8Array, from: number, length: number): string {
  const bytes = block.subarray(from, from + length)
  const end = bytes.indexOf(0)
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/** Name 0-99, size 124-135, checksum 148-155, type 156, magic 257-262, prefix of the name 345-499. */
function parseHeader(block: Uint8Array, offset: number): Header {
  const checksum = block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0)
  const bytes = octal(field(block, 124, 12))
  if (octal(field(block, 148, 8)) !== checksum || bytes === undefined)
    throw new FormatError("this is no header of a tar archive", { offset })
  const prefix = field(block, 257, 5) === "ustar" ? field(block, 345, 155) : ""
  const name = field(block, 0, 100)
  return { path: prefix === "" ? name : `${prefix}/${name}`, bytes, type: field(block, 156, 1) || "0" }
}

function octal(text: string): number | undefined {
  const digits = text.trim()
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

/** The path among pax records, each `LENGTH KEY=VALUE\n`. */
const paxPath = (bytes: Uint8Array): string | undefined => /^\d+ path=(.*)$/m.exec(decoder.decode(bytes))?.[1]
