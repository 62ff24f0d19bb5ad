// exp, log, sin and cos from additions, multiplications and divisions alone, which IEEE 754 rounds the same everywhere:
// engines may and do differ in Math.exp, Math.log, Math.sin and Math.cos. Accurate to about 1e-15 relative.

/** ln 2 and π/2 in two parts: the first has 33 bits, so that a product with a small integer is exact. */
const LN2_HI = 0.69314718036912381649
const LN2_LO = 1.90821492927058770002e-10
const PIO2_HI = 1.57079632673412561417
const PIO2_LO = 6.07710050650619224932e-11

/** `2^-600 … 2^600`: two factors reach every exponent a double has. */
const MAX_POWER = 600
const POWERS = Float64Array.from({ length: 2 * MAX_POWER + 1 }, (_, i) => wholePower(i - MAX_POWER))

/** `1/k!` for each k, and the signs of sine and cosine: coefficients, highest power first. */
const EXP = [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map(reciprocalFactorial)
const SIN = [17, 15, 13, 11, 9, 7, 5, 3, 1].map((k) => (k % 4 === 1 ? 1 : -1) * reciprocalFactorial(k))
const COS = [18, 16, 14, 12, 10, 8, 6, 4, 2, 0].map((k) => (k % 4 === 0 ? 1 : -1) * reciprocalFactorial(k))
/** `1/k`: atanh s = s·(1 + s²/3 + s⁴/5 + …). */
const ATANH = [21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1].map((k) => 1 / k)

const bits = new DataView(new ArrayBuffer(8))

/** By doubling or halving 1, exact on the way. */
function wholePower(n: number): number {
  let power = 1
  for (let i = 0; i < Math.abs(n); i++) power *= n > 0 ? 2 : 0.5
  return power
}

function reciprocalFactorial(k: number): number {
  let factorial = 1
  for (let i = 2; i <= k; i++) factorial *= i
  return 1 / factorial
}

/** A polynomial in x by Horner's rule. */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0]!
  for (let i = 1; i < coefficients.length; i++) sum = coefficients[i]! + x * sum
  return sum
}

/** `e^x`: x = n·ln 2 + r with |r| <= ln 2 / 2, Taylor series of r to degree 14. */
export function exp(x: number): number {
  if (x !== x) return NaN
  if (x > 709.79) return Infinity
  if (x < -745.2) return 0
  const n = Math.round(x / Math.LN2)
  const sum = polynomial(EXP, x - n * LN2_HI - n * LN2_LO)
  // The first factor keeps the product normal; the second alone may overflow or round to a subnormal.
  const half = n >> 1
  return sum * POWERS[MAX_POWER + half]! * POWERS[MAX_POWER + n - half]!
}

/** `ln x`: x = m·2^n with m in [√½, √2), then 2·atanh((m-1)/(m+1)) as an odd series. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN
  if (x === Infinity) return Infinity
  if (x < 2 ** -1022) return log(x * 2 ** 54) - 54 * Math.LN2
  bits.setFloat64(0, x)
  const high = bits.getUint32(0)
  bits.setUint32(0, (high & 0x000fffff) | 0x3ff00000)
  let n = (high >>> 20) - 1023
  let m = bits.getFloat64(0)
  if (m >= Math.SQRT2) (m /= 2), n++
  const s = (m - 1) / (m + 1)
  return n * LN2_HI + (2 * s * polynomial(ATANH, s * s) + n * LN2_LO)
}

/** `sin x` and `cos x`: reduction by π/2 (good for |x| < 1e6), then both Taylor series. */
export function sincos(x: number): { sin: number; cos: number } {
  const quadrant = Math.round(x / (Math.PI / 2))
  const r = x - quadrant * PIO2_HI - quadrant * PIO2_LO
  const sin = r * polynomial(SIN, r * r)
  const cos = polynomial(COS, r * r)
  const turn = ((quadrant % 4) + 4) % 4
  if (turn === 0) return { sin, cos }
  if (turn === 1) return { sin: cos, cos: -sin }
  if (turn === 2) return { sin: -sin, cos: -cos }
  return { sin: -cos, cos: sin }
}
