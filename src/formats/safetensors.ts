// safetensors: u64 header length, JSON header, raw tensors without holes. Every size is checked against the file before it
// is used. @see https://github.com/huggingface/safetensors, section "Format"
import { BYTES_PER_ELEMENT, bf16ToF32, type FileDType, FormatError, f16ToF32, type Shape } from "../core/index.ts"
import { parseJsonStrictly } from "./json.ts"

/** The format's own limit; a header is names and numbers, and 100 MB of them is damage. */
const MAX_HEADER_BYTES = 100_000_000
const LENGTH_BYTES = 8

export interface TensorHeader {
  readonly dtype: FileDType
  readonly shape: Shape
}

export interface StoredTensor extends TensorHeader {
  /** A view into the file's bytes. */
  readonly bytes: Uint8Array
  /** The numbers as f32, to be read: a view into the file's bytes where those are f32 and begin where floats may, else a copy. */
  toFloat32(): Float32Array
}

export interface Safetensors {
  readonly tensors: { readonly [name: string]: StoredTensor }
  readonly metadata: { readonly [key: string]: string }
}

const DTYPES: ReadonlyMap<unknown, FileDType> = new Map(
  (Object.keys(BYTES_PER_ELEMENT) as FileDType[]).map((dtype) => [dtype.toUpperCase(), dtype]),
)
/** The header's one key that names no tensor. */
const METADATA = "__metadata__"

const sizeInBytes = ({ dtype, shape }: TensorHeader): number =>
  shape.reduce((product, size) => product * size, BYTES_PER_ELEMENT[dtype])

/**
 * The first bytes of a file that holds `tensors` in this order: length and header, padded so that the data begins at a
 * multiple of 8. The caller writes each tensor's bytes after it, little-endian, in the same order.
 *
 * @throws FormatError  if a tensor is called `__metadata__`, which is the format's own word
 */
export function safetensorsHeader(
  tensors: { readonly [name: string]: TensorHeader },
  metadata: { readonly [key: string]: string } = {},
): Uint8Array {
  const json = new TextEncoder().encode(headerJson(tensors, metadata))
  const length = Math.ceil(json.length / 8) * 8
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(json, LENGTH_BYTES)
  return header
}

/** Written entry by entry: names that look like numbers, or like `__proto__`, keep their place. */
function headerJson(
  tensors: { readonly [name: string]: TensorHeader },
  metadata: { readonly [key: string]: string },
): string {
  if (Object.hasOwn(tensors, METADATA)) throw new FormatError(`safetensors: no tensor may be called ${METADATA}`)
  const named: (readonly [string, unknown])[] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : []
  let end = 0
  for (const [name, tensor] of Object.entries(tensors)) {
    const begin = end
    end += sizeInBytes(tensor)
    named.push([name, { dtype: tensor.dtype.toUpperCase(), shape: tensor.shape, data_offsets: [begin, end] }])
  }
  return `{${named.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`
}

/**
 * A whole file in memory.
 *
 * @throws FormatError  if a tensor's bytes are not as many as its shape and type say
 */
export function encodeSafetensors(
  tensors: { readonly [name: string]: TensorHeader & { readonly bytes: Uint8Array } },
  metadata: { readonly [key: string]: string } = {},
): Uint8Array {
  const header = safetensorsHeader(tensors, metadata)
  const file = new Uint8Array(Object.values(tensors).reduce((sum, { bytes }) => sum + bytes.length, header.length))
  file.set(header)
  let at = header.length
  for (const [name, tensor] of Object.entries(tensors)) {
    const [expected, got] = [sizeInBytes(tensor), tensor.bytes.length]
    if (expected !== got) throw new FormatError(`safetensors: tensor "${name}" needs ${expected} bytes, got ${got}`)
    file.set(tensor.bytes, at)
    at += got
  }
  return file
}

/**
 * Reads a file.
 *
 * @throws FormatError  with the offset, if anything does not follow the format to the letter
 */
export function decodeSafetensors(file: Uint8Array): Safetensors {
  const { header, dataStart } = readHeader(file)
  const data = file.subarray(dataStart)
  const tensors: { [name: string]: StoredTensor } = Object.create(null)
  const ranges: Range[] = []
  let metadata: { [key: string]: string } = {}
  for (const [name, entry] of header) {
    if (name === METADATA) metadata = readMetadata(entry)
    else {
      const { dtype, shape, begin, end } = readEntry(name, entry, data.length)
      const bytes = data.subarray(begin, end)
      ranges.push({ name, begin, end })
      tensors[name] = { dtype, shape, bytes, toFloat32: () => toFloat32(dtype, bytes) }
    }
  }
  checkCoverage(ranges, data.length, dataStart)
  return { tensors, metadata }
}

/** All tensors of a file as f32. */
export function decodeFloats(file: Uint8Array): { [name: string]: Float32Array } {
  const { tensors } = decodeSafetensors(file)
  const floats: { [name: string]: Float32Array } = Object.create(null)
  for (const [name, tensor] of Object.entries(tensors)) floats[name] = tensor.toFloat32()
  return floats
}

