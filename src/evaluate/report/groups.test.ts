import { describe, expect, it } from "vitest"
import { curveOf } from "./charts/loss-curves.ts"
import type { ReportFacts, RunFacts } from "./facts.ts"
import { DISTINCT, groupsOf, isQuiet } from "./groups.ts"

const factsOf = (runs: readonly RunFacts[]): ReportFacts => ({ version: 1, title: "", runs })

describe("groups", () => {
  it("hold the runs of one name in their order, and a run without one alone", () => {
    const runs = [{ name: "a1", group: "a" }, { name: "b" }, { name: "a2", group: "a" }]
    const names = groupsOf(factsOf(runs)).map(({ name, runs }) => [name, runs.map((run) => run.name)])
    expect(names).toEqual([
      ["a", ["a1", "a2"]],
      ["b", ["b"]],
    ])
  })

  it("have looks of their own as long as there are looks, and then the best ones have", () => {
    const runs = Array.from({ length: DISTINCT + 3 }, (_, index) => ({
      name: `${index}`,
      result: { text: "", bitsPerByte: index === 0 ? Number.NaN : 10 - index },
    }))
    const distinct = groupsOf(factsOf(runs)).filter(({ look }) => !isQuiet(look))
    expect(distinct.map(({ name }) => name)).toEqual(["3", "4", "5", "6", "7", "8"])
    expect(new Set(distinct.map(({ look }) => look.color + look.symbol + look.dash)).size).toBe(DISTINCT)
  })
})

describe("the curve of a group", () => {
  const runOf = (name: string, losses: readonly number[]): RunFacts => ({
    name,
    group: "g",
    training: losses.map((nats, index) => ({ step: index + 1, tokens: 10 * (index + 1), nats })),
  })
  const curve = (...runs: readonly RunFacts[]) => curveOf(groupsOf(factsOf(runs))[0]!)

  it("is the median of the seeds, with the lowest and the highest", () => {
    const { line } = curve(runOf("1", [4, 3]), runOf("2", [5, 1]), runOf("3", [7, 2]))
    expect(line).toEqual([
      { tokens: 10, median: 5, low: 4, high: 7, seeds: 3 },
      { tokens: 20, median: 2, low: 1, high: 3, seeds: 3 },
    ])
  })

  it("leaves out what is no loss, and goes on with the seeds that are left", () => {
    const { line } = curve(runOf("1", [4, Number.NaN, 2]), runOf("2", [4, 3]))
    expect(line.map(({ median, seeds }) => [median, seeds])).toEqual([
      [4, 2],
      [3, 1],
      [2, 1],
    ])
  })

  it("of very many steps has few points, whose mean is that of the steps", () => {
    const losses = Array.from({ length: 16_000 }, (_, index) => 1 + (index % 7))
    const { line, stepsPerPoint } = curve(runOf("1", losses))
    expect(line).toHaveLength(160)
    expect(stepsPerPoint).toBe(100)
    const mean = losses.reduce((sum, nats) => sum + nats, 0) / losses.length
    expect(line.reduce((sum, { median }) => sum + median, 0) / line.length).toBeCloseTo(mean, 9)
  })

  it("places an evaluation at the tokens of its step, and before all steps at 0", () => {
    const heldOut = [0, 2, 9].map((step) => ({ step, nats: 3 }))
    const { heldOut: points } = curve({ ...runOf("1", [4, 3]), heldOut })
    expect(points[0]!.map(({ tokens }) => tokens)).toEqual([0, 20])
  })

  it("stands where no token was counted", () => {
    expect(curve({ name: "1", training: [{ step: 1, tokens: 0, nats: 2 }] }).line).toHaveLength(1)
  })
})
