// A shuffled order of any number of things without a list of them: a keyed bijection of 0..size-1.
import { randomStream } from "../core/index.ts"

const ROUNDS = 6
/** Halves of fewer bits than this allow too few distinct orders; a small domain is walked instead. */
const MIN_HALF_BITS = 3

/**
 * A bijection of `0..size-1`, different for each `key`: a balanced Feistel network over the next power of four, walked along
 * its cycle until the value falls below `size` (under four steps on average for sizes above 64).
 *
 * @see Black & Rogaway 2002, "Ciphers with arbitrary finite domains"
 */
export function permutation(
  size: number,
  seed: number,
  ...names: readonly (string | number)[]
): (index: number) => number {
  const halfBits = Math.max(MIN_HALF_BITS, Math.ceil(Math.log2(Math.max(2, size)) / 2))
  const half = 2 ** halfBits
  const stream = randomStream(seed, "permutation", ...names)
  const keys = Array.from({ length: ROUNDS }, () => stream.uint32())
  const encipher = (value: number): number => {
    let left = Math.floor(value / half)
    let right = value % half
    for (const key of keys) [left, right] = [right, (left ^ scatter(right, key)) & (half - 1)]
    return left * half + right
  }
  return (index) => {
    let value = encipher(index)
    while (value >= size) value = encipher(value)
    return value
  }
}

/** A keyed hash of one half; only its quality matters, not that it can be undone. */
function scatter(value: number, key: number): number {
  let z = Math.imul(value ^ key, 0x9e3779b1)
  z = Math.imul(z ^ (z >>> 15), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13) ^ key, 0xc2b2ae35)
  return (z ^ (z >>> 16)) >>> 0
}
