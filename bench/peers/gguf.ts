// A file of llama.cpp, GGUF version 3, as far as random weights need it: metadata, then tensors, each aligned to 32 bytes.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

export type GgufValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly i32s: readonly number[] }

export interface GgufTensor {
  readonly name: string
  readonly dtype: "f32" | "f16"
  /** Rows first, `[out, in]`; the file names the fastest dimension first. */
  readonly shape: readonly number[]
  readonly data: readonly Uint8Array[]
}

const ALIGNMENT = 32
const VERSION = 3
const VALUE_TYPES = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 } as const
const TENSOR_TYPES = { f32: 0, f16: 1 } as const

const utf8 = new TextEncoder()
const bytesOf = ({ buffer }: Int32Array | Uint32Array | Float32Array | BigUint64Array) =>
  new Uint8Array(buffer as ArrayBuffer)
const u32 = (value: number) => bytesOf(Uint32Array.of(value))
const u64 = (value: number) => bytesOf(BigUint64Array.of(BigInt(value)))

function* string(text: string): Generator<Uint8Array> {
  const encoded = utf8.encode(text)
  yield u64(encoded.length)
  yield encoded
}

function* value(of: GgufValue): Generator<Uint8Array> {
  if ("u32" in of) yield* [u32(VALUE_TYPES.u32), u32(of.u32)]
  else if ("f32" in of) yield* [u32(VALUE_TYPES.f32), bytesOf(Float32Array.of(of.f32))]
  else if ("string" in of) yield* [u32(VALUE_TYPES.string), ...string(of.string)]
  else if ("strings" in of)
    yield* [
      u32(VALUE_TYPES.array),
      u32(VALUE_TYPES.string),
      u64(of.strings.length),
      ...of.strings.flatMap((each) => [...string(each)]),
    ]
  else yield* [u32(VALUE_TYPES.array), u32(VALUE_TYPES.i32), u64(of.i32s.length), bytesOf(Int32Array.from(of.i32s))]
}

const lengthOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, piece) => sum + piece.length, 0)
const paddingOf = (length: number): Uint8Array => new Uint8Array(-length & (ALIGNMENT - 1))

/** The file in pieces, to be written one after the other. */
export function serializeGguf(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Uint8Array[] {
  const entries = Object.entries(metadata)
  const head: Uint8Array[] = [utf8.encode("GGUF"), u32(VERSION), u64(tensors.length), u64(entries.length)]
  for (const [key, of] of entries) head.push(...string(key), ...value(of))
  const body: Uint8Array[] = []
  let offset = 0
  for (const { name, dtype, shape, data } of tensors) {
    head.push(...string(name), u32(shape.length), ...shape.toReversed().map(u64), u32(TENSOR_TYPES[dtype]), u64(offset))
    const padding = paddingOf(lengthOf(data))
    body.push(...data, padding)
    offset += lengthOf(data) + padding.length
  }
  return [...head, paddingOf(lengthOf(head)), ...body]
}