function readHeader(file: Uint8Array): { header: Map<string, unknown>; dataStart: number } {
  const dataStart = headerEnd(file)
  const header = parseJsonStrictly(file.subarray(LENGTH_BYTES, dataStart), LENGTH_BYTES)
  if (!(header instanceof Map)) throw inHeader("the header must be an object")
  return { header, dataStart }
}

/** Where the header ends and the data begin. */
function headerEnd(file: Uint8Array): number {
  if (file.length < LENGTH_BYTES)
    throw new FormatError(`safetensors: expected a header length of 8 bytes, got a file of ${file.length}`, {
      offset: 0,
    })
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)
  if (length > BigInt(MAX_HEADER_BYTES))
    throw new FormatError(`safetensors: the header must be at most ${MAX_HEADER_BYTES} bytes, got ${length}`, {
      offset: 0,
      hint: "is this a safetensors file?",
    })
  const end = LENGTH_BYTES + Number(length)
  if (end > file.length)
    throw new FormatError(`safetensors: the header ends at byte ${end}, the file at ${file.length}`, {
      offset: file.length,
      hint: "the file was cut short",
    })
  if (file[LENGTH_BYTES] !== 0x7b) throw inHeader('the header must begin with "{"')
  return end
}

function readMetadata(entry: unknown): { [key: string]: string } {
  const metadata: { [key: string]: string } = Object.create(null)
  if (!(entry instanceof Map)) throw inHeader(`${METADATA} must be an object of strings`)
  for (const [key, value] of entry as Map<string, unknown>) {
    if (typeof value !== "string") throw inHeader(`${METADATA} "${key}" must be a string`)
    metadata[key] = value
  }
  return metadata
}

const inHeader = (message: string): FormatError => new FormatError(`safetensors: ${message}`, { offset: LENGTH_BYTES })

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isSizes = (value: unknown): value is number[] => Array.isArray(value) && value.every(isSize)

interface Range {
  readonly name: string
  readonly begin: number
  readonly end: number
}

/** One tensor's entry; its range lies in the data, and is as long as shape and type say. */
function readEntry(name: string, entry: unknown, dataBytes: number): TensorHeader & Range {
  const fail = (message: string): never => {
    throw inHeader(`tensor "${name}": ${message}`)
  }
  if (!(entry instanceof Map)) return fail("must be an object")
  const dtype = DTYPES.get(entry.get("dtype"))
  if (dtype === undefined) return fail(`dtype must be one of ${[...DTYPES.keys()].join(", ")}`)
  const [shape, offsets]: unknown[] = [entry.get("shape"), entry.get("data_offsets")]
  if (!isSizes(shape)) return fail("shape must be a list of whole sizes")
  if (!isSizes(offsets) || offsets.length !== 2) return fail("data_offsets must be two whole numbers")
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataBytes)
    return fail(`data_offsets ${begin}..${end} do not lie in the ${dataBytes} bytes of data`)
  // A product past 2^53 is rounded, past 1.8e308 infinite: neither can equal the length of a file.
  const bytes = sizeInBytes({ dtype, shape })
  if (bytes !== end - begin) return fail(`[${shape.join(", ")}] of ${dtype} needs ${bytes} bytes, got ${end - begin}`)
  return { name, dtype, shape, begin, end }
}

/** The ranges cover the data without holes or overlap. */
function checkCoverage(ranges: readonly Range[], dataBytes: number, dataStart: number): void {
  let covered = 0
  for (const { begin, end, name } of ranges.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    const offset = dataStart + begin
    if (begin < covered) throw new FormatError(`safetensors: tensor "${name}" overlaps the one before it`, { offset })
    if (begin > covered) throw new FormatError(`safetensors: tensor "${name}" leaves a hole before it`, { offset })
    covered = end
  }
  if (covered !== dataBytes)
    throw new FormatError(`safetensors: ${dataBytes - covered} bytes after the last tensor`, {
      offset: dataStart + covered,
    })
}

const readers: { readonly [D in FileDType]: (view: DataView, at: number) => number } = {
  f64: (view, at) => view.getFloat64(at, true),
  f32: (view, at) => view.getFloat32(at, true),
  f16: (view, at) => f16ToF32(view.getUint16(at, true)),
  bf16: (view, at) => bf16ToF32(view.getUint16(at, true)),
  i64: (view, at) => Number(view.getBigInt64(at, true)),
  i32: (view, at) => view.getInt32(at, true),
  i16: (view, at) => view.getInt16(at, true),
  i8: (view, at) => view.getInt8(at),
  u8: (view, at) => view.getUint8(at),
  bool: (view, at) => view.getUint8(at),
}

function toFloat32(dtype: FileDType, bytes: Uint8Array): Float32Array {
  // Engines we run on are little-endian, as the file is; a copy begins where floats may begin.
  if (dtype === "f32") {
    const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
    return new Float32Array(buffer, byteOffset, length / 4)
  }
  const [width, read] = [BYTES_PER_ELEMENT[dtype], readers[dtype]]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const floats = new Float32Array(bytes.length / width)
  for (let i = 0; i < floats.length; i++) floats[i] = read(view, i * width)
  return floats
}
