// Random weights for speed alone: values do not matter, so a block is repeated, and a file of 540 MB is written from 4 MB of
// memory. All are normal numbers, small enough for thirty layers.
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

/**
 * A source of random values as the bytes of a file, in pieces. Each call goes on where the one before ended in the block: equal
 * tensors could be recognized and stored once by a runtime.
 */
export function noise(dtype: "f32" | "f16"): (count: number) => Uint8Array[] {
  const values = blockF32()
  const block = bytesOf(dtype === "f32" ? values : Uint16Array.from(values, f32ToF16))
  const bytesPerValue = block.length / BLOCK
  let at = 0
  return (count) => {
    const pieces = []
    for (let left = count * bytesPerValue; left > 0; ) {
      pieces.push(block.subarray(at, at + left))
      left -= pieces.at(-1)!.length
      at = (at + pieces.at(-1)!.length) % block.length
    }
    return pieces
  }
}

/** Gains of a norm. */
export const ones = (count: number): Uint8Array[] => [bytesOf(new Float32Array(count).fill(1))]
