import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { scatter } from "./scatter.ts"
import { widthOf } from "./text.ts"

const axes = { x: String, y: (value: number) => value.toFixed(1) }

describe("a scatter of points", () => {
  it("has the largest y on top, and x growing to the right by its logarithm", () => {
    const points = [
      { mark: "a", x: 1, y: 3 },
      { mark: "b", x: 10, y: 2 },
      { mark: "c", x: 100, y: 1 },
    ]
    const lines = scatter(points, axes, 40)
    const [a, b, c] = ["a", "b", "c"].map((mark) => {
      const row = lines.findIndex((line) => line.includes(mark))
      return { row, column: lines[row]!.indexOf(mark) }
    })
    expect(a!.row).toBeLessThan(b!.row)
    expect(b!.row).toBeLessThan(c!.row)
    expect(Math.abs(b!.column - a!.column - (c!.column - b!.column))).toBeLessThanOrEqual(1)
  })

  it("shows every mark, also where points fall together, and no line is too wide", () => {
    const point = fc.record({ x: fc.integer({ min: 1, max: 1e9 }), y: fc.double({ min: 0, max: 9, noNaN: true }) })
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 20 }), fc.integer({ min: 40, max: 90 }), (at, width) => {
        const marks = at.map((_, index) => String.fromCharCode(97 + index))
        const lines = scatter(
          at.map((each, index) => ({ ...each, mark: marks[index]! })),
          axes,
          width,
        )
        const picture = lines.slice(0, 8).join("")
        for (const mark of marks) expect(picture).toContain(mark)
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
      }),
    )
  })
})
