import { describe, expect, it } from "vitest"
import type { PairedDifference } from "../statistics/index.ts"
import { differenceSentence, pText } from "./sentence.ts"

const told: PairedDifference = {
  difference: -0.031,
  interval: { low: -0.04, high: -0.022, level: 0.95, unit: "document", units: 36 },
  pValue: 0.0004,
  pairs: 36,
  unpaired: 0,
}

describe("the sentence of a difference", () => {
  it("names the better one, by how much, and how sure", () => {
    expect(differenceSentence("A", "B", told)).toBe(
      "A predicts this text better by 0.031 bits per byte (95 % interval 0.022 to 0.040, p < 0.001, 36 documents).",
    )
  })

  it("is the same with the two turned around", () => {
    const interval = { ...told.interval!, low: 0.022, high: 0.04 }
    expect(differenceSentence("B", "A", { ...told, difference: 0.031, interval })).toBe(
      differenceSentence("A", "B", told),
    )
  })

  it("tells no difference where it may be chance, with an interval on both sides of 0", () => {
    const interval = { ...told.interval!, low: -0.04, high: 0.01 }
    expect(differenceSentence("A", "B", { ...told, difference: -0.02, interval, pValue: 0.21 })).toBe(
      "No difference can be told between A and B: 0.020 bits per byte in favor of A (95 % interval -0.010 to 0.040, p = 0.21, 36 documents).",
    )
  })

  it("says why where there is no interval", () => {
    const note = "no interval: it needs 20 documents"
    expect(differenceSentence("A", "B", { ...told, interval: undefined, pValue: undefined, note })).toBe(
      "A has 0.031 bits per byte less than B; whether that is more than chance cannot be told: it needs 20 documents.",
    )
  })

  it("shows a difference below a thousandth instead of zeros", () => {
    expect(differenceSentence("A", "B", { ...told, difference: -0.00021 })).toContain("better by 0.0002 bits")
  })

  it("never shows p as 0", () => {
    expect([0, 0.0002, 0.012, 0.43, 1].map(pText)).toEqual([
      "p < 0.001",
      "p < 0.001",
      "p = 0.012",
      "p = 0.43",
      "p = 1.00",
    ])
  })
})
