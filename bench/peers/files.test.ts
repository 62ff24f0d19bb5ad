// The files that peers load, read back by small readers of their own: what a writer and a reader agree on from the same
// description of the format.
import { describe, expect, it } from "vitest"
import { concatBytes, f16ToF32 } from "../../src/core/index.ts"
import { type GgufTensor, serializeGguf } from "./gguf.ts"
import { ggufLlama } from "./gguf-llama.ts"
import { noise } from "./noise.ts"
import { onnxDecoder } from "./onnx-decoder.ts"
import { type DecodingWork, WORKS } from "./works.ts"

const small: DecodingWork = {
  ...(WORKS["smollm-135m"] as DecodingWork),
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  width: 16,
  feedForward: 24,
  vocabSize: 50,
  context: 8,
}
/** Embedding; per layer q, k, v, out, gate, up, down and two norms; the last norm. */
const SMALL_PARAMETERS = 50 * 16 + 2 * (16 * 16 * 3 + 3 * 16 * 24 + 2 * 16) + 16

const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1)

describe("random weights", () => {
  it("are as many as asked for, across the end of the repeated block", () => {
    const random = noise("f32")
    for (const count of [1, 1 << 20, (2 << 20) + 7]) expect(concatBytes(random(count)).length).toBe(4 * count)
  })

  it("of two tensors differ", () => {
    const random = noise("f32")
    expect(concatBytes(random(1000))).not.toEqual(concatBytes(random(1000)))
  })

  it("are small, differ, and are the same numbers in half precision", () => {
    const f32 = new Float32Array(noise("f32")(1000)[0]!.slice().buffer)
    const f16 = Array.from(new Uint16Array(noise("f16")(1000)[0]!.slice().buffer), f16ToF32)
    expect(new Set(f32).size).toBeGreaterThan(990)
    expect(Math.max(...f32.map(Math.abs))).toBeLessThan(0.035_001)
    for (const [i, value] of f32.entries()) expect(Math.abs(f16[i]! - value)).toBeLessThanOrEqual(2 ** -16)
  })
})

/** A reader of GGUF 3 at a position that moves on. */
function readerOf(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer)
  let at = 0
  /** Moves on and says where it was. */
  const skip = (length: number) => (at += length) - length
  const u32 = () => view.getUint32(skip(4), true)
  const u64 = () => Number(view.getBigUint64(skip(8), true))
  const text = (length: number) => new TextDecoder().decode(bytes.subarray(skip(length), at))
  const string = () => text(u64())
  const many = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read)
  function value(type = u32()): unknown {
    if (type === 8) return string()
    if (type === 6) return view.getFloat32(skip(4), true)
    if (type !== 9) return u32()
    const [of, count] = [u32(), u64()]
    return many(count, () => value(of))
  }
  return { u32, u64, text, string, many, value, position: () => at }
}

function parseGguf(bytes: Uint8Array) {
  const read = readerOf(bytes)
  const magic = read.text(4)
  const [version, tensorCount, valueCount] = [read.u32(), read.u64(), read.u64()]
  const metadata = Object.fromEntries(read.many(valueCount, () => [read.string(), read.value()]))
  const tensors = read.many(tensorCount, () => ({
    name: read.string(),
    dims: read.many(read.u32(), read.u64),
    type: read.u32(),
    offset: read.u64(),
  }))
  return { magic, version, metadata, tensors, dataStart: Math.ceil(read.position() / 32) * 32 }
}

