import { describe, expect, it } from "vitest"
import { applyOp, input } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { type AttentionShape, attentionScratchBytes, emitAttention } from "./attention.ts"
import { builds, check, noise, runKernel } from "./attention-harness.ts"

const narrow: Omit<AttentionShape, "scale" | "causal">[] = [
  { B: 1, T: 1, H: 1, D: 1, S: 1, K: 1 },
  { B: 2, T: 5, H: 2, D: 5, S: 7, K: 2 },
  { B: 2, T: 8, H: 6, D: 12, S: 8, K: 2 },
  { B: 1, T: 13, H: 3, D: 20, S: 29, K: 1 },
  { B: 2, T: 19, H: 2, D: 32, S: 19, K: 1 },
  { B: 3, T: 1, H: 4, D: 32, S: 33, K: 1 },
  { B: 2, T: 1, H: 2, D: 37, S: 70, K: 1 },
  { B: 2, T: 1, H: 9, D: 64, S: 31, K: 3 },
  { B: 3, T: 2, H: 2, D: 64, S: 3, K: 2 },
  { B: 1, T: 67, H: 1, D: 2, S: 67, K: 1 },
  { B: 1, T: 6, H: 1, D: 7, S: 6, K: 1 },
  { B: 1, T: 2, H: 1, D: 11, S: 5, K: 1 },
]
const shapes = narrow.flatMap((shape) => [shape, { ...shape, tileColumns: 16 as const }])
const nodeOf = ({ B, T, H, D, S, K, causal, scale }: AttentionShape) =>
  applyOp(
    "attention",
    [input("q", [B, T, H, D]), input("k", [B, S, K, D]), input("v", [B, S, K, D]), input("position", [B], "i32")],
    { causal, scale },
  )[0]

function caseOf(shape: AttentionShape, fma: boolean, size: number, position: readonly number[]) {
  const { B, T, H, D, S, K } = shape
  const inputs = [
    noise(B * T * H * D, 1, size),
    noise(B * S * K * D, 2, size),
    noise(B * S * K * D, 3),
    Int32Array.from(position),
  ]
  const emit = (module: ModuleBuilder) => emitAttention(module, shape, { fma })
  return { emit, inputs, outputs: [B * T * H * D, B * H * T], scratchBytes: attentionScratchBytes(shape) }
}

describe.each(builds)("attention with fma %s", (fma) => {
  describe.each([true, false])("causal %s", (causal) => {
    it.each(shapes)("equals the reference for small and large scores and any position: %o", (of) => {
      const shape = { ...of, causal, scale: 1 / Math.sqrt(of.D) }
      const { B, T, S } = shape
      for (const size of [1, 6])
        for (const first of [0, Math.max(S - T, 0), S + 2, Math.floor(S / 2)]) {
          const position = Array.from({ length: B }, (_, b) => (b === 0 ? first : (first + 3 * b) % S))
          check(caseOf(shape, fma, size, position), nodeOf(shape))
        }
    })
  })

  it.each([1, 9])("a query that sees no key gives zeros and -Infinity, T = %i", (T) => {
    const shape = { B: 1, T, H: 1, D: 6, S: 12, K: 1, causal: true, scale: 1 }
    const [o, logSumExp] = runKernel(caseOf(shape, fma, 1, [-1]), 1)
    expect([...o.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 0])
    expect(logSumExp[0]).toBe(-Infinity)
    check(caseOf(shape, fma, 1, [-1]), nodeOf(shape))
  })

  it.each(narrow)("gives the same bits for both widths of the register tile: %o", (of) => {
    const shape = { ...of, causal: true, scale: 0.5 }
    const position = Array.from({ length: of.B }, () => Math.max(of.S - of.T, 0))
    const bits = ([8, 16] as const).map((tileColumns) =>
      runKernel(caseOf({ ...shape, tileColumns }, fma, 1, position), 2),
    )
    expect(bits[0]).toEqual(bits[1])
  })
})
