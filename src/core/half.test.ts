import { expect, it } from "vitest"
import { bf16ToF32, decodeF16, encodeF16, f16ToF32, f32ToBf16, f32ToF16 } from "./index.ts"

it("every half survives the way to f32 and back", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = f16ToF32(bits)
    if (Number.isNaN(value)) expect(f32ToF16(value) & 0x7fff).toBeGreaterThan(0x7c00)
    else expect(f32ToF16(value)).toBe(bits)
  }
})

it("every bfloat16 survives the way to f32 and back", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = bf16ToF32(bits)
    if (Number.isNaN(value)) expect(f32ToBf16(value) & 0x7fff).toBeGreaterThan(0x7f80)
    else expect(f32ToBf16(value)).toBe(bits)
  }
})

it("halfway values round to even", () => {
  expect(f16ToF32(f32ToF16(2049))).toBe(2048)
  expect(f16ToF32(f32ToF16(2051))).toBe(2052)
  expect(f32ToF16(65519.99)).toBe(0x7bff)
  expect(f32ToF16(65520)).toBe(0x7c00)
  expect(f32ToF16(2 ** -25)).toBe(0)
  expect(f32ToF16(2 ** -25 * 1.0001)).toBe(1)
  expect(bf16ToF32(f32ToBf16(1 + 2 ** -8))).toBe(1)
  expect(bf16ToF32(f32ToBf16(1 + 3 * 2 ** -8))).toBe(1 + 2 ** -6)
})

it("many numbers become the halves that each becomes alone, at and beside every half and every midpoint", () => {
  const values: number[] = [0, -0, Infinity, -Infinity, 1e-30, 65519.99, 65520, 1e9]
  for (let bits = 0; bits < 0x7c00; bits += 3) {
    const [half, next] = [f16ToF32(bits), f16ToF32(bits + 1)]
    for (const at of [half, (half + next) / 2]) values.push(at, -at, at * (1 + 2 ** -23), at * (1 - 2 ** -23))
  }
  const floats = Float32Array.from(values)
  const halves = encodeF16(floats)
  expect(halves).toEqual(Uint16Array.from(floats, f32ToF16))
  expect(decodeF16(halves)).toEqual(Float32Array.from(halves, f16ToF32))
  expect(encodeF16([1, NaN])).toEqual(Uint16Array.of(0x3c00, 0x7e00))
})
