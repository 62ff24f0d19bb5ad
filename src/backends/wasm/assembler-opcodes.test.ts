// A wrong number in the table of instructions still validates; so what each one computes is compared with JavaScript.
import { expect, it } from "vitest"
import { createModule, type FunctionBuilder, type ValueType } from "./assembler.ts"
import { webAssembly } from "./webassembly.ts"

type Scalar = "i32" | "f32" | "f64"
type Binary = (a: number, b: number) => number
const bit = (yes: boolean): number => (yes ? 1 : 0)

const integers: { [name: string]: Binary } = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  divS: (a, b) => (a / b) | 0,
  divU: (a, b) => ((a >>> 0) / (b >>> 0)) | 0,
  remS: (a, b) => (a % b) | 0,
  remU: (a, b) => ((a >>> 0) % (b >>> 0)) | 0,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shrS: (a, b) => a >> b,
  shrU: (a, b) => (a >>> b) | 0,
  rotl: (a, b) => (a << b) | (a >>> -b),
  rotr: (a, b) => (a >>> b) | (a << -b),
  eq: (a, b) => bit(a === b),
  ne: (a, b) => bit(a !== b),
  ltS: (a, b) => bit(a < b),
  ltU: (a, b) => bit(a >>> 0 < b >>> 0),
  gtS: (a, b) => bit(a > b),
  gtU: (a, b) => bit(a >>> 0 > b >>> 0),
  leS: (a, b) => bit(a <= b),
  leU: (a, b) => bit(a >>> 0 <= b >>> 0),
  geS: (a, b) => bit(a >= b),
  geU: (a, b) => bit(a >>> 0 >= b >>> 0),
}
const arithmetic: { [name: string]: Binary } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
}
const comparisons: { [name: string]: Binary } = {
  eq: integers.eq,
  ne: integers.ne,
  lt: (a, b) => bit(a < b),
  gt: (a, b) => bit(a > b),
  le: (a, b) => bit(a <= b),
  ge: (a, b) => bit(a >= b),
}
const unary: { [name: string]: (a: number) => number } = {
  abs: Math.abs,
  neg: (a) => -a,
  ceil: Math.ceil,
  floor: Math.floor,
  trunc: Math.trunc,
  sqrt: (a) => Math.fround(Math.sqrt(a)),
}
const vectorIntegers = Object.fromEntries(
  ["add", "sub", "mul", "eq", "ne", "ltS", "ltU", "gtS", "gtU", "leS", "leU", "geS", "geU"].map((name) => [
    name,
    integers[name],
  ]),
)
const minima: { [name: string]: Binary } = {
  minS: Math.min,
  maxS: Math.max,
  minU: (a, b) => Math.min(a >>> 0, b >>> 0) | 0,
  maxU: (a, b) => Math.max(a >>> 0, b >>> 0) | 0,
}
const integerPairs = [
  [7, 3],
  [-7, 3],
  [3, -7],
  [5, 5],
  [-2147483648, 31],
]
const floatPairs = [
  [1.5, 0.25],
  [-3.5, 2],
  [2, 2],
  [4, -0.5],
]

/** What `build` leaves on the stack, for operands `a` and `b`. */
function compute(result: ValueType, build: (f: FunctionBuilder) => void): number {
  const module = createModule()
  module.function("run", [], [result], true, build)
  return new webAssembly.Instance(new webAssembly.Module(module.bytes())).exports.run()!
}

function expectScalar(type: Scalar, table: { [name: string]: Binary }, pairs: number[][], result: Scalar): void {
  for (const [name, want] of Object.entries(table))
    for (const [a, b] of pairs) {
      const got = compute(result, (f) => {
        f[type].const(a), f[type].const(b)
        ;(f[type] as unknown as { [name: string]: () => void })[name]()
      })
      expect(got, `${type}.${name}(${a}, ${b})`).toBe(want(a, b))
    }
}

/** Vector comparisons leave all bits set, -1 as an integer, where a scalar one leaves 1. */
function expectVector(
  type: "i32x4" | "f32x4",
  table: { [name: string]: Binary },
  pairs: number[][],
  read: "i32x4" | "f32x4",
): void {
  for (const [name, want] of Object.entries(table))
    for (const [a, b] of pairs) {
      const got = compute(read === "i32x4" ? "i32" : "f32", (f) => {
        f[type].const(0, a, 0, 0), f[type].const(1, b, 1, 1)
        ;(f[type] as unknown as { [name: string]: () => void })[name]()
        f[read].extractLane(1)
      })
      const mask = /^(eq|ne|lt|gt|le|ge)/.test(name)
      expect(got, `${type}.${name}(${a}, ${b})`).toBe(mask ? 0 - want(a, b) : want(a, b))
    }
}

it("scalar instructions compute what JavaScript does", () => {
  expectScalar("i32", integers, integerPairs, "i32")
  for (const type of ["f32", "f64"] as const) {
    expectScalar(type, arithmetic, floatPairs, type)
    expectScalar(type, comparisons, floatPairs, "i32")
  }
})

it("vector instructions compute the same in a lane", () => {
  expectVector("i32x4", { ...vectorIntegers, ...minima }, integerPairs, "i32x4")
  expectVector("f32x4", { ...arithmetic, pmin: Math.min, pmax: Math.max }, floatPairs, "f32x4")
  expectVector("f32x4", comparisons, floatPairs, "i32x4")
})

it("vector functions of one operand compute what Math does", () => {
  for (const [name, want] of Object.entries(unary))
    for (const a of [2.25, 0.5, name === "sqrt" ? 9 : -1.75]) {
      const got = compute("f32", (f) => {
        f.f32x4.const(a)
        ;(f.f32x4 as unknown as { [name: string]: () => void })[name]()
        f.f32x4.extractLane(3)
      })
      expect(got, `f32x4.${name}(${a})`).toBe(want(a))
    }
})

it("conversions and shifts move numbers as their names say", () => {
  const convert = (x: number) =>
    compute("f32", (f) => (f.i32x4.const(x), f.f32x4.convertI32x4S(), f.f32x4.extractLane(2)))
  const truncate = (x: number) =>
    compute("i32", (f) => (f.f32x4.const(x), f.i32x4.truncSatF32x4S(), f.i32x4.extractLane(2)))
  const shift = (name: "shl" | "shrS" | "shrU", x: number) =>
    compute("i32", (f) => (f.i32x4.const(x), f.i32.const(4), f.i32x4[name](), f.i32x4.extractLane(2)))
  expect([convert(-7), truncate(-7.9), truncate(1e20), truncate(NaN)]).toEqual([-7, -7, 2147483647, 0])
  expect([shift("shl", -3), shift("shrS", -48), shift("shrU", -1)]).toEqual([-48, -3, 0xfffffff])
})
