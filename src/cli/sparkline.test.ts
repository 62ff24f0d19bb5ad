import { describe, expect, it } from "vitest"
import { progressBar, sparkline } from "./sparkline.ts"

describe("a curve in one line", () => {
  it("spans lowest to highest, one bar a value while they are few", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20)).toBe("▁▂▃▅▆▇██")
    expect(sparkline([], 20)).toBe("")
    expect(sparkline([3], 20)).toBe("▁")
    expect(sparkline([2, 2, 2], 20)).toBe("▁▁▁")
  })

  it("takes means where there are more values than bars", () => {
    expect(sparkline([4, 4, 0, 0], 2)).toHaveLength(2)
    expect(
      sparkline(
        Array.from({ length: 999 }, (_, at) => 999 - at),
        30,
      ),
    ).toMatch(/^█+▇+.*▁$/)
  })

  it("is not flattened by the first few steps", () => {
    const losses = [100, ...Array.from({ length: 39 }, (_, at) => 3 - at / 20)]
    expect(new Set(sparkline(losses, 40)).size).toBeGreaterThan(6)
  })

  it("fills a bar by its share, whatever the share", () => {
    expect(progressBar(0.5, 4)).toEqual({ full: "━━", rest: "╌╌" })
    expect(progressBar(7, 3)).toEqual({ full: "━━━", rest: "" })
  })
})
