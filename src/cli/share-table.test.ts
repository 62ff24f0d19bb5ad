import pico from "picocolors"
import { describe, expect, it } from "vitest"
import type { TimeShare } from "./roofline-share.ts"
import { beyondPeak, shareLines } from "./share-table.ts"

const style = { width: 80, colors: pico.createColors(false) }
const product: TimeShare = {
  name: "matmul [12, 64, 128] [512, 128] transposeB",
  calls: 4,
  seconds: 0.004,
  share: 0.8,
  flops: 2e8,
  bytes: 1e6,
  boundBy: "compute",
  ofPeak: 0.5,
}
const sweep: TimeShare = { ...product, name: "sweep [], 3 instructions", seconds: 0.001, share: 0.2, boundBy: "memory" }

describe("a table of shares", () => {
  it("gives the speed in the unit of the peak that bounds it, and shapes as sizes", () => {
    expect(shareLines([product, sweep], "kernel", style)).toEqual([
      "  calls    ms  time         speed  of peak  kernel",
      "      4  4.00  80 %  50.0 GFLOP/s     50 %  matmul 12x64x128 512x128 transposeB",
      "      4  1.00  20 %      1.0 GB/s     50 %  sweep scalar, 3 instructions",
    ])
  })

  it("says nothing of a peak where nothing is counted", () => {
    const [, line] = shareLines([{ ...sweep, boundBy: undefined }], "kernel", style)
    expect(line).toMatch(/^ +4 +1\.00 +20 % +sweep scalar/)
  })

  it.each([40, 80, 120])("explains a share above 100 %% within %d columns, and only then", (width) => {
    const lines = shareLines([{ ...sweep, name: "sweep []", ofPeak: 1.2 }], "kernel", { ...style, width })
    expect(lines.join(" ")).toMatch(/Above 100 %: wider vectors/)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
    expect(beyondPeak(false, style)).toEqual([])
  })
})
