import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { constantSchedule, cosineSchedule, linearSchedule, type Schedule, wsdSchedule } from "./index.ts"

const options = { warmupSteps: 4, steps: 20, finalFactor: 0.1 }
const schedules: readonly (readonly [string, (of: typeof options) => Schedule])[] = [
  ["constant", constantSchedule],
  ["linear", linearSchedule],
  ["cosine", cosineSchedule],
  ["wsd", wsdSchedule],
]

describe("schedules", () => {
  it.each(schedules)("%s stays within [0, 1] at every step of any run", (_, make) => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.nat(200),
        fc.nat(300),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (warmupSteps, steps, step, finalFactor) => {
          const factor = make({ warmupSteps, steps, finalFactor })(step)
          return factor >= 0 && factor <= 1
        },
      ),
    )
  })

  it.each(schedules.slice(1))("%s warms up, reaches 1, and ends at the final factor", (_, make) => {
    const schedule = make(options)
    expect([0, 1, 2, 3].map(schedule)).toEqual([0.2, 0.4, 0.6, 0.8].map((x) => expect.closeTo(x, 10)))
    expect(schedule(4)).toBeCloseTo(1, 10)
    expect(schedule(20)).toBeCloseTo(0.1, 10)
    expect(schedule(99)).toBeCloseTo(0.1, 10)
  })

  it("linear and cosine pass half of the way down in the middle", () => {
    expect(linearSchedule(options)(12)).toBeCloseTo(0.55, 10)
    expect(cosineSchedule(options)(12)).toBeCloseTo(0.55, 10)
    expect(cosineSchedule(options)(8)).toBeGreaterThan(linearSchedule(options)(8))
  })

  it("wsd is flat until the decay begins", () => {
    const schedule = wsdSchedule({ ...options, decayFraction: 0.5 })
    expect([4, 7, 10].map(schedule)).toEqual([1, 1, 1])
    expect(schedule(15)).toBeCloseTo(0.55, 10)
  })
})