describe("GGUF", () => {
  it("what is written is read back: values, shapes, and data at multiples of 32 bytes", () => {
    const tensor = (name: string, shape: number[], fill: number): GgufTensor => ({
      name,
      dtype: "f32",
      shape,
      data: [new Uint8Array(4 * product(shape)).fill(fill)],
    })
    const metadata = {
      a: { string: "ä" },
      b: { u32: 7 },
      c: { f32: 0.5 },
      d: { strings: ["x", ""] },
      e: { i32s: [1, 2] },
    }
    const bytes = concatBytes(serializeGguf(metadata, [tensor("first", [3, 5], 1), tensor("second", [2], 2)]))
    const file = parseGguf(bytes)
    expect(file).toMatchObject({
      magic: "GGUF",
      version: 3,
      metadata: { a: "ä", b: 7, c: 0.5, d: ["x", ""], e: [1, 2] },
    })
    expect(file.tensors).toEqual([
      { name: "first", dims: [5, 3], type: 0, offset: 0 },
      { name: "second", dims: [2], type: 0, offset: 64 },
    ])
    expect([...bytes.subarray(file.dataStart + 64, file.dataStart + 72)]).toEqual(Array(8).fill(2))
    expect(bytes.length).toBe(file.dataStart + 96)
  })

  it.each(["f32", "f16"] as const)("a decoder in %s holds every parameter once", (dtype) => {
    const bytes = concatBytes(ggufLlama(small, dtype))
    const { tensors, dataStart } = parseGguf(bytes)
    expect(tensors.reduce((sum, { dims }) => sum + product(dims), 0)).toBe(SMALL_PARAMETERS)
    const ends = tensors.map(({ dims, type, offset }) => offset + product(dims) * (type === 0 ? 4 : 2))
    expect(bytes.length - dataStart).toBe(Math.ceil(ends.at(-1)! / 32) * 32)
  })
})

type Field = number | Uint8Array

/** Fields of one protobuf message by number. */
function fieldsOf(bytes: Uint8Array): Map<number, Field[]> {
  const fields = new Map<number, Field[]>()
  let at = 0
  const varint = () => {
    let [value, shift] = [0n, 0n]
    do value |= BigInt(bytes[at]! & 0x7f) << shift
    while (((shift += 7n), bytes[at++]! & 0x80))
    return Number(BigInt.asIntN(64, value))
  }
  const take = (length: number) => bytes.subarray(at, (at += length))
  while (at < bytes.length) {
    const tag = varint()
    const field = (tag & 7) === 0 ? varint() : take((tag & 7) === 2 ? varint() : 4)
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), field])
  }
  return fields
}

const inside = (fields: Map<number, Field[]>, field: number) =>
  (fields.get(field) ?? []).map((bytes) => fieldsOf(bytes as Uint8Array))
const texts = (fields: Map<number, Field[]>, field: number) =>
  (fields.get(field) ?? []).map((bytes) => new TextDecoder().decode(bytes as Uint8Array))

describe("ONNX", () => {
  const [graph] = inside(fieldsOf(concatBytes(onnxDecoder(small))), 7)
  const weights = inside(graph!, 5).map((weight) => ({
    name: texts(weight, 8)[0]!,
    dims: (weight.get(1) ?? []) as number[],
    bytes: (weight.get(9)![0] as Uint8Array).length,
  }))
  const inputs = inside(graph!, 11).flatMap((input) => texts(input, 1))
  const nodes = inside(graph!, 1).map((node) => ({ reads: texts(node, 1), makes: texts(node, 2) }))

  it("every node reads what stands before it, and all that is promised is made", () => {
    const known = new Set(["", ...inputs, ...weights.map(({ name }) => name)])
    for (const { reads, makes } of nodes) {
      expect(reads.filter((name) => !known.has(name))).toEqual([])
      for (const name of makes) known.add(name)
    }
    const outputs = inside(graph!, 12).flatMap((output) => texts(output, 1))
    expect(outputs).toHaveLength(1 + 2 * small.layers)
    expect(outputs.filter((name) => !known.has(name))).toEqual([])
  })

  it("every weight is read, and has the bytes of its shape", () => {
    const read = new Set(nodes.flatMap(({ reads }) => reads))
    expect([...inputs, ...weights.map(({ name }) => name)].filter((name) => !read.has(name))).toEqual([])
    for (const { name, dims, bytes } of weights) expect(bytes, name).toBe(product(dims) * (name === "last" ? 8 : 4))
  })

  it("holds every parameter once, beside the tables of the rotation", () => {
    const parameters = weights.filter(({ name }) => !["cos", "sin", "last"].includes(name))
    expect(parameters.reduce((sum, { dims }) => sum + product(dims), 0)).toBe(SMALL_PARAMETERS)
  })

  it("writes negative attributes as 64 bits", () => {
    const norm = inside(graph!, 1).find((node) => texts(node, 4)[0] === "SimplifiedLayerNormalization")!
    const axis = inside(norm, 5).find((attribute) => texts(attribute, 1)[0] === "axis")!
    expect(axis.get(3)).toEqual([-1])
  })
})
