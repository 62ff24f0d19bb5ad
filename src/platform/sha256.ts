// SHA-256 for platforms whose own is asynchronous and wants everything at once. FIPS 180-4, section 6.2.

const isPrime = (n: number): boolean => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false
  return n > 1
}
const firstPrimes = (): number[] => Array.from({ length: 312 }, (_, n) => n).filter(isPrime) // 64 of them

/** First 32 bits of the fraction of the k-th root of `prime`, by integer bisection: no engine `Math` decides a constant. */
function fractionOfRoot(prime: number, k: 2 | 3): number {
  const target = BigInt(prime) << BigInt(32 * k)
  let low = 0n
  let high = 1n << 40n
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (middle ** BigInt(k) <= target) low = middle
    else high = middle
  }
  return Number(low & 0xffffffffn) | 0
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits))

/** Mixes one block of 64 bytes into `state`; `schedule` is scratch for 64 words. */
function compress(state: Int32Array, block: DataView, schedule: Int32Array, constants: Int32Array): void {
  const w = schedule
  for (let t = 0; t < 16; t++) w[t] = block.getInt32(4 * t)
  for (let t = 16; t < 64; t++) {
    const s0 = rotate(w[t - 15]!, 7) ^ rotate(w[t - 15]!, 18) ^ (w[t - 15]! >>> 3)
    const s1 = rotate(w[t - 2]!, 17) ^ rotate(w[t - 2]!, 19) ^ (w[t - 2]! >>> 10)
    w[t] = (w[t - 16]! + s0 + w[t - 7]! + s1) | 0
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let t = 0; t < 64; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const first = (h + sum1 + ((e & f) ^ (~e & g)) + constants[t]! + w[t]!) | 0
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const second = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i]! + word) | 0
}

/** A hash to be fed in pieces; `digest` gives 64 hexadecimal digits and may be called once. */
export function createSha256(): { update(bytes: Uint8Array): void; digest(): string } {
  const primes = firstPrimes()
  const constants = Int32Array.from(primes, (prime) => fractionOfRoot(prime, 3))
  const state = Int32Array.from(primes.slice(0, 8), (prime) => fractionOfRoot(prime, 2))
  const schedule = new Int32Array(64)
  const block = new Uint8Array(64)
  const view = new DataView(block.buffer)
  let filled = 0
  let length = 0
  const update = (bytes: Uint8Array): void => {
    length += bytes.length
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(64 - filled, bytes.length - at)
      block.set(bytes.subarray(at, at + taken), filled)
      filled += taken
      at += taken
      if (filled === 64) compress(state, view, schedule, constants), (filled = 0)
    }
  }
  const digest = (): string => {
    const bits = length * 8
    update(Uint8Array.of(0x80))
    update(new Uint8Array((120 - filled) % 64))
    const tail = new DataView(new ArrayBuffer(8))
    tail.setUint32(0, Math.floor(bits / 2 ** 32))
    tail.setUint32(4, bits >>> 0)
    update(new Uint8Array(tail.buffer))
    return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
  }
  return { update, digest }
}
