import fc from "fast-check"
import { expect, it } from "vitest"
import { sizeOf } from "../core/index.ts"
import {
  add,
  gradients,
  input,
  packedGather,
  packedLinear,
  packPanels,
  panelShape,
  state,
  sum,
  unpackPanels,
} from "./index.ts"

const sizes = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9 }))

it("packing keeps every number, and fills up with zeros", () => {
  fc.assert(
    fc.property(sizes, ([N, K]) => {
      const weight = Float32Array.from({ length: N * K }, (_, i) => i + 1)
      const panels = packPanels(weight, [N, K])
      expect(panels.length).toBe(sizeOf(panelShape([N, K])))
      expect(unpackPanels(panels, [N, K])).toEqual(weight)
      expect(panels.filter((x) => x !== 0).length).toBe(N * K)
    }),
  )
})

it("the 16 outputs of one input lie side by side", () => {
  const weight = Float32Array.from({ length: 18 * 2 }, (_, i) => i) // weight[n][k] = 2n + k
  const panels = packPanels(weight, [18, 2])
  expect([...panels.slice(16, 32)]).toEqual(Array.from({ length: 16 }, (_, n) => 2 * n + 1))
  expect([...panels.slice(32, 35)]).toEqual([32, 34, 0])
})

it("shapes that do not belong together are refused where they meet", () => {
  const panels = state("w", panelShape([20, 3]), "f16")
  expect(() => packedLinear(input("x", [2, 4]), panels, 20)).toThrow("inner sizes must agree, got [2, 4] · [20, 3]ᵀ")
  expect(() => packedLinear(input("x", [2, 3]), panels, 40)).toThrow("panels of 40 rows must be [3, 3, 16]")
  expect(() => packedGather(panels, input("ids", [2]), 20)).toThrow("ids must be i32")
  expect(() => packedLinear(input("x", [2, 3]), state("w", [2, 3, 16], "i32"), 20)).toThrow(
    "must be f32 or f16, got i32",
  )
})

it("half floats are read by packed operations alone, and packed weights are not trained", () => {
  expect(() => add(state("w", [3], "f16"), 1)).toThrow("add: inputs must be f32 or i32, got f16")
  const [x, panels] = [input("x", [2, 3]), state("w", panelShape([20, 3]))]
  expect(() => gradients(sum(packedLinear(x, panels, 20)), [x])).toThrow("packed weights have no gradient")
})
