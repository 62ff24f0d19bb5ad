// Elementary functions of four floats at once, from additions and multiplications alone: the strict build (`fma` false)
// gives the same bits on every engine; the fast build fuses the same steps. Each emitter reads the local `x` (v128) and
// leaves the result on the stack; `x` keeps its value. All are accurate to about 2e-7 relative.

// biome-ignore-all format: one line is one step of the formula

import type { FunctionBuilder, Local } from "./assembler.ts"

// ln 2 in two parts: the first has nine bits, so n · LN2_HI is exact. @see Cody & Waite 1980
const LN2_HI = 0.693359375
const LN2_LO = -2.12194440054690583e-4
/** 1.5 · 2^23: adding it rounds to an integer that then stands in the low bits. */
const ROUND = 12582912
const ROUND_BITS = 0x4b400000
/** e^x overflows above 88.73 and is below half the smallest subnormal under -103.98. */
const EXP_MAX = 89
const EXP_MIN = -104
const TAYLOR_EXP = [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2]
const SQRT_HALF_BITS = 0x3f3504f3
const SMALLEST_NORMAL = 1.1754943508222875e-38
// Minimax polynomials of S. L. Moshier's Cephes library (logf, tanhf), https://www.netlib.org/cephes
const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]
const TANH = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1]
// Our own least-maximum fits: (erf x - x) / x as a polynomial in x² below 1.1, erfc(x)^(-1/8) as one in x from there to 4.
const ERF_EDGE = 1.1
const ERF_SMALL = [
  -5.167282652109861e-4, 4.80072433128953e-3, -2.6608973741531372e-2, 1.1276547610759735e-1, -3.761187791824341e-1,
  1.2837903201580048e-1,
]
const ERF_LARGE = [
  2.53702187910676e-3, -1.537859346717596e-2, 5.866377428174019e-2, -7.609575986862183e-2, 1.9405117630958557e-1,
  8.279010653495789e-2, 1.0135483741760254,
]
/** erf is 1 in f32 from here on. */
const ERF_END = 4

/** Leaves `a · b + c`: fused when `fma`, else rounded twice. Each operand is code that leaves one v128. */
export function emitMulAdd(f: FunctionBuilder, fma: boolean, a: () => void, b: () => void, c: () => void): void {
  a()
  b()
  if (!fma) f.f32x4.mul()
  c()
  if (fma) f.f32x4.relaxedMadd()
  else f.f32x4.add()
}

/** Leaves the polynomial in `z` with these coefficients, highest power first (Horner). */
export function emitPolynomial(f: FunctionBuilder, z: Local, coefficients: readonly number[], fma: boolean): void {
  const [first, ...rest] = coefficients
  let value = () => f.f32x4.const(first!)
  for (const coefficient of rest) {
    const inner = value
    value = () =>
      emitMulAdd(f, fma, inner, () => f.local.get(z), () => f.f32x4.const(coefficient))
  }
  value()
}

/**
 * `e^x = 2^n · e^r` with `n = round(x / ln 2)` and |r| <= ln 2 / 2.
 *
 * Overflows to Infinity, underflows through the subnormals to 0; NaN stays NaN.
 */
export function emitExp(f: FunctionBuilder, x: Local, fma: boolean): void {
  f.scope(() => {
    const [bounded, r, n] = f.locals("v128", 3)
    // pmin and pmax with the constant second keep a NaN
    f.local.get(x), f.f32x4.const(EXP_MAX), f.f32x4.pmin(), f.f32x4.const(EXP_MIN), f.f32x4.pmax(), f.local.set(bounded)
    emitMulAdd(f, fma, () => f.local.get(bounded), () => f.f32x4.const(Math.LOG2E), () => f.f32x4.const(ROUND))
    f.local.tee(n), f.f32x4.const(ROUND), f.f32x4.sub(), f.local.set(r) // r holds n as a float for two lines
    const afterHigh = () =>
      emitMulAdd(f, fma, () => f.local.get(r), () => f.f32x4.const(-LN2_HI), () => f.local.get(bounded))
    emitMulAdd(f, fma, () => f.local.get(r), () => f.f32x4.const(-LN2_LO), afterHigh)
    f.local.set(r)
    const square = () => (f.local.get(r), f.local.get(r), f.f32x4.mul())
    emitMulAdd(f, fma, () => emitPolynomial(f, r, TAYLOR_EXP, fma), square, () => f.local.get(r))
    f.f32x4.const(1), f.f32x4.add()
    emitScaleByPowerOfTwo(f, n)
  })
}

/** Takes p, leaves `p · 2^n` in two exact-until-the-last steps; `n` stands in the low bits of `n + ROUND`. */
function emitScaleByPowerOfTwo(f: FunctionBuilder, n: Local): void {
  f.scope(() => {
    const half = f.local("v128")
    const power = () => (f.i32x4.const(127), f.i32x4.add(), f.i32.const(23), f.i32x4.shl(), f.f32x4.mul())
    f.local.get(n), f.i32x4.const(ROUND_BITS), f.i32x4.sub(), f.local.tee(n)
    f.i32.const(1), f.i32x4.shrS(), f.local.tee(half), power()
    f.local.get(n), f.local.get(half), f.i32x4.sub(), power()
  })
}

/**
 * `ln x = n · ln 2 + ln m` with m in [√½, √2).
 *
 * 0 gives -Infinity, negative numbers NaN; subnormals are scaled first.
 */
