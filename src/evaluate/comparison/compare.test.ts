import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { randomStream } from "../../core/index.ts"
import { parseTextFindings, serializeFindings } from "../findings/stored.ts"
import { findingsOf, resultOf, scoreOf } from "../findings/testing.ts"
import { compareTwo, corrected, rank, seedGroups } from "./compare.ts"
import type { Contestant } from "./contestant.ts"

const DOCUMENTS = 40

/** A model whose documents cost `more` nats above a common text, give or take. */
function model(name: string, more: number, changes: Partial<Contestant> = {}): Contestant {
  const [text, own] = [randomStream(1, "text"), randomStream(3, name)]
  const documents = Array.from({ length: DOCUMENTS }, (_, at) =>
    scoreOf(`document ${at}`, 1500 + 100 * text.normal() + more + 5 * own.normal()),
  )
  return { name, result: resultOf(documents), parameters: 100, bytes: 400, ...changes }
}

describe("a comparison of two", () => {
  it("of a model with itself has difference 0, p = 1 and no winner on any axis", () => {
    const a = model("a", 0, { trainingFlops: 5, tokensPerSecond: 9, contextLength: 64 })
    const { difference, axes, sentence } = compareTwo(a, a)
    expect(difference.difference).toBe(0)
    expect(difference.pValue).toBe(1)
    expect(axes.every(({ winner }) => winner === "neither")).toBe(true)
    expect(sentence).toMatch(/^No difference can be told between a and a: 0\.000 bits per byte \(95 % interval/)
  })

  it("gives bits per byte to the better one only where the difference is more than chance", () => {
    const winner = (more: number) => compareTwo(model("a", 0), model("b", more)).axes[0]!.winner
    expect(winner(50)).toBe("a")
    expect(winner(-50)).toBe("b")
    expect(winner(0.1)).toBe("neither")
  })

  it("turned around negates the difference and keeps winner and p", () => {
    const [a, b] = [model("a", 0, { parameters: 3 }), model("b", 30, { parameters: 5 })]
    const [there, back] = [compareTwo(a, b), compareTwo(b, a)]
    expect(back.difference.difference).toBe(-there.difference.difference)
    expect(back.difference.pValue).toBe(there.difference.pValue)
    expect(there.axes.map(({ winner }) => winner).slice(0, 2)).toEqual(["a", "a"])
    expect(back.axes.map(({ winner }) => winner).slice(0, 2)).toEqual(["b", "b"])
    expect(back.sentence).toBe(there.sentence)
  })

  it("with stored findings is the comparison with what was stored", () => {
    const [a, b] = [model("a", 0), model("b", 20)]
    const stored = parseTextFindings(serializeFindings(findingsOf(b.result.documents)), "b.json")
    expect(compareTwo(a, { ...b, result: stored.result }).difference).toEqual(compareTwo(a, b).difference)
  })
})

describe("a ranking", () => {
  const small = model("small", 60, { parameters: 10, bytes: 40 })
  const large = model("large", 0, { parameters: 90, bytes: 360 })
  const waste = model("waste", 80, { parameters: 95, bytes: 380 })

  it("has the fewest bits first and holds each against the first", () => {
    const { ranked } = rank([waste, small, large])
    expect(ranked.map(({ contestant }) => contestant.name)).toEqual(["large", "small", "waste"])
    expect(ranked[0]!.behind).toBeUndefined()
    expect(ranked[1]!.behind!.difference).toBeGreaterThan(0)
  })

  it("leaves off a front what another beats in bits and costs", () => {
    const fronts = new Map(
      rank([waste, small, large]).ranked.map(({ contestant, fronts: on }) => [contestant.name, on]),
    )
    expect(fronts.get("small")).toEqual(["parameters", "bytes"])
    expect(fronts.get("large")).toEqual(["parameters", "bytes"])
    expect(fronts.get("waste")).toEqual([])
  })

  it("says plainly which ones cannot be told from the first", () => {
    expect(rank([large, model("twin", 0.1), waste]).sentence).toMatch(
      /no difference can be told between it and twin\.$/,
    )
  })
})

describe("runs that differ in their seed only", () => {
  it("are one group with mean and range; a run of its own is none", () => {
    const runs = [1, 2, 3].map((seed) => model(`s${seed}`, seed, { group: "recipe", seed }))
    const [group, ...others] = seedGroups([...runs, model("other", 0, { group: "another", seed: 1 })])
    expect(others).toEqual([])
    expect(group!.names).toEqual(["s1", "s2", "s3"])
    const bits = runs.map(({ result }) => result.bitsPerByte)
    expect(group!.spread.low).toBe(Math.min(...bits))
    expect(group!.spread.high).toBe(Math.max(...bits))
  })

  it("with the same seed are the same run twice, and no group", () => {
    expect(seedGroups([model("a", 0, { group: "g", seed: 1 }), model("b", 1, { group: "g", seed: 1 })])).toEqual([])
  })
})

describe("Holm's correction", () => {
  it("equals the textbook's on 0.01, 0.04, 0.03", () => {
    const values = corrected([0.01, 0.04, 0.03].map((pValue) => ({ pValue }))).map(({ pValue }) => pValue!)
    for (const [at, expected] of [0.03, 0.06, 0.06].entries()) expect(values[at]).toBeCloseTo(expected, 12)
  })

  it("never makes a p-value smaller, keeps their order, and passes over missing ones", () => {
    const pValue = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined })
    fc.assert(
      fc.property(fc.array(pValue, { maxLength: 8 }), (values) => {
        const after = corrected(values.map((value) => ({ pValue: value }))).map((test) => test.pValue)
        for (const [i, value] of values.entries()) {
          if (value === undefined) expect(after[i]).toBeUndefined()
          else expect(after[i]!).toBeGreaterThanOrEqual(value)
          for (const [j, other] of values.entries())
            if (value !== undefined && other !== undefined && value < other)
              expect(after[i]!).toBeLessThanOrEqual(after[j]!)
        }
      }),
    )
  })
})
