// Random streams from integer arithmetic only, so that a seed gives the same numbers on every engine. A stream's state is
// four integers: it can be stored in a checkpoint and taken up again.
import { invariant } from "./errors.ts"
import { log, sincos } from "./math.ts"

export interface RandomStream {
  /** Next unsigned 32-bit integer. */
  uint32(): number
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number
  /** Uniform integer in [0, bound), without modulo bias; `bound` at most 2^32. */
  below(bound: number): number
  /** Standard normal (Box-Muller on our own log, sin and cos). */
  normal(): number
  /** Four 32-bit words, to be handed to {@link restoreRandom}. */
  state(): number[]
}

/** One round of the splitmix32 finalizer: a bijection of 32-bit integers that scatters neighbors. */
export function mix32(value: number): number {
  let z = (value + 0x9e3779b9) | 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return (z ^ (z >>> 16)) >>> 0
}

/** A stream for `seed` and any number of names or indices: `randomStream(1, "init")` and `randomStream(1, "batches", 7)` are independent. */
export function randomStream(seed: number, ...names: readonly (string | number)[]): RandomStream {
  // The upper half is multiplied first: seeds whose halves are swapped, or equal, must not meet.
  let key = mix32(seed >>> 0) ^ mix32(Math.imul(Math.floor(seed / 4294967296), 0x85ebca6b))
  for (const name of names) for (const char of String(name) + "\u0000") key = mix32(key ^ char.codePointAt(0)!)
  return restoreRandom([key, mix32(key + 1), mix32(key + 2), mix32(key + 3) | 1])
}

/** xoshiro128** from its four words of state. @see Blackman & Vigna 2018, arXiv:1805.01407 */
export function restoreRandom(state: readonly number[]): RandomStream {
  let [a, b, c, d] = state.map((word) => word | 0) as [number, number, number, number]
  const uint32 = (): number => {
    const times5 = Math.imul(b, 5)
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result
  }
  const uniform = (): number => ((uint32() >>> 5) * 67108864 + (uint32() >>> 6)) / 9007199254740992
  const below = (bound: number): number => {
    invariant(bound >= 1 && bound <= 4294967296, `below: the bound must be in 1..2^32, got ${bound}`)
    const limit = 4294967296 - (4294967296 % bound)
    for (;;) {
      const value = uint32()
      if (value < limit) return value % bound
    }
  }
  const normal = (): number => {
    const radius = Math.sqrt(-2 * log(1 - uniform()))
    return radius * sincos(2 * Math.PI * uniform()).cos
  }
  return { uint32, uniform, below, normal, state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0] }
}
