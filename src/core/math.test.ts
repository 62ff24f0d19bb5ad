import fc from "fast-check"
import { expect, it } from "vitest"
import { exp, log, sincos } from "./index.ts"

function close(ours: number, engine: number): void {
  expect(Math.abs(ours - engine)).toBeLessThanOrEqual(4e-15 * Math.abs(engine) + Number.MIN_VALUE)
}

it("exp agrees with the engine from the smallest to the largest double", () => {
  fc.assert(fc.property(fc.double({ min: -745, max: 709.78, noNaN: true }), (x) => close(exp(x), Math.exp(x))))
  for (const x of [0, 1, -1, 709.7, 709.78, -708.5, -744.4]) close(exp(x), Math.exp(x))
})

it("exp ends in Infinity, 0 and NaN where the doubles end", () => {
  expect([exp(710), exp(Infinity), exp(-746), exp(-Infinity), exp(NaN)]).toEqual([Infinity, Infinity, 0, 0, NaN])
  expect(exp(0)).toBe(1)
})

it("log agrees with the engine, near 1 and for subnormals too", () => {
  fc.assert(
    fc.property(fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true }), (x) =>
      close(log(x), Math.log(x)),
    ),
  )
  fc.assert(fc.property(fc.double({ min: 0.9, max: 1.1, noNaN: true }), (x) => close(log(x), Math.log(x))))
  expect([log(0), log(-1), log(NaN), log(Infinity), log(1)]).toEqual([-Infinity, NaN, NaN, Infinity, 0])
})

it("sine and cosine agree with the engine below a million", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (x) => {
      const { sin, cos } = sincos(x)
      expect(Math.abs(sin - Math.sin(x))).toBeLessThan(1e-15)
      expect(Math.abs(cos - Math.cos(x))).toBeLessThan(1e-15)
      expect(Math.abs(sin * sin + cos * cos - 1)).toBeLessThan(1e-15)
    }),
  )
})
