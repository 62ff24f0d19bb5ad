// Runs of n symbols of small texts, looked up while a long text streams by. Memory is that of the small texts.
import { mix32 } from "../../core/index.ts"

/**
 * The distinct n-grams of small texts, each with a number.
 *
 * They are told apart by 64 bits of hash: a million n-grams beside a billion others meet by chance with probability
 * `1e6 · 1e9 / 2^64 = 5e-5`.
 */
export interface NgramIndex {
  /** Symbols of one n-gram. */
  readonly length: number
  /** Distinct n-grams so far. */
  readonly size: number
  /** Adds the n-grams of a text; gives the number of each, in order: `symbols - length + 1` of them, or none. */
  add(symbols: Uint32Array): Int32Array
  /** Looks up the n-grams of another text, symbol by symbol: the number of the one that ends here, or -1. */
  reader(): (symbol: number) => number
}

/** @param capacity  n-grams that will be added at most */
export function createNgramIndex(length: number, capacity: number): NgramIndex {
  const table = createTable(capacity)
  return {
    length,
    get size() {
      return table.size()
    },
    add(symbols) {
      const push = rollingHash(length)
      const numbers = new Int32Array(Math.max(0, symbols.length - length + 1))
      for (const [i, symbol] of symbols.entries()) {
        const hash = push(symbol)
        if (hash !== undefined) numbers[i - length + 1] = table.insert(hash)
      }
      return numbers
    },
    reader() {
      const push = rollingHash(length)
      return (symbol) => {
        const hash = push(symbol)
        return hash === undefined ? -1 : table.find(hash)
      }
    },
  }
}

/** Two words of 32 bits; one object that is written anew, so that nothing is allocated for each symbol of a long text. */
interface Hash {
  high: number
  low: number
}

/**
 * Hash of the last `length` symbols in constant time a symbol: two polynomials modulo 2^32,
 * `h = Σ x_i · m^(length-1-i)`, over scrambled symbols. Undefined until so many were read.
 *
 * @see Karp & Rabin 1987, "Efficient randomized pattern-matching algorithms"
 */
function rollingHash(length: number): (symbol: number) => Hash | undefined {
  const [m, k] = [0x9e3779b1, 0x85ebca77]
  const [mTop, kTop] = [power(m, length), power(k, length)]
  const [highs, lows] = [new Int32Array(length), new Int32Array(length)]
  const hash: Hash = { high: 0, low: 0 }
  let [slot, count] = [0, 0]
  return (symbol) => {
    const x = mix32(symbol)
    const y = mix32(x ^ 0x5bd1e995)
    hash.high = (Math.imul(hash.high, m) + x - Math.imul(highs[slot]!, mTop)) | 0
    hash.low = (Math.imul(hash.low, k) + y - Math.imul(lows[slot]!, kTop)) | 0
    highs[slot] = x
    lows[slot] = y
    slot = slot + 1 === length ? 0 : slot + 1
    return ++count >= length ? hash : undefined
  }
}

function power(base: number, exponent: number): number {
  let result = 1
  for (let i = 0; i < exponent; i++) result = Math.imul(result, base)
  return result
}

/** Open addressing, at most half full. */
function createTable(capacity: number) {
  let slots = 16
  while (slots < 2 * capacity) slots *= 2
  const numbers = new Int32Array(slots).fill(-1)
  const [highs, lows] = [new Int32Array(capacity), new Int32Array(capacity)]
  let size = 0
  const slotOf = ({ high, low }: Hash): number => {
    let slot = mix32(high ^ mix32(low)) & (slots - 1)
    for (;;) {
      const number = numbers[slot]!
      if (number < 0 || (highs[number] === high && lows[number] === low)) return slot
      slot = (slot + 1) & (slots - 1)
    }
  }
  return {
    size: () => size,
    find: (hash: Hash): number => numbers[slotOf(hash)]!,
    insert(hash: Hash): number {
      const slot = slotOf(hash)
      if (numbers[slot]! >= 0) return numbers[slot]!
      highs[size] = hash.high
      lows[size] = hash.low
      return (numbers[slot] = size++)
    },
  }
}
