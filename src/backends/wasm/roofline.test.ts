import { describe, expect, it } from "vitest"
import { canPairVectors } from "./compile-module.ts"
import { measureRoofline, openRooflineMeter } from "./roofline.ts"

const isRate = (rate: number) => Number.isFinite(rate) && rate > 0

describe("the roofline", () => {
  it("has a rate for one lane and for all, of multiply-adds and of bytes", async () => {
    const { lanes, flopsPerSecond, bytesPerSecond } = await measureRoofline({ lanes: 2 })
    expect(lanes).toBe(2)
    for (const { one, all } of [flopsPerSecond, bytesPerSecond]) expect([one, all].every(isRate)).toBe(true)
  })

  it.each([true, false])(
    "is of paired vectors only where the engine pairs and may be told to (allowed: %s)",
    async (allowV8Flags) => {
      const meter = await openRooflineMeter({ lanes: 1, allowV8Flags })
      try {
        expect(meter.pairs).toBe(allowV8Flags && canPairVectors())
        expect(isRate(await meter.flopsPerSecond("all", 1, meter.pairs))).toBe(true)
      } finally {
        await meter.close()
      }
    },
  )

  it("of a strict device is not that of the fused multiply-add", async () => {
    const meter = await openRooflineMeter({ lanes: 1, strict: true, allowV8Flags: true })
    try {
      expect(meter.fma).toBe(false)
      expect(isRate(await meter.flopsPerSecond("one", 1))).toBe(true)
    } finally {
      await meter.close()
    }
  })
})
