import { describe, it } from "vitest"
import { cacheWrite, input } from "../../../tensor/index.ts"
import { check, noise } from "./attention-harness.ts"
import { emitCacheWrite } from "./cache-write.ts"

const shapes = [
  { B: 1, S: 1, T: 1, K: 1, D: 1 },
  { B: 3, S: 7, T: 2, K: 3, D: 5 },
  { B: 2, S: 16, T: 5, K: 2, D: 32 },
]

describe.each([false, true])("cacheWrite, in place %s", (inPlace) => {
  it.each(shapes)("equals the reference, rows past the cache dropped: %o", (shape) => {
    const { B, S, T, K, D } = shape
    const position = Int32Array.from({ length: B }, (_, b) => [0, S - 1, S + 3][b])
    const node = cacheWrite(input("cache", [B, S, K, D]), input("x", [B, T, K, D]), input("position", [B], "i32"))
    check(
      {
        emit: (module) => emitCacheWrite(module, shape, { inPlace }),
        inputs: [noise(B * S * K * D, 1), noise(B * T * K * D, 2), position],
        outputs: [B * S * K * D],
        inPlace,
      },
      node,
      0,
    )
  })
})
