import { expect, it } from "vitest"
import { createRateMeter } from "./rate-meter.ts"

it("is tokens over time, of the last second only", () => {
  const meter = createRateMeter()
  expect(meter.tokensPerSecond()).toBe(0)
  for (let step = 0; step < 50; step++) meter.add(100, 100)
  expect(meter.tokensPerSecond()).toBeCloseTo(1000)
  for (let step = 0; step < 11; step++) meter.add(200, 100)
  expect(meter.tokensPerSecond()).toBeCloseTo(2000)
  meter.add(10, 10_000)
  expect(meter.tokensPerSecond()).toBeCloseTo(1)
})
