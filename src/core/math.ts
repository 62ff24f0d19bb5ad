// exp, log, sin and cos from additions, multiplications, divisions and square roots alone, which IEEE 754 rounds the same
// everywhere: engines may and do differ in Math.exp, Math.log, Math.sin and Math.cos. Accurate to about 1e-15 relative.

const LN2_HI = 0.69314718036912381649
const LN2_LO = 1.90821492927058770002e-10

/** `2^n` for n in -1022..1023, exactly. */
function powerOfTwo(n: number): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setUint32(0, (n + 1023) << 20)
  return view.getFloat64(0)
}

/** `value · 2^n` for value near 1, rounded once: the first factor keeps it normal, the second may overflow or underflow. */
function scaled(value: number, n: number): number {
  if (n > 1023) return value * powerOfTwo(1000) * powerOfTwo(n - 1000)
  if (n < -1022) return value * powerOfTwo(n + 1000) * powerOfTwo(-1000)
  return value * powerOfTwo(n)
}

/** `e^x`: x = n·ln 2 + r with |r| <= ln 2 / 2, Taylor series of r to degree 16. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (x > 709.79) return Infinity
  if (x < -745.2) return 0
  const n = Math.round(x / Math.LN2)
  const r = x - n * LN2_HI - n * LN2_LO
  let sum = 1
  for (let k = 16; k >= 1; k--) sum = 1 + (r / k) * sum
  return scaled(sum, n)
}

/** `ln x`: x = m·2^n with m in [√½, √2), then 2·atanh((m-1)/(m+1)) as an odd series. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN
  if (x === Infinity) return Infinity
  let n = 0
  let m = x
  while (m >= Math.SQRT2) (m /= 2), n++
  while (m < Math.SQRT1_2) (m *= 2), n--
  const s = (m - 1) / (m + 1)
  const s2 = s * s
  let sum = 0
  for (let k = 21; k >= 1; k -= 2) sum = 1 / k + s2 * sum
  return n * LN2_HI + (2 * s * sum + n * LN2_LO)
}

const PIO2_HI = 1.57079632673412561417
const PIO2_LO = 6.07710050650619224932e-11

/** `sin x` and `cos x`: reduction by π/2 (good for |x| < 1e6), then both Taylor series. */
export function sincos(x: number): { sin: number; cos: number } {
  const quadrant = Math.round(x / (Math.PI / 2))
  const r = x - quadrant * PIO2_HI - quadrant * PIO2_LO
  const r2 = r * r
  let sin = 1
  for (let k = 18; k >= 2; k -= 2) sin = 1 - (r2 / (k * (k + 1))) * sin
  sin *= r
  let cos = 1
  for (let k = 17; k >= 1; k -= 2) cos = 1 - (r2 / (k * (k + 1))) * cos
  const turn = ((quadrant % 4) + 4) % 4
  if (turn === 0) return { sin, cos }
  if (turn === 1) return { sin: cos, cos: -sin }
  if (turn === 2) return { sin: -sin, cos: -cos }
  return { sin: -cos, cos: sin }
}
