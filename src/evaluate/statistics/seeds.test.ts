// Laws of a spread over seeds.
import { describe, expect, it } from "vitest"
import { DataError } from "../../core/index.ts"
import { seedSpread } from "./seeds.ts"

describe("seedSpread", () => {
  it("is mean, range and the deviation of one seed", () => {
    expect(seedSpread([1, 2, 6])).toEqual({ mean: 3, low: 1, high: 6, standardDeviation: Math.sqrt(7), seeds: 3 })
  })

  it("one seed has no deviation, no seeds are an error", () => {
    expect(seedSpread([1.5])).toEqual({ mean: 1.5, low: 1.5, high: 1.5, standardDeviation: undefined, seeds: 1 })
    expect(() => seedSpread([])).toThrow(DataError)
  })
})
