// Laws of the Pareto front: nothing on it is beaten, everything off it is.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Axis, paretoFront } from "./pareto.ts"

interface Run {
  readonly loss: number | undefined
  readonly size: number | undefined
  readonly speed: number | undefined
}

const axes: readonly Axis<Run>[] = [
  { of: ({ loss }) => loss, better: "less" },
  { of: ({ size }) => size, better: "less" },
  { of: ({ speed }) => speed, better: "more" },
]

const value = fc.option(fc.nat({ max: 4 }), { nil: undefined, freq: 4 })
const runs = fc.array(fc.record({ loss: value, size: value, speed: value }), { maxLength: 25 })

/** By the definition, with what is unknown replaced by something worse than all numbers. */
function isBeaten(run: Run, by: Run): boolean {
  const points = ({ loss, size, speed }: Run) => [-(loss ?? 99), -(size ?? 99), speed ?? -99]
  const [mine, other] = [points(run), points(by)]
  return other.every((value, i) => value >= mine[i]!) && other.some((value, i) => value > mine[i]!)
}

describe("paretoFront", () => {
  it("equals brute force, in the order of the items", () => {
    fc.assert(
      fc.property(runs, (runs) => {
        const measured = runs.filter(({ loss, size, speed }) => (loss ?? size ?? speed) !== undefined)
        expect(paretoFront(runs, axes)).toEqual(
          measured.filter((run) => !measured.some((other) => isBeaten(run, other))),
        )
      }),
    )
  })

  it("equal items stay together; one that is worse on all axes goes", () => {
    const good = { loss: 1, size: 1, speed: 9 }
    expect(paretoFront([good, { loss: 2, size: 1, speed: 9 }, { ...good }], axes)).toEqual([good, good])
  })

  it("what was not measured cannot bring an item onto the front, what was can", () => {
    const known = { loss: 2, size: 5, speed: 5 }
    const lessLoss = { loss: 1, size: undefined, speed: undefined }
    const moreLoss = { loss: 3, size: Number.NaN, speed: undefined }
    const nothing = { loss: undefined, size: undefined, speed: undefined }
    expect(paretoFront([known, lessLoss, moreLoss, nothing], axes)).toEqual([known, lessLoss])
    expect(paretoFront([nothing], axes)).toEqual([])
    expect(paretoFront([], axes)).toEqual([])
  })
})
