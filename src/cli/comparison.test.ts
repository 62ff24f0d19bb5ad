import pico from "picocolors"
import { describe, expect, it } from "vitest"
import type { BaselineResult } from "../evaluate/index.ts"
import { comparisonLines, verdict } from "./comparison.ts"
import { widthOf } from "./text.ts"

const colors = pico.createColors(false)
const baseline = (name: BaselineResult["name"], bitsPerByte: number | undefined, order?: number): BaselineResult => ({
  name,
  unit: "byte",
  bitsPerByte,
  natsPerUnit: bitsPerByte,
  seconds: 1,
  ...(order ? { order } : {}),
})
const baselines = [
  baseline("unigram-bytes", 4.2),
  baseline("kneser-ney-bytes", 1.9, 6),
  baseline("brotli", 2.4),
  { ...baseline("xz", undefined), note: "xz was not found on this machine" },
]

describe("the comparison", () => {
  it.each([40, 60, 100, 160])("is sorted best first, the model in its place, within %i columns", (width) => {
    const lines = comparisonLines({ bitsPerByte: 2, note: "0.8M parameters" }, baselines, { colors, width })
    const names = lines.map((line) => /^ {2}(\S.*?) {2}/.exec(line)?.[1]).filter(Boolean)
    expect(names).toEqual(["Kneser-Ney over bytes", "this model", "brotli", "unigram over bytes"])
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
    expect(lines.join("\n")).toContain("xz was not found")
  })

  it("says honestly which baselines are beaten and which not yet; a tie is not beaten", () => {
    expect(verdict(2, baselines)).toBe(
      "At 2.000 bits per byte the model beats brotli (2.400) and unigram over bytes (4.200), and not yet Kneser-Ney over bytes (1.900).",
    )
    expect(verdict(1.9, baselines)).toContain("and not yet Kneser-Ney over bytes (1.900).")
    expect(verdict(1, baselines)).toBe(
      "At 1.000 bits per byte the model beats every baseline; the closest is Kneser-Ney over bytes (1.900).",
    )
    expect(verdict(9, baselines)).toContain("beats no baseline yet")
  })
})
