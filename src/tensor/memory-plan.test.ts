// The memory plan's two promises: what is alive together never overlaps, and sharing never costs more than not sharing.
import fc from "fast-check"
import { expect, it } from "vitest"
import { alignUp, BUFFER_ALIGNMENT, type Lifetime, planArena } from "./index.ts"

const lifetime: fc.Arbitrary<Lifetime> = fc
  .tuple(fc.nat(1000), fc.nat(30), fc.nat(12))
  .map(([bytes, first, length]) => ({ bytes, first, last: first + length }))
const lifetimes = fc.array(lifetime, { maxLength: 60 })

it("buffers alive at the same step never overlap, and all are aligned", () => {
  fc.assert(
    fc.property(lifetimes, (lives) => {
      const { offsets, bytes } = planArena(lives)
      const placed = lives.map((life, i) => ({ ...life, start: offsets[i]!, end: offsets[i]! + life.bytes }))
      for (const [i, a] of placed.entries()) {
        expect(a.start % BUFFER_ALIGNMENT).toBe(0)
        expect(a.end).toBeLessThanOrEqual(bytes)
        for (const b of placed.slice(0, i))
          if (a.first <= b.last && b.first <= a.last) expect(a.end <= b.start || b.end <= a.start).toBe(true)
      }
    }),
  )
})

it("the arena is no larger than all buffers side by side, and no smaller than the fullest step", () => {
  fc.assert(
    fc.property(lifetimes, (lives) => {
      const total = (of: readonly Lifetime[]) => of.reduce((sum, { bytes }) => sum + alignUp(bytes), 0)
      const steps = lives.map(({ first }) => total(lives.filter((life) => life.first <= first && first <= life.last)))
      const { bytes } = planArena(lives)
      expect(bytes).toBeLessThanOrEqual(total(lives))
      expect(bytes).toBeGreaterThanOrEqual(Math.max(0, ...steps))
    }),
  )
})

it("buffers that never meet share one place", () => {
  const lives = [0, 1, 2, 3].map((at) => ({ bytes: 100, first: 2 * at, last: 2 * at + 1 }))
  expect(planArena(lives)).toEqual({ offsets: [0, 0, 0, 0], bytes: 128 })
})
