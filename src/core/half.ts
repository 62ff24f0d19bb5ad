// 16-bit floats as bits, to and from f32. Rounding is to nearest, ties to even; NaN stays NaN.

const scratch = new DataView(new ArrayBuffer(4))

/** The f32 value of an IEEE half (1 sign, 5 exponent, 10 fraction bits). */
export function f16ToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** The nearest IEEE half; 65520 and beyond become Infinity. */
export function f32ToF16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  if (size === 0) return sign
  const exponent = Math.max(-14, Math.floor(Math.log2(size)))
  const step = 2 ** (exponent - 10)
  const steps = roundHalfToEven(size / step)
  // Subnormals count steps of 2^-24 from 0; a carry out of the fraction runs into the exponent by itself.
  return sign | (size < 2 ** -14 ? steps : ((exponent + 15) << 10) + steps - 1024)
}

/** Sizes, as f32 bits, from which a number rounds to infinity (65520), and below which a half is subnormal (2^-14). */
const HALF_OVERFLOW = 0x477ff000
const HALF_NORMAL = 0x38800000

/**
 * The nearest halves of many numbers, as bits: what {@link f32ToF16} gives, by integer arithmetic on the f32's own bits (some
 * 3 ns a number, for loading models).
 */
export function encodeF16(values: ArrayLike<number>): Uint16Array {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values)
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  const halves = new Uint16Array(floats.length)
  for (let i = 0; i < words.length; i++) {
    const size = words[i]! & 0x7fffffff
    if (size >= HALF_NORMAL && size < HALF_OVERFLOW)
      // Another exponent bias, then 13 bits less: half a step less one, and one more where the last kept bit is odd.
      halves[i] = ((words[i]! >>> 16) & 0x8000) | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13)
    else halves[i] = f32ToF16(floats[i]!)
  }
  return halves
}

/** The f32 values of halves. */
export const decodeF16 = (halves: Uint16Array): Float32Array => Float32Array.from(halves, f16ToF32)

/** The f32 value of a bfloat16: the upper half of the f32's bits. */
export function bf16ToF32(bits: number): number {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}

/** The nearest bfloat16. */
export function f32ToBf16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
