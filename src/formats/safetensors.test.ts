import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BYTES_PER_ELEMENT, type FileDType, FormatError } from "../core/index.ts"
import { decodeFloats, decodeSafetensors, encodeSafetensors, safetensorsHeader, type TensorHeader } from "./index.ts"

type Tensors = { [name: string]: TensorHeader & { bytes: Uint8Array } }

const dtypes = fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as FileDType[]))
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
const names = fc
  .oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "1", "0", "", "\ud800"))
  .filter((name) => name !== "__metadata__")
const tensor = fc.tuple(dtypes, shapes).chain(([dtype, shape]) => {
  const length = shape.reduce((a, b) => a * b, BYTES_PER_ELEMENT[dtype])
  return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ dtype, shape, bytes }))
})
const files = fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name, maxLength: 5 })
const metadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 })

/** A file from a header written by hand. */
function fileOf(header: string, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(header)
  const file = new Uint8Array(8 + json.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
  file.set(json, 8)
  return file
}
const entry = (shape: unknown, begin: unknown, end: unknown, dtype = "U8") =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] })

/** Refused with a FormatError, or read as something the format allows. */
function readOrRefuse(file: Uint8Array): "read" | "refused" {
  try {
    const { tensors } = decodeSafetensors(file)
    for (const { dtype, shape, bytes } of Object.values(tensors))
      expect(bytes.length).toBe(shape.reduce((a, b) => a * b, BYTES_PER_ELEMENT[dtype]))
    return "read"
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError)
    return "refused"
  }
}

const small = encodeSafetensors(
  {
    a: { dtype: "f32", shape: [2], bytes: new Uint8Array(8) },
    "b.c": { dtype: "bf16", shape: [], bytes: Uint8Array.of(0x80, 0x3f) },
    empty: { dtype: "i64", shape: [3, 0], bytes: new Uint8Array(0) },
  },
  { format: "pt" },
)

