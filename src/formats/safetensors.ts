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
  /** The numbers as f32, a copy. */
  toFloat32(): Float32Array
}

export interface Safetensors {
  readonly tensors: { readonly [name: string]: StoredTensor }
  readonly metadata: { readonly [key: string]: string }
}

const NAMES: { readonly [name: string]: FileDType } = {
  F64: "f64",
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  I64: "i64",
  I32: "i32",
  I16: "i16",
  I8: "i8",
  U8: "u8",
  BOOL: "bool",
}
const nameOf = (dtype: FileDType): string => dtype.toUpperCase()

/**
 * The first bytes of a file that holds `tensors` in this order: length and header, padded so that the data begins at a
 * multiple of 8. The caller writes each tensor's bytes after it, little-endian, in the same order.
 */
export function safetensorsHeader(
  tensors: { readonly [name: string]: TensorHeader },
  metadata: { readonly [key: string]: string } = {},
): Uint8Array {
  let end = 0
  const entries = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const begin = end
    end += shape.reduce((a, b) => a * b, BYTES_PER_ELEMENT[dtype])
    return [name, { dtype: nameOf(dtype), shape, data_offsets: [begin, end] }] as const
  })
  const named = Object.keys(metadata).length > 0 ? [["__metadata__", metadata] as const, ...entries] : entries
  const json = new TextEncoder().encode(
    `{${named.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`,
  )
  const length = Math.ceil(json.length / 8) * 8
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(json, LENGTH_BYTES)
  return header
}

/** A whole file in memory. */
export function encodeSafetensors(
  tensors: { readonly [name: string]: TensorHeader & { readonly bytes: Uint8Array } },
  metadata: { readonly [key: string]: string } = {},
): Uint8Array {
  const header = safetensorsHeader(tensors, metadata)
  const parts = Object.values(tensors).map(({ bytes }) => bytes)
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, header.length))
  file.set(header)
  let at = header.length
  for (const part of parts) {
    file.set(part, at)
    at += part.length
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
  const tensors: { [name: string]: StoredTensor } = Object.create(null)
  const ranges: { begin: number; end: number; name: string }[] = []
  let metadata: { [key: string]: string } = {}
  for (const [name, entry] of header) {
    if (name === "__metadata__") metadata = readMetadata(entry)
    else {
      const { dtype, shape, begin, end } = readEntry(name, entry, file.length - dataStart)
      ranges.push({ begin, end, name })
      tensors[name] = storedTensor(dtype, shape, file.subarray(dataStart + begin, dataStart + end))
    }
  }
  checkCoverage(ranges, file.length - dataStart, dataStart)
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
  const dataStart = LENGTH_BYTES + Number(length)
  if (dataStart > file.length)
    throw new FormatError(`safetensors: the header ends at byte ${dataStart}, the file at ${file.length}`, {
      offset: file.length,
      hint: "the file was cut short",
    })
  if (file[LENGTH_BYTES] !== 0x7b)
    throw new FormatError('safetensors: the header must begin with "{"', { offset: LENGTH_BYTES })
  const header = parseJsonStrictly(file.subarray(LENGTH_BYTES, dataStart), LENGTH_BYTES)
  if (!(header instanceof Map))
    throw new FormatError("safetensors: the header must be an object", { offset: LENGTH_BYTES })
  return { header, dataStart }
}

function readMetadata(entry: unknown): { [key: string]: string } {
  const metadata: { [key: string]: string } = Object.create(null)
  if (!(entry instanceof Map)) throw new FormatError("safetensors: __metadata__ must be an object of strings")
  for (const [key, value] of entry as Map<string, unknown>) {
    if (typeof value !== "string") throw new FormatError(`safetensors: __metadata__ "${key}" must be a string`)
    metadata[key] = value
  }
  return metadata
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function readEntry(
  name: string,
  entry: unknown,
  dataBytes: number,
): { dtype: FileDType; shape: number[]; begin: number; end: number } {
  const fail = (message: string): never => {
    throw new FormatError(`safetensors: tensor "${name}": ${message}`)
  }
  if (!(entry instanceof Map)) return fail("must be an object")
  const [dtypeName, shape, offsets] = ["dtype", "shape", "data_offsets"].map((key) =>
    (entry as Map<string, unknown>).get(key),
  )
  const dtype =
    typeof dtypeName === "string" && Object.hasOwn(NAMES, dtypeName)
      ? NAMES[dtypeName]!
      : fail(`dtype must be one of ${Object.keys(NAMES).join(", ")}, got ${String(dtypeName)}`)
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail("shape must be a list of whole sizes")
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    return fail("data_offsets must be two whole numbers")
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataBytes)
    return fail(`data_offsets ${begin}..${end} do not lie in the ${dataBytes} bytes of data`)
  const bytes = (shape as number[]).reduce((a, b) => a * b, BYTES_PER_ELEMENT[dtype])
  if (bytes !== end - begin)
    return fail(`shape [${shape.join(", ")}] of ${dtype} needs ${bytes} bytes, got ${end - begin}`)
  return { dtype, shape: shape as number[], begin, end }
}

function checkCoverage(
  ranges: { begin: number; end: number; name: string }[],
  dataBytes: number,
  dataStart: number,
): void {
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const { begin, end, name } of ranges) {
    if (begin !== covered)
      throw new FormatError(
        `safetensors: tensor "${name}" ${begin < covered ? "overlaps the one before it" : "leaves a hole before it"}`,
        { offset: dataStart + begin },
      )
    covered = end
  }
  if (covered !== dataBytes)
    throw new FormatError(`safetensors: ${dataBytes - covered} bytes after the last tensor`, {
      offset: dataStart + covered,
    })
}

function storedTensor(dtype: FileDType, shape: number[], bytes: Uint8Array): StoredTensor {
  return { dtype, shape, bytes, toFloat32: () => toFloat32(dtype, bytes) }
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
  const count = bytes.length / BYTES_PER_ELEMENT[dtype]
  // Engines we run on are little-endian, as the file is; a copy also takes care of alignment.
  if (dtype === "f32") return new Float32Array(bytes.slice().buffer)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Float32Array.from({ length: count }, (_, i) => readers[dtype](view, i * BYTES_PER_ELEMENT[dtype]))
}
