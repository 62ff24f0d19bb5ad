// Products with packed weights: the laws about bits and bounds. That the numbers are right, every device shows in
// operations.test.ts.
import { describe, expect, it } from "vitest"
import { decodeF16, encodeF16 } from "../../../core/index.ts"
import { input, packedGather, packedLinear, packPanels, panelShape } from "../../../tensor/index.ts"
import type { ModuleBuilder } from "../assembler.ts"
import { builds, check, LANES, noise, runKernel, type Values } from "./attention-harness.ts"
import { SMALLEST_TILE, type TileShape } from "./matmul-shape.ts"
import { emitPackedGather } from "./packed-gather.ts"
import { emitPackedLinear, packedLinearScratchBytes } from "./packed-linear.ts"

type DType = "f32" | "f16"
const [N, K] = [45, 517]
const PANELS = packPanels(noise(N * K, 2), [N, K])
/** Halves by two in the words of the kernel's memory. */
const stored = (values: Float32Array, dtype: DType): Values =>
  dtype === "f32" ? values : new Int32Array(encodeF16(values).buffer)

function product(m: number, x: Float32Array, dtype: DType, fma: boolean, tile = SMALLEST_TILE) {
  const shape = { m, n: N, k: K, dtype, fma, tile }
  return {
    emit: (module: ModuleBuilder) => emitPackedLinear(module, shape),
    inputs: [x, stored(PANELS, dtype)],
    outputs: [m * N],
    scratchBytes: packedLinearScratchBytes(shape),
  }
}

describe.each(builds.flatMap((fma) => (["f32", "f16"] as const).map((dtype) => ({ fma, dtype }))))(
  "packedLinear with fma $fma, $dtype",
  ({ fma, dtype }) => {
    it("gives a row the same bits alone, in a batch and in a prompt", () => {
      const x = noise(300 * K, 1)
      const [all] = runKernel(product(300, x, dtype, fma), 1)
      for (const m of [1, 2, 3, 7])
        for (const first of [0, 256, 300 - m]) {
          const [some] = runKernel(product(m, x.slice(first * K, (first + m) * K), dtype, fma), 1)
          expect(some, `${m} rows from ${first}`).toEqual(all!.slice(first * N, (first + m) * N))
        }
    })

    it.each<TileShape>([
      { rows: 6, columns: 8 },
      { rows: 6, columns: 16 },
    ])("gives the same bits on a register tile of $rows x $columns, whatever rows are left over", (tile) => {
      const x = noise(529 * K, 1)
      for (const m of [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 257, 529]) {
        const [want] = runKernel(product(m, x.slice(0, m * K), dtype, fma), 1)
        for (const lanes of [1, 2])
          expect(runKernel(product(m, x.slice(0, m * K), dtype, fma, tile), lanes)[0], `${m} rows`).toEqual(want)
      }
    })

    it("gives the same bits on any number of lanes, within its bounds", () => {
      for (const m of [1, 2, 5, 257]) {
        const test = product(m, noise(m * K, 1), dtype, fma)
        const [one] = runKernel(test, 1)
        for (const lanes of [...LANES, 7]) expect(runKernel(test, lanes)[0], `${m} rows`).toEqual(one)
      }
    })
  },
)

it("half floats give the bits of their values in f32, from the smallest to the largest", () => {
  const values = decodeF16(encodeF16(PANELS.map((x, i) => (i % 5 === 0 ? 1e-6 * x : i % 7 === 0 ? 65504 * x : x))))
  for (const fma of builds)
    for (const m of [1, 3]) {
      const x = noise(m * K, 3, 1000)
      const [halves, floats] = (["f16", "f32"] as const).map((dtype) => {
        const test = product(m, x, dtype, fma)
        return runKernel({ ...test, inputs: [x, stored(values, dtype)] }, 1)[0]
      })
      expect(halves).toEqual(floats)
    }
})

it.each([
  { V: 5, C: 1, N: 3 },
  { V: 37, C: 13, N: 11 },
  { V: 16, C: 34, N: 1 },
])("packedGather equals the reference, ids outside the table included: %o", ({ V, C, N }) => {
  const ids = Int32Array.from(noise(N, 3, V), (x) => Math.floor(1.3 * Math.abs(x)))
  ids[0] = -1
  const panels = decodeF16(encodeF16(packPanels(noise(V * C, 1), [V, C])))
  const output = packedGather(input("panels", panelShape([V, C])), input("ids", [N], "i32"), V)
  const [floats, halves] = (["f32", "f16"] as const).map((dtype) => ({
    emit: (module: ModuleBuilder) => emitPackedGather(module, { V, C, N, dtype }),
    inputs: [stored(panels, dtype), ids],
    outputs: [N * C],
  }))
  check(floats!, output, 0)
  for (const lanes of LANES) expect(runKernel(halves!, lanes)).toEqual(runKernel(floats!, 1))
})

it("an element is the sum in the order of k, each step rounded, in the strict build", () => {
  const x = noise(3 * K, 1)
  check(product(3, x, "f32", false), packedLinear(input("x", [3, K]), input("panels", panelShape([N, K])), N))
  const [got] = runKernel(product(3, x, "f32", false), 1)
  const want = Float32Array.from({ length: 3 * N }, (_, at) => {
    const [row, n] = [Math.floor(at / N), at % N]
    let sum = 0
    for (let k = 0; k < K; k++) {
      const weight = PANELS[(Math.floor(n / 16) * K + k) * 16 + (n % 16)]!
      sum = Math.fround(sum + Math.fround(x[row * K + k]! * weight))
    }
    return sum
  })
  expect(got).toEqual(want)
})