describe("safetensors", () => {
  it("what is encoded is decoded: names, types, shapes, bytes, metadata", () => {
    fc.assert(
      fc.property(files, metadata, (entries, meta) => {
        const tensors = Object.fromEntries(entries) as Tensors
        const decoded = decodeSafetensors(encodeSafetensors(tensors, meta))
        expect(Object.keys(decoded.tensors)).toEqual(Object.keys(tensors))
        expect({ ...decoded.metadata }).toEqual({ ...meta })
        for (const [name, { dtype, shape, bytes }] of Object.entries(tensors))
          expect(decoded.tensors[name]).toMatchObject({ dtype, shape, bytes })
      }),
    )
  })

  it("scalars and empty tensors are tensors; no tensors are a file", () => {
    const { tensors, metadata } = decodeSafetensors(small)
    expect(tensors["b.c"]!.shape).toEqual([])
    expect([...tensors["b.c"]!.toFloat32()]).toEqual([1])
    expect(tensors["empty"]!.toFloat32()).toHaveLength(0)
    expect({ ...metadata }).toEqual({ format: "pt" })
    expect(Object.keys(decodeSafetensors(encodeSafetensors({})).tensors)).toEqual([])
  })

  it("the header is a whole number of eight bytes, so that the data is aligned", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(safetensorsHeader({ [`${name}.`]: { dtype: "u8", shape: [1] } }).length % 8).toBe(0)
      }),
    )
  })

  it("numbers of every type come out as f32", () => {
    const bytesOf = (fill: (view: DataView) => void, length: number) => {
      const view = new DataView(new ArrayBuffer(length))
      fill(view)
      return new Uint8Array(view.buffer)
    }
    const tensors: Tensors = {
      f64: { dtype: "f64", shape: [1], bytes: bytesOf((view) => view.setFloat64(0, -1.5, true), 8) },
      f32: { dtype: "f32", shape: [1], bytes: bytesOf((view) => view.setFloat32(0, -1.5, true), 4) },
      f16: { dtype: "f16", shape: [1], bytes: Uint8Array.of(0x00, 0xbe) },
      bf16: { dtype: "bf16", shape: [1], bytes: Uint8Array.of(0xc0, 0xbf) },
      i64: { dtype: "i64", shape: [1], bytes: bytesOf((view) => view.setBigInt64(0, -3n, true), 8) },
      i32: { dtype: "i32", shape: [1], bytes: bytesOf((view) => view.setInt32(0, -70000, true), 4) },
      i16: { dtype: "i16", shape: [1], bytes: bytesOf((view) => view.setInt16(0, -300, true), 2) },
      i8: { dtype: "i8", shape: [1], bytes: Uint8Array.of(0xff) },
      u8: { dtype: "u8", shape: [1], bytes: Uint8Array.of(0xff) },
      bool: { dtype: "bool", shape: [1], bytes: Uint8Array.of(1) },
    }
    const floats = Object.values(decodeFloats(encodeSafetensors(tensors))).map(([value]) => value)
    expect(floats).toEqual([-1.5, -1.5, -1.5, -1.5, -3, -70000, -300, -1, 255, 1])
  })

  it("floats are a copy, wherever the file lies in its buffer", () => {
    const file = encodeSafetensors({
      x: { dtype: "f32", shape: [2], bytes: new Uint8Array(Float32Array.of(1, 2).buffer) },
    })
    const odd = Buffer.alloc(file.length + 3).subarray(3)
    odd.set(file)
    const floats = decodeSafetensors(odd).tensors["x"]!.toFloat32()
    odd.fill(0)
    expect(floats).toEqual(Float32Array.of(1, 2))
  })

  it("a file cut short anywhere is refused", () => {
    for (let length = 0; length < small.length; length++)
      expect(readOrRefuse(small.slice(0, length)), `${length} bytes`).toBe("refused")
    expect(readOrRefuse(small)).toBe("read")
    expect(readOrRefuse(Uint8Array.of(...small, 0))).toBe("refused")
  })

  it("a file with any byte changed is refused or read, and nothing else", () => {
    for (let at = 0; at < small.length; at++)
      for (const byte of [0, 0x22, 0x2c, 0x30, 0x39, 0x5b, 0x7b, 0x7d, 0x80, 0xff, small[at]! ^ 1]) {
        const file = small.slice()
        file[at] = byte
        readOrRefuse(file)
      }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readOrRefuse(bytes)))
    fc.assert(fc.property(fc.string({ maxLength: 64 }), (text) => void readOrRefuse(fileOf(`{${text}`, 3))))
  })

  it("the ranges must cover the data, each byte once", () => {
    const cases: [string, number, string][] = [
      [`{"a":${entry([2], 0, 2)},"b":${entry([2], 3, 5)}}`, 5, "hole"],
      [`{"a":${entry([2], 1, 3)}}`, 3, "hole"],
      [`{"a":${entry([2], 0, 2)},"b":${entry([2], 1, 3)}}`, 3, "overlaps"],
      [`{"a":${entry([4], 0, 4)},"b":${entry([0], 2, 2)}}`, 4, "overlaps"],
      [`{"a":${entry([2], 0, 2)}}`, 3, "after the last tensor"],
      ["{}", 1, "after the last tensor"],
      [`{"a":${entry([2], 0, 2)}}`, 1, "do not lie in"],
      [`{"a":${entry([2], 2, 0)}}`, 2, "do not lie in"],
      [`{"a":${entry([3], 0, 2)}}`, 2, "needs 3 bytes, got 2"],
    ]
    for (const [header, dataBytes, message] of cases)
      expect(() => decodeSafetensors(fileOf(header, dataBytes)), header).toThrow(message)
    // In the file's order or not, the ranges may stand in any order.
    expect(readOrRefuse(fileOf(`{"b":${entry([1], 2, 3)},"a":${entry([2], 0, 2)}}`, 3))).toBe("read")
  })

  it("sizes that overflow, or are no sizes, are refused before anything is allocated", () => {
    const huge = 2 ** 53 - 1
    for (const shape of [
      [huge, huge],
      Array(64).fill(1e15),
      [...Array(64).fill(1e15), 0],
      [2 ** 53],
      [-1],
      [0.5],
      ["1"],
      [null],
      "1",
      { 0: 1 },
      3,
      null,
    ])
      expect(readOrRefuse(fileOf(`{"a":${entry(shape, 0, 1)}}`, 1)), JSON.stringify(shape)).toBe("refused")
    for (const [begin, end] of [
      [-1, 0],
      [0, 1e300],
      [0.5, 1.5],
      ["0", "1"],
      [0, null],
    ])
      expect(readOrRefuse(fileOf(`{"a":${entry([1], begin, end)}}`, 1))).toBe("refused")
  })

  it("header lengths past the limit or the file are refused", () => {
    const file = fileOf("{}")
    for (const length of [3n, 100_000_001n, 2n ** 53n, 2n ** 64n - 1n]) {
      new DataView(file.buffer).setBigUint64(0, length, true)
      expect(() => decodeSafetensors(file)).toThrow(
        length > 100_000_000n ? "at most 100000000 bytes" : "the header ends at byte",
      )
    }
  })

  it("entries of another kind are refused", () => {
    const headers = [
      "",
      " {}",
      "[]",
      "1",
      '{"a":1}',
      '{"a":{}}',
      '{"a":[]}',
      '{"__metadata__":{"a":1}}',
      '{"__metadata__":[]}',
      `{"a":${entry([1], 0, 1, "F8")}}`,
      `{"a":${entry([1], 0, 1, "toString")}}`,
      `{"a":${entry([1], 0, 1, "u8")}}`,
    ]
    for (const header of headers) expect(readOrRefuse(fileOf(header, 1)), header).toBe("refused")
    expect(readOrRefuse(fileOf("{}  "))).toBe("read")
  })

  it("a name given twice is refused, `__proto__` too", () => {
    for (const name of ["a", "__proto__", "__metadata__"]) {
      const value = name === "__metadata__" ? "{}" : entry([0], 0, 0)
      expect(() => decodeSafetensors(fileOf(`{"${name}":${value},"${name}":${value}}`))).toThrow("given twice")
    }
  })

  it("what could not be read back is not written", () => {
    const bytes = new Uint8Array(3)
    expect(() => encodeSafetensors({ a: { dtype: "f32", shape: [1], bytes } })).toThrow("needs 4 bytes, got 3")
    expect(() => encodeSafetensors({ __metadata__: { dtype: "u8", shape: [3], bytes } })).toThrow(FormatError)
  })
})
