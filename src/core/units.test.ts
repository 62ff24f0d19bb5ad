import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ConfigError, formatBytes, formatCount, formatDuration, parseCount, parseDuration } from "./index.ts"

describe("counts", () => {
  it.each([
    [0, "0"],
    [1, "1"],
    [1.5, "1.5"],
    [9.999, "10"],
    [100, "100"],
    [999, "999"],
    [1000, "1k"],
    [1500, "1.5k"],
    [20_000, "20k"],
    [100_000, "100k"],
    [999_999, "1M"],
    [1_234_567, "1.23M"],
    [794_752, "795k"],
    [2e9, "2B"],
    [7.93e12, "7.93T"],
    [-500, "-500"],
    [-1500, "-1.5k"],
  ])("%d is written %s", (value, text) => {
    expect(formatCount(value)).toBe(text)
  })

  it.each([
    ["2M", 2e6],
    ["0.8m", 8e5],
    ["1200", 1200],
    [" 500 k ", 5e5],
    [".5B", 5e8],
    ["1e3", 1000],
  ])("%s is read as %d", (text, value) => {
    expect(parseCount(text)).toBeCloseTo(value, 6)
  })

  it.each(["", "0", "-1", "2X", "1.2.3", "NaN", "1e999", "M", "1,000"])("%j is refused", (text) => {
    expect(() => parseCount(text)).toThrow(ConfigError)
  })

  it("what is written is read back within three digits", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e14, noNaN: true }), (value) => {
        expect(Math.abs(parseCount(formatCount(value)) / value - 1)).toBeLessThanOrEqual(0.005001)
      }),
    )
  })
})

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1500, "1.5 kB"],
    [999_999, "1 MB"],
    [100e6, "100 MB"],
    [4.29e9, "4.29 GB"],
  ])("%d is written %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})

describe("durations", () => {
  it.each([
    [0.85, "850 ms"],
    [0.9999, "1.0 s"],
    [12.34, "12.3 s"],
    [59.96, "1m 00s"],
    [245, "4m 05s"],
    [3599.6, "1h 00m"],
    [7380, "2h 03m"],
    [Infinity, "?"],
  ])("%d is written %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })

  it.each([
    ["90s", 90],
    ["10m", 600],
    ["10 min", 600],
    ["1.5h", 5400],
    ["1h30m", 5400],
    [" 1H 30M ", 5400],
    ["45", 45],
    ["2d", 172800],
  ])("%s is read as %d seconds", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds)
  })

  it.each(["", "0", "0s", "-5m", "1h30", "1.5.2", "10x", "m", "10 minutes", "1e400"])("%j is refused", (text) => {
    expect(() => parseDuration(text)).toThrow(ConfigError)
  })
})
