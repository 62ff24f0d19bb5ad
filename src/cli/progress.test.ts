import { describe, expect, it } from "vitest"
import type { RunStartEvent, StepEndEvent } from "../train/index.ts"
import { createProgress } from "./progress.ts"

const start = (steps: number, validTokens = 0): RunStartEvent =>
  ({
    type: "run-start",
    recipe: { steps, evaluation: { everySteps: 10, maxTokens: 100 } },
    tokensPerStep: 50,
    flopsPerStep: 1000,
    data: { train: { bytes: 800, tokens: 400 }, valid: { bytes: 80, tokens: validTokens } },
  }) as unknown as RunStartEvent
const step = (number: number, seconds: number, loss = 2): StepEndEvent => ({
  type: "step-end",
  step: number,
  loss,
  learningRate: 0.1,
  gradientNorm: 1,
  tokens: 50,
  tokensPerSecond: 100,
  seconds,
})

describe("progress", () => {
  it("knows nothing of the time left before the first step", () => {
    const progress = createProgress()
    progress.read(start(100))
    expect(progress.secondsLeft()).toBeUndefined()
  })

  it("steady steps give the time left exactly, what comes after the run included", () => {
    const progress = createProgress((bytes) => bytes / 88)
    progress.read(start(100))
    for (let number = 1; number <= 9; number++) progress.read(step(number, number * 0.5))
    expect(progress.secondsLeft()).toBeCloseTo(91 * 0.5 + 10, 9)
  })

  it("evaluations to come count, the last one with all held-out text", () => {
    const progress = createProgress()
    progress.read(start(30, 1000))
    for (let number = 1; number <= 10; number++) progress.read(step(number, number * 0.5))
    progress.read({
      type: "evaluation-end",
      step: 10,
      nats: 2,
      bitsPerByte: 1,
      tokens: 100,
      whole: false,
      seconds: 2,
      best: true,
    })
    expect(progress.secondsLeft()).toBeCloseTo(20 * 0.5 + 1 * 2 + 20, 9) // step 20 reads 100 tokens, step 30 all 1000
  })

  it("an evaluation between two steps is not taken for a slow step", () => {
    const progress = createProgress()
    progress.read(start(100))
    progress.read(step(1, 0.5))
    progress.read(step(2, 1))
    progress.read({ type: "evaluation-start", step: 2, tokens: 100 })
    progress.read(step(3, 60))
    expect(progress.secondsLeft()).toBeCloseTo(97 * 0.5, 6)
  })

  it("loss is the mean of the last ten steps, bits per byte over the training text's bytes", () => {
    const progress = createProgress()
    progress.read(start(100))
    for (let number = 1; number <= 30; number++) progress.read(step(number, number, number <= 20 ? 9 : Math.LN2))
    expect(progress.loss).toBeCloseTo(Math.LN2, 12)
    expect(progress.bitsPerByte).toBeCloseTo(0.5, 12)
    expect(progress.flopsPerSecond).toBe(2000)
  })

  it("the curve of a long run stays short and keeps its ends", () => {
    const progress = createProgress()
    progress.read(start(100_000))
    for (let number = 1; number <= 20_000; number++) progress.read(step(number, number, 20_000 - number))
    expect(progress.curve.length).toBeLessThanOrEqual(2048)
    expect(progress.curve[0]).toBeGreaterThan(19_900)
    expect(progress.curve.at(-1)).toBeLessThan(100)
  })
})