export function emitLog(f: FunctionBuilder, x: Local, fma: boolean): void {
  f.scope(() => {
    const [m, n, s, square] = f.locals("v128", 4)
    f.local.get(x), f.f32x4.const(SMALLEST_NORMAL), f.f32x4.lt(), f.local.set(s) // s: lanes that are subnormal
    f.local.get(x), f.f32x4.const(2 ** 23), f.f32x4.mul(), f.local.get(x), f.local.get(s), f.v128.bitselect()
    f.local.tee(m), f.i32x4.const(SQRT_HALF_BITS), f.i32x4.sub(), f.i32.const(23), f.i32x4.shrS(), f.local.set(n)
    f.local.get(m), f.local.get(n), f.i32.const(23), f.i32x4.shl(), f.i32x4.sub()
    f.f32x4.const(1), f.f32x4.sub(), f.local.set(m) // m - 1 from here on
    f.local.get(n), f.local.get(s), f.i32x4.const(-23), f.v128.and(), f.i32x4.add(), f.f32x4.convertI32x4S(), f.local.set(n)
    f.local.get(m), f.local.get(m), f.f32x4.mul(), f.local.set(square)
    const cubic = () => (emitPolynomial(f, m, LOG, fma), f.local.get(m), f.f32x4.mul())
    const low = () => (f.local.get(n), f.f32x4.const(LN2_LO), f.f32x4.mul())
    const tail = () => emitMulAdd(f, fma, cubic, () => f.local.get(square), low)
    emitMulAdd(f, fma, () => f.local.get(square), () => f.f32x4.const(-0.5), tail)
    f.local.get(m), f.f32x4.add(), f.local.set(s)
    emitMulAdd(f, fma, () => f.local.get(n), () => f.f32x4.const(LN2_HI), () => f.local.get(s))
    emitLogExtremes(f, x)
  })
}

/** Takes ln x of ordinary x, leaves it corrected for 0, negative numbers, Infinity and NaN. */
function emitLogExtremes(f: FunctionBuilder, x: Local): void {
  f.f32x4.const(-Infinity)
  f.local.get(x), f.f32x4.const(0), f.f32x4.lt(), f.local.get(x), f.v128.or() // all bits set is a NaN
  f.local.get(x), f.f32x4.const(0), f.f32x4.eq(), f.v128.bitselect()
  f.local.get(x), f.f32x4.const(0), f.f32x4.gt(), f.local.get(x), f.f32x4.const(Infinity), f.f32x4.lt(), f.v128.and()
  f.v128.bitselect()
}

/** `1 / (1 + e^-x)`, as `e^x / (1 + e^x)` where x < 0: neither tail overflows or loses its digits. */
export function emitSigmoid(f: FunctionBuilder, x: Local, fma: boolean): void {
  f.scope(() => {
    const [e, s] = f.locals("v128", 2)
    f.local.get(x), f.f32x4.abs(), f.f32x4.neg(), f.local.set(s)
    emitExp(f, s, fma), f.local.set(e)
    f.f32x4.const(1), f.local.get(e), f.f32x4.const(1), f.f32x4.add(), f.f32x4.div(), f.local.set(s)
    f.local.get(s), f.local.get(e), f.f32x4.mul(), f.local.get(s)
    f.local.get(x), f.f32x4.const(0), f.f32x4.lt(), f.v128.bitselect()
  })
}

/** `tanh x`: an odd polynomial below 0.625, `1 - 2 / (e^2|x| + 1)` with the sign of x above. */
export function emitTanh(f: FunctionBuilder, x: Local, fma: boolean): void {
  f.scope(() => {
    const [square, a] = f.locals("v128", 2)
    f.local.get(x), f.local.get(x), f.f32x4.mul(), f.local.set(square)
    const odd = () => (emitPolynomial(f, square, TANH, fma), f.local.get(square), f.f32x4.mul())
    emitMulAdd(f, fma, odd, () => f.local.get(x), () => f.local.get(x))
    f.local.get(x), f.f32x4.abs(), f.f32x4.const(2), f.f32x4.mul(), f.local.set(a)
    f.f32x4.const(1), f.f32x4.const(2), emitExp(f, a, fma), f.f32x4.const(1), f.f32x4.add(), f.f32x4.div(), f.f32x4.sub()
    f.local.get(a), f.f32x4.const(1.25), f.f32x4.lt(), f.v128.bitselect()
    emitCopySign(f, x) // also gives -0 its sign back
  })
}

/** `erf x = x + x · P(x²)` below 1.1, `1 - 1 / Q(|x|)^8` with the sign of x above: no exponential, and two short chains. */
export function emitErf(f: FunctionBuilder, x: Local, fma: boolean): void {
  f.scope(() => {
    const [square, a, q] = f.locals("v128", 3)
    f.local.get(x), f.local.get(x), f.f32x4.mul(), f.local.set(square)
    f.local.get(x), f.f32x4.abs(), f.f32x4.const(ERF_END), f.f32x4.min(), f.local.set(a)
    emitMulAdd(f, fma, () => emitPolynomial(f, square, ERF_SMALL, fma), () => f.local.get(x), () => f.local.get(x))
    emitPolynomial(f, a, ERF_LARGE, fma), f.local.set(q)
    for (let i = 0; i < 3; i++) f.local.get(q), f.local.get(q), f.f32x4.mul(), f.local.set(q)
    f.f32x4.const(1), f.f32x4.const(1), f.local.get(q), f.f32x4.div(), f.f32x4.sub(), emitCopySign(f, x)
    f.local.get(a), f.f32x4.const(ERF_EDGE), f.f32x4.lt(), f.v128.bitselect()
  })
}

/** Takes |y|, or y with the sign of `x`; leaves it with the sign of `x`. */
function emitCopySign(f: FunctionBuilder, x: Local): void {
  f.local.get(x), f.i32x4.const(-0x80000000), f.v128.and(), f.v128.or()
}
