import { describe, it } from "vitest"
import { input, scatterAdd } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { check, noise } from "./attention-harness.ts"
import { emitScatterAdd } from "./scatter-add.ts"

const shapes = [
  { rows: 5, C: 1, N: 3 },
  { rows: 7, C: 13, N: 29 },
  { rows: 2, C: 66, N: 64 },
  { rows: 1, C: 4, N: 9 },
  { rows: 3, C: 7, N: 5 },
  { rows: 600, C: 3, N: 1 },
]

describe("scatterAdd", () => {
  it.each(shapes)("equals the reference, repeated ids and ids outside included: %o", ({ rows, C, N }) => {
    const ids = Int32Array.from(noise(N, 3, 1.2 * rows), (x) => Math.floor(Math.abs(x)))
    ids[N - 1] = -1
    const emit = (module: ModuleBuilder) => emitScatterAdd(module, { rows, C, N })
    check(
      { emit, inputs: [ids, noise(N * C, 1)], outputs: [rows * C] },
      scatterAdd(input("ids", [N], "i32"), input("x", [N, C]), rows),
    )
  })
})
