import fc from "fast-check"
import { expect, it } from "vitest"
import { InvariantError, mix32, type RandomStream, randomStream, restoreRandom } from "./index.ts"

const draw = (stream: RandomStream, count = 8) => Array.from({ length: count }, () => stream.uint32())
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

it("a known state gives the generator's published numbers", () => {
  // xoshiro128** from state 1, 2, 3, 4: rotl(2·5, 7)·9 = 11520, then 0, by hand from the definition.
  expect(draw(restoreRandom([1, 2, 3, 4]), 2)).toEqual([11520, 0])
})

it("the same seed and names give the same numbers; any difference gives others", () => {
  expect(draw(randomStream(1, "init", 7))).toEqual(draw(randomStream(1, "init", 7)))
  const streams = [
    randomStream(1),
    randomStream(2),
    randomStream(1, "init"),
    randomStream(1, "in", "it"),
    randomStream(1, "init", 7),
    randomStream(1, "init", 8),
    randomStream(2 ** 32),
    randomStream(2 ** 32 + 1),
    randomStream(2 * 2 ** 32 + 2),
    randomStream(-1),
  ]
  expect(new Set(streams.map((stream) => draw(stream).join())).size).toBe(streams.length)
})

it("a stored state goes on where the stream was", () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(50), (seed, steps) => {
      const stream = randomStream(seed)
      for (let i = 0; i < steps; i++) stream.normal()
      const copy = restoreRandom(JSON.parse(JSON.stringify(stream.state())))
      expect(draw(copy)).toEqual(draw(stream))
    }),
  )
})

it("below is even, in range, and refuses bounds it cannot serve", () => {
  const stream = randomStream(3)
  const counts = new Array<number>(7).fill(0)
  for (let i = 0; i < 70_000; i++) counts[stream.below(7)]!++
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  expect(stream.below(1)).toBe(0)
  expect(stream.below(2 ** 32)).toBeLessThan(2 ** 32)
  for (const bound of [0, -1, NaN, 2 ** 33]) expect(() => stream.below(bound)).toThrow(InvariantError)
})

it("uniform numbers fill [0, 1), normal numbers have mean 0 and variance 1", () => {
  const stream = randomStream(4)
  const uniform = Array.from({ length: 50_000 }, () => stream.uniform())
  expect(uniform.every((value) => value >= 0 && value < 1)).toBe(true)
  expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.01)
  const normal = Array.from({ length: 50_000 }, () => stream.normal())
  expect(Math.abs(mean(normal))).toBeLessThan(0.02)
  expect(Math.abs(mean(normal.map((value) => value * value)) - 1)).toBeLessThan(0.03)
})

it("mix32 never sends two neighbors to one place", () => {
  expect(new Set(Array.from({ length: 100_000 }, (_, i) => mix32(i))).size).toBe(100_000)
})
