import { describe, expect, it } from "vitest"
import { applyOp, input, type Tensor } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { attentionGradScratchBytes, emitAttentionGrad } from "./attention-grad.ts"
import { builds, check, noise, referenceOf, runKernel, type Values } from "./attention-harness.ts"
import type { AttentionShape } from "./attention-tile.ts"

const narrow: Omit<AttentionShape, "scale" | "causal">[] = [
  { B: 1, T: 1, H: 1, D: 1, S: 1, K: 1 },
  { B: 2, T: 5, H: 2, D: 5, S: 7, K: 2 },
  { B: 2, T: 8, H: 6, D: 12, S: 8, K: 2 },
  { B: 1, T: 13, H: 3, D: 20, S: 29, K: 1 },
  { B: 2, T: 50, H: 2, D: 32, S: 50, K: 2 },
  { B: 1, T: 23, H: 6, D: 6, S: 23, K: 2 },
  { B: 1, T: 2, H: 2, D: 37, S: 70, K: 1 },
  { B: 1, T: 67, H: 1, D: 2, S: 67, K: 1 },
  { B: 1, T: 6, H: 1, D: 7, S: 6, K: 1 },
  { B: 1, T: 2, H: 1, D: 11, S: 5, K: 1 },
  { B: 1, T: 3, H: 8, D: 2, S: 4099, K: 1 },
]
const shapes = narrow.flatMap((shape) => [shape, { ...shape, tileColumns: 16 as const }])

function inputsOf(shape: AttentionShape): Tensor[] {
  const { B, T, H, D, S, K } = shape
  const [query, key] = [
    [B, T, H, D],
    [B, S, K, D],
  ] as const
  return [
    input("q", query),
    input("k", key),
    input("v", key),
    input("position", [B], "i32"),
    input("o", query),
    input("logSumExp", [B, H, T]),
    input("dO", query),
  ]
}

function valuesOf(shape: AttentionShape, size: number, position: readonly number[]): Values[] {
  const { B, T, H, D, S, K, causal, scale } = shape
  const queries = B * T * H * D
  const forward = [
    noise(queries, 1, size),
    noise(B * S * K * D, 2, size),
    noise(B * S * K * D, 3),
    Int32Array.from(position),
  ]
  const [node] = applyOp("attention", inputsOf(shape).slice(0, 4), { causal, scale })
  const [o, logSumExp] = referenceOf(node, forward)
  return [...forward, Float32Array.from(o), Float32Array.from(logSumExp), noise(queries, 4)]
}

function caseOf(shape: AttentionShape, fma: boolean, size: number, position: readonly number[]) {
  const { B, T, H, D, S, K } = shape
  const emit = (module: ModuleBuilder) => emitAttentionGrad(module, shape, { fma })
  const outputs = [B * T * H * D, B * S * K * D, B * S * K * D]
  return { emit, inputs: valuesOf(shape, size, position), outputs, scratchBytes: attentionGradScratchBytes(shape) }
}

const nodeOf = (shape: AttentionShape) =>
  applyOp("attentionGrad", inputsOf(shape), { causal: shape.causal, scale: shape.scale })[0]

describe.each(builds)("attentionGrad with fma %s", (fma) => {
  describe.each([true, false])("causal %s", (causal) => {
    it.each(shapes)("equals the reference for any position: %o", (of) => {
      const shape = { ...of, causal, scale: 1 / Math.sqrt(of.D) }
      const { B, T, S } = shape
      for (const first of [0, Math.max(S - T, 0), S + 2, Math.floor(S / 2)]) {
        const position = Array.from({ length: B }, (_, b) => (b === 0 ? first : (first + 3 * b) % S))
        check(caseOf(shape, fma, 1, position), nodeOf(shape))
      }
    })
  })

  it("stays near the reference for scores of 80", () => {
    const shape = { B: 1, T: 9, H: 2, D: 8, S: 9, K: 1, causal: true, scale: 1 / Math.sqrt(8) }
    // a score's rounding error, some 2^-24 of the sum of its terms' sizes (200), is the relative error of its weight
    check(caseOf(shape, fma, 9, [0]), nodeOf(shape), 1e-4)
  })

  it("keys that no query sees get rows of zeros, and so does a query that sees no key", () => {
    const shape = { B: 1, T: 3, H: 1, D: 4, S: 9, K: 1, causal: true, scale: 1 }
    const [dQ, dK, dV] = runKernel(caseOf(shape, fma, 1, [-1]), 1)
    expect([...dQ.subarray(0, 4)]).toEqual([0, 0, 0, 0])
    for (const gradient of [dK, dV]) {
      expect(gradient.subarray(0, 8).every((x) => x !== 0)).toBe(true)
      expect(gradient.subarray(8).every((x) => x === 0)).toBe(true)
    }
  })
})
