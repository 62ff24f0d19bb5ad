import { describe, expect, it } from "vitest"
import { gather, input } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { check, noise, runKernel } from "./attention-harness.ts"
import { emitGather } from "./gather.ts"

const shapes = [
  { V: 5, C: 1, N: 3 },
  { V: 7, C: 13, N: 11 },
  { V: 65, C: 128, N: 64 },
  { V: 3, C: 34, N: 1 },
  { V: 4, C: 11, N: 2 },
]

describe("gather", () => {
  it.each(shapes)("equals the reference, ids outside the table included: %o", ({ V, C, N }) => {
    const ids = Int32Array.from(noise(N, 3, V), (x) => Math.floor(1.3 * Math.abs(x)))
    ids[0] = -1
    const test = {
      emit: (module: ModuleBuilder) => emitGather(module, { V, C, N }),
      inputs: [noise(V * C, 1), ids],
      outputs: [N * C],
    }
    check(test, gather(input("table", [V, C]), input("ids", [N], "i32")), 0)
    expect(
      runKernel(test, 1)[0]
        .subarray(0, C)
        .every((x) => x === 0),
    ).toBe(true)
  })
})
