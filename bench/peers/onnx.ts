// The few messages of ONNX that a decoder needs, as protobuf: https://onnx.ai (onnx.proto, field numbers beside each). A message
// is a list of pieces, so that weights are written to a file without being copied together.

export type Pieces = readonly Uint8Array[]

const utf8 = new TextEncoder()

const lengthOf = (pieces: Pieces): number => pieces.reduce((sum, piece) => sum + piece.length, 0)

/** Little-endian groups of seven bits; a negative number is the 64-bit two's complement. */
function varint(value: number): number[] {
  const groups: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 0x7fn; rest >>= 7n) groups.push(Number(rest & 0x7fn) | 0x80)
  return [...groups, Number(rest)]
}

const VARINT = 0
const LENGTH_DELIMITED = 2
const FIXED_32 = 5

const integer = (field: number, value: number): Pieces => [
  Uint8Array.from([...varint((field << 3) | VARINT), ...varint(value)]),
]

const float = (field: number, value: number): Pieces => [
  Uint8Array.from([...varint((field << 3) | FIXED_32), ...new Uint8Array(Float32Array.of(value).buffer)]),
]

const bytes = (field: number, content: Pieces): Pieces => [
  Uint8Array.from([...varint((field << 3) | LENGTH_DELIMITED), ...varint(lengthOf(content))]),
  ...content,
]

const string = (field: number, text: string): Pieces => bytes(field, [utf8.encode(text)])

const message = (field: number, ...fields: readonly Pieces[]): Pieces => bytes(field, fields.flat())

export type DataType = "f32" | "i32" | "i64"

/** TensorProto.DataType. */
const DATA_TYPES = { f32: 1, i32: 6, i64: 7 } as const

/** TensorProto as an initializer of the graph: dims 1, data_type 2, name 8, raw_data 9. */
export const initializer = (name: string, dtype: DataType, dims: readonly number[], data: Pieces): Pieces =>
  message(5, ...dims.map((dim) => integer(1, dim)), integer(2, DATA_TYPES[dtype]), string(8, name), bytes(9, data))

/** ValueInfoProto (name 1, type 2 > tensor_type 1 > elem_type 1, shape 2 > dim 1 > dim_value 1 or dim_param 2). */
function valueInfo(field: number, name: string, dtype: DataType, dims: readonly (number | string)[]): Pieces {
  const shape = dims.map((dim) => message(1, typeof dim === "number" ? integer(1, dim) : string(2, dim)))
  return message(field, string(1, name), message(2, message(1, integer(1, DATA_TYPES[dtype]), message(2, ...shape))))
}

/** A string stands for a length that is known at run time only. */
export const input = (name: string, dtype: DataType, dims: readonly (number | string)[]) =>
  valueInfo(11, name, dtype, dims)
export const output = (name: string, dtype: DataType, dims: readonly (number | string)[]) =>
  valueInfo(12, name, dtype, dims)

/** AttributeProto: name 1, f 2, i 3, type 20 (FLOAT 1, INT 2). Names ending in "epsilon" are floats. */
const attribute = ([name, value]: [string, number]): Pieces =>
  name === "epsilon"
    ? message(5, string(1, name), float(2, value), integer(20, 1))
    : message(5, string(1, name), integer(3, value), integer(20, 2))

interface NodeOptions {
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, number>>
}

/** NodeProto: input 1, output 2, op_type 4, attribute 5, domain 7; an empty name leaves an optional place out. */
export const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  { domain = "", attributes = {} }: NodeOptions = {},
): Pieces =>
  message(
    1,
    ...inputs.map((name) => string(1, name)),
    ...outputs.map((name) => string(2, name)),
    string(4, op),
    ...Object.entries(attributes).map(attribute),
    string(7, domain),
  )

/** ModelProto: ir_version 1, graph 7 (its name 2), opset_import 8 (domain 1, version 2). */
export const model = (name: string, parts: readonly Pieces[]): Pieces =>
  [
    integer(1, 9),
    message(7, string(2, name), ...parts),
    message(8, string(1, ""), integer(2, 17)),
    message(8, string(1, "com.microsoft"), integer(2, 1)),
  ].flat()
