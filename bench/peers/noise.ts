// Random weights for speed alone: values do not matter, so every tensor repeats one block, and a file of 540 MB is written
// from 4 MB of memory. All are normal numbers, small enough for thirty layers.
import { f32ToF16 } from "../../src/core/index.ts"

const BLOCK = 1 << 20

/** Uniform in ±0.035 (deviation 0.02), from a linear congruence; `[BLOCK]`. */
function blockF32(): Float32Array {
  let state = 1
  return Float32Array.from({ length: BLOCK }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state / 2 ** 32 - 0.5) * 0.07
  })
}

const bytesOf = (values: Float32Array | Uint16Array) => new Uint8Array(values.buffer as ArrayBuffer)

/** `count` random values as the bytes of a file, in pieces. */
export function noise(dtype: "f32" | "f16"): (count: number) => Uint8Array[] {
  const values = blockF32()
  const block = bytesOf(dtype === "f32" ? values : Uint16Array.from(values, f32ToF16))
  return (count) => piecesOf(block, count * (block.length / BLOCK))
}

function piecesOf(block: Uint8Array, length: number): Uint8Array[] {
  const pieces = Array.from({ length: Math.floor(length / block.length) }, () => block)
  return [...pieces, block.subarray(0, length % block.length)].filter((piece) => piece.length > 0)
}

/** Gains of a norm. */
export const ones = (count: number): Uint8Array[] => [bytesOf(new Float32Array(count).fill(1))]
