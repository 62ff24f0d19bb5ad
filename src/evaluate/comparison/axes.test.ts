import { describe, expect, it } from "vitest"
import { winnerOf } from "./axes.ts"

describe("the winner of an axis", () => {
  const less = { better: "less", tolerance: 0 } as const
  it.each<[string, Parameters<typeof winnerOf>, number | undefined]>([
    ["is the smallest where less is better", [less, [3, 1, 2]], 1],
    ["is the largest where more is better", [{ better: "more", tolerance: 0 }, [3, 1, 2]], 0],
    ["is nobody among equals", [less, [1, 1, 2]], undefined],
    ["is nobody alone", [less, [undefined, 1]], undefined],
    ["is nobody within the tolerance", [{ better: "less", tolerance: 0.05 }, [100, 96]], undefined],
    ["is somebody beyond it", [{ better: "less", tolerance: 0.05 }, [100, 94]], 1],
    ["passes over what is not known", [less, [undefined, 5, 4]], 2],
  ])("%s", (_, args, expected) => {
    expect(winnerOf(...args)).toBe(expected)
  })
})
