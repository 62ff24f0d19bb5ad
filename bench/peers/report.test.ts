import { describe, expect, it } from "vitest"
import { digits, type Round, ratioOf, spreadOf, spreadOfFact, tableOf } from "./report.ts"

const facts = (tokensPerSecond: number, rssBytes?: number) => ({ tokensPerSecond, ...(rssBytes ? { rssBytes } : {}) })

describe("a spread", () => {
  it("of an odd number has the middle value, of an even one the mean of the middle two", () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5 })
    expect(spreadOf([4, 1, 9, 2])).toEqual({ median: 3, low: 1, high: 9 })
  })

  it("of nothing is nothing", () => {
    expect(spreadOf([])).toBeUndefined()
    expect(spreadOfFact([{ a: facts(1) }], "a", "rssBytes")).toBeUndefined()
  })
})

describe("a ratio", () => {
  it("is taken within a round: a machine that halves its speed between rounds changes nothing", () => {
    const rounds: Round[] = [
      { a: facts(400), b: facts(100) },
      { a: facts(200), b: facts(50) },
      { a: facts(40), b: facts(10) },
    ]
    expect(ratioOf(rounds, "a", "b", "tokensPerSecond")).toEqual({ median: 4, low: 4, high: 4 })
  })

  it("leaves out rounds in which one of the two is absent or silent", () => {
    const rounds: Round[] = [{ a: facts(6, 10), b: facts(2, 5) }, { a: facts(9) }, { a: facts(8, 10), b: facts(2) }]
    expect(ratioOf(rounds, "a", "b", "tokensPerSecond")!.median).toBe(3.5)
    expect(ratioOf(rounds, "a", "b", "rssBytes")!.median).toBe(2)
    expect(ratioOf(rounds, "b", "c", "tokensPerSecond")).toBeUndefined()
  })
})

it("digits say three places and never an exponent", () => {
  expect([0.012_345, 1.5, 99.96, 1234.5, 1e9].map(digits)).toEqual(["0.0123", "1.5", "100", "1,235", "1,000,000,000"])
})

it("a table has one row a peer, flush columns, no empty column, and no ratio of ours to itself", () => {
  const rounds: Round[] = [{ ours: facts(300, 1e6), "a long peer": facts(100, 4e6) }]
  expect(tableOf(rounds, ["ours", "a long peer"], ["ours"])).toEqual([
    "             tok/s  low-high  peak MB  ours is  its memory",
    "ours           300   300-300        1",
    "a long peer    100   100-100        4    3.00x       0.25x",
  ])
})
