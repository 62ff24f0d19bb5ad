import { describe, expect, it } from "vitest"
import { erf } from "./ops.ts"

describe("erf", () => {
  // Abramowitz & Stegun, table 7.1, and DLMF 7.23
  it.each([
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [7, 1],
  ])("erf(%d) = %d to 1e-13, and it is odd", (x, y) => {
    expect(Math.abs(erf(x) - y)).toBeLessThan(1e-13)
    expect(erf(-x)).toBe(-erf(x))
  })

  it("has no seam where the series hands over to the continued fraction", () => {
    expect(Math.abs(erf(2.5) - erf(2.5 - 1e-9) - 1e-9 * (2 / Math.sqrt(Math.PI)) * Math.exp(-6.25))).toBeLessThan(1e-13)
  })
})
