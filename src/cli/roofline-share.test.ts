import { describe, expect, it } from "vitest"
import type { StepTime } from "../backends/index.ts"
import { groupOf, longestOf, timeByGroup, timeByKernel } from "./roofline-share.ts"

const peak = { flopsPerSecond: 100, bytesPerSecond: 10 }
const call = (name: string, flops: number, bytes: number, seconds: number): StepTime => ({
  name,
  flops,
  bytes,
  seconds,
})

describe("a group", () => {
  it.each([
    ["matmul [2, 3] [3, 4] transposeB", "products"],
    ["attentionGrad [1, 2, 1, 8] [1, 2, 1, 8] causal", "attention"],
    ["sweep [6], 3 instructions, 1 stored", "norms and sweeps"],
    ["update [6], 20 instructions, 3 stored", "optimizer"],
    ["sum [2, 3], 2 instructions to [2]", "reductions"],
    ["partial sums", "reductions"],
    ["copy", "copies"],
    ["crossEntropy [2, 65] [2]", "loss and lookups"],
    ["summation", "other"],
  ])("is known by the first word of a name: %s", (name, group) => {
    expect(groupOf(call(name, 0, 0, 1))).toBe(group)
  })
})

describe("time by kernel", () => {
  const times = [
    call("matmul a", 50, 1, 1),
    call("sweep b", 0, 10, 2),
    call("matmul a", 50, 1, 1),
    call("copy", 0, 4, 4),
  ]

  it("adds up calls of one name, and the longest comes first", () => {
    const shares = timeByKernel(times, peak)
    expect(shares.map(({ name, calls, seconds }) => [name, calls, seconds])).toEqual([
      ["copy", 1, 4],
      ["matmul a", 2, 2],
      ["sweep b", 1, 2],
    ])
    expect(shares.map(({ share }) => share)).toEqual([0.5, 0.25, 0.25])
  })

  it("is bound by the peak that would take longer, and compared with it", () => {
    const [copy, matmul, sweep] = timeByKernel(times, peak)
    expect([copy!.boundBy, matmul!.boundBy, sweep!.boundBy]).toEqual(["memory", "compute", "memory"])
    expect([copy!.ofPeak, matmul!.ofPeak, sweep!.ofPeak]).toEqual([0.1, 0.5, 0.5])
  })

  it("knows no peak for what is charged for nothing, and divides by no zero", () => {
    expect(timeByKernel([call("partial sums", 0, 0, 0)], peak)).toMatchObject([
      { boundBy: undefined, ofPeak: 0, share: 0 },
    ])
  })
})

it("a lookup's bytes are not known: it is not charged for its whole table", () => {
  expect(timeByKernel([call("gather [9, 4] [1]", 0, 160, 1)], peak)).toMatchObject([{ bytes: 0, boundBy: undefined }])
})

it("time by group bounds each call by its own peak before it adds them up", () => {
  const [products] = timeByGroup([call("matmul a", 100, 1, 2), call("matmul b", 1, 10, 2)], peak)
  expect(products).toMatchObject({ name: "products", calls: 2, seconds: 4, ofPeak: 0.5 })
})

describe("the longest", () => {
  const shares = timeByKernel(
    [4, 3, 2, 1].map((seconds) => call(`sweep ${seconds}`, 0, seconds, seconds)),
    peak,
  )

  it("are those that make up the part asked for, and the others are one row that loses nothing", () => {
    const [four, three, rest] = longestOf(shares, 0.6)
    expect([four!.name, three!.name]).toEqual(["sweep 4", "sweep 3"])
    expect(rest).toMatchObject({ name: "2 more", calls: 2, seconds: 3, bytes: 3, share: expect.closeTo(0.3) })
  })

  it("hide no single row, and none where all are asked for", () => {
    expect(longestOf(shares, 0.9)).toEqual(shares)
    expect(longestOf(shares, 2)).toEqual(shares)
    expect(longestOf([], 0.9)).toEqual([])
  })
})
