import { describe, it } from "vitest"
import { input, rope } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { builds, check, noise } from "./attention-harness.ts"
import { emitRope } from "./rope.ts"

const shapes = [
  { B: 1, T: 1, H: 1, D: 2, P: 1 },
  { B: 2, T: 3, H: 5, D: 14, P: 4 },
  { B: 3, T: 7, H: 2, D: 32, P: 16 },
  { B: 1, T: 2, H: 3, D: 74, P: 9 },
]

describe.each(builds)("rope with fma %s", (fma) => {
  describe.each([false, true])("inverse %s", (inverse) => {
    it.each(shapes)("equals the reference, positions past the tables included: %o", (shape) => {
      const { B, T, H, D, P } = shape
      const tables = { cos: input("cos", [P, D / 2]), sin: input("sin", [P, D / 2]) }
      const inputs = [
        noise(B * T * H * D, 1),
        noise((P * D) / 2, 2),
        noise((P * D) / 2, 3),
        Int32Array.from([0, P - 1, 1].slice(0, B)),
      ]
      const test = {
        emit: (module: ModuleBuilder) => emitRope(module, shape, { inverse, fma }),
        inputs,
        outputs: [B * T * H * D],
      }
      const node = rope(input("x", [B, T, H, D]), tables, input("position", [B], "i32"), inverse)
      check(test, node)
      check({ ...test, inPlace: true }, node)
    })
  })
})
