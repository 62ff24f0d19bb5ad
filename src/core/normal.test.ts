import { describe, expect, it } from "vitest"
import { fillNormal, randomStream } from "./index.ts"

describe("fillNormal", () => {
  const values = fillNormal(new Float32Array(100_001), randomStream(1, "normal"), 2)
  const moment = (k: number) => values.reduce((total, x) => total + (x / 2) ** k, 0) / values.length

  it("has the moments of a normal distribution: 0, 1, 0, 3", () => {
    expect(Math.abs(moment(1))).toBeLessThan(0.015)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02)
    expect(Math.abs(moment(3))).toBeLessThan(0.05)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15)
  })

  it("does not tie the two numbers of a pair together", () => {
    let product = 0
    for (let i = 0; i + 1 < values.length; i += 2) product += (values[i]! * values[i + 1]!) / 4
    expect(Math.abs(product / 50_000)).toBeLessThan(0.02)
  })

  it("fills an odd number of places, and the same again for the same stream", () => {
    expect(fillNormal(new Float32Array(3), randomStream(1, "normal"), 2)).toEqual(values.slice(0, 3))
    expect(values.every((x) => Number.isFinite(x) && x !== 0)).toBe(true)
  })
})
