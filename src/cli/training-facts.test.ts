import { describe, expect, it } from "vitest"
import { FormatError } from "../core/index.ts"
import type { TrainEvent } from "../train/index.ts"
import { historyOf, summaryFrom } from "./training-facts.ts"

const start = (resumedFromStep?: number) =>
  ({
    type: "run-start",
    flopsPerStep: 1000,
    plannedBytes: 64,
    device: { kind: "wasm", lanes: 2, choices: {} },
    ...(resumedFromStep === undefined ? {} : { resumedFromStep }),
  }) as TrainEvent
const step = (number: number, loss: number, tokensPerSecond = 100) =>
  ({ type: "step-end", step: number, loss, tokens: 16, tokensPerSecond, seconds: 1 }) as TrainEvent

describe("the history of a run", () => {
  it("counts a step that a resumed run made again once, as it was made last", () => {
    const events = [start(), step(1, 5), step(2, 4), step(3, 9), start(2), step(3, 3), step(4, 2)]
    expect(historyOf(events, 4).losses).toEqual([
      { step: 1, tokens: 16, nats: 5 },
      { step: 2, tokens: 32, nats: 4 },
      { step: 3, tokens: 48, nats: 3 },
      { step: 4, tokens: 64, nats: 2 },
    ])
  })

  it("ends at the checkpoint it is asked about: later steps cost nothing yet", () => {
    const { losses, flops } = historyOf([start(), step(1, 5), step(2, 4), step(3, 3)], 2)
    expect(losses.length).toBe(2)
    expect(flops).toBe(2000)
  })

  it("tells the speed of the median step, which one slow step does not move", () => {
    expect(historyOf([start(), step(1, 5, 1), step(2, 4, 100), step(3, 3, 102)], 3).tokensPerSecond).toBe(100)
    expect(historyOf([start(), step(1, 5, 100), step(2, 4, 102)], 2).tokensPerSecond).toBe(101)
  })

  it("without a journal knows nothing and invents nothing", () => {
    expect(historyOf([], 5)).toEqual({ losses: [], heldOut: [], samples: [] })
  })
})

it("a damaged summary of the data is told by its path", () => {
  const side = { sha256: "ab", bytes: 1 }
  const whole = { name: "d", train: side, valid: side }
  expect(summaryFrom(JSON.stringify(whole), "s.json")).toEqual(whole)
  for (const text of ["{", "null", "5", "[]", '{"name":"d"}', JSON.stringify({ ...whole, valid: null })]) {
    expect(() => summaryFrom(text, "s.json")).toThrow(FormatError)
    expect(() => summaryFrom(text, "s.json")).toThrow("s.json is damaged: ")
  }
})
