import pico from "picocolors"
import { describe, expect, it } from "vitest"
import type { BaselineResult } from "../evaluate/index.ts"
import { comparisonLines, progressLine, verdict } from "./comparison.ts"
import { widthOf } from "./text.ts"

const colors = pico.createColors(false)
const TITLES: { readonly [name: string]: string } = {
  "unigram-bytes": "unigram over bytes",
  "kneser-ney-bytes": "Kneser-Ney over bytes",
}
const baseline = (name: BaselineResult["name"], bitsPerByte: number | undefined, order?: number): BaselineResult => ({
  name,
  title: TITLES[name] ?? name,
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

  it("says honestly which baselines are beaten and which predict better; a tie is not beaten", () => {
    expect(verdict(2, baselines)).toBe(
      "At 2.000 bits per byte the model beats brotli (2.400) and unigram over bytes (4.200). Kneser-Ney over bytes of order 6 (1.900), which only counts, predicts this text better.",
    )
    expect(verdict(1.9, baselines)).toContain("Kneser-Ney over bytes of order 6 (1.900)")
    expect(verdict(1, baselines)).toBe(
      "At 1.000 bits per byte the model beats every baseline; the closest is Kneser-Ney over bytes (1.900).",
    )
    expect(verdict(9, baselines)).toMatch(
      /beats no baseline yet.*, which only count or compress, predict this text better\.$/,
    )
  })

  it("takes results of a caller's own into the list and the verdict", () => {
    const vanilla = { ...baseline("vanilla", 1.5), title: "plain GPT-2 of equal FLOPs", note: "1.0M parameters" }
    expect(verdict(1.7, [...baselines, vanilla])).toMatch(
      / Plain GPT-2 of equal FLOPs \(1\.500\) predicts this text better\.$/,
    )
    const lines = comparisonLines({ bitsPerByte: 2, note: "" }, [vanilla], { colors, width: 80 })
    expect(lines.join("\n")).toMatch(/plain GPT-2 of equal FLOPs.*1\.500.*1\.0M parameters/)
  })

  it("one line says what is measured, how large its tables are and how long it still takes", () => {
    const progress = { name: "kneser-ney-bytes", title: "Kneser-Ney over bytes", done: 2, total: 6 } as const
    expect(progressLine({ ...progress, fraction: 0 })).toBe("measuring baselines, 3 of 6: Kneser-Ney over bytes")
    expect(progressLine({ ...progress, fraction: 0.4, tableBytes: 180e6, predictedSeconds: 20 })).toBe(
      "measuring baselines, 3 of 6: Kneser-Ney over bytes, n-gram tables 180 MB, 40 %, 12.0 s left",
    )
  })
})
