// C = op(A) · op(B) against plain f64 loops on awkward shapes, and the laws about bits and bounds.
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { platform } from "#platform"
import { mix32 } from "../../../core/index.ts"
import { createModule } from "../assembler.ts"
import { enableRelaxedSimd } from "../features.ts"
import { instantiate } from "../lanes.ts"
import { webAssembly } from "../webassembly.ts"
import { emitMatmul, type MatmulShape, matmulScratchBytes } from "./matmul.ts"
import { resolveMatmul, type TileShape } from "./matmul-shape.ts"

const builds = enableRelaxedSimd(platform, true) ? [false, true] : [false]
const TILES: readonly TileShape[] = [
  { rows: 4, columns: 8 },
  { rows: 6, columns: 8 },
  { rows: 4, columns: 16 },
  { rows: 6, columns: 16 },
]
type Shape = Omit<MatmulShape, "fma" | "tile">
const { blas, missing } = platform.findBlas()
if (missing !== undefined) console.warn(`skipped: ${missing}, products through a BLAS are not tested`)
const GUARD = 1234.5

/** A deterministic float in (-1, 1) for each index. */
const noise = (i: number) => Math.fround(mix32(i) / 2 ** 31 - 1)
/** Other numbers than A's at any index: equal ones would add up to a sum of squares, whose rounding is larger. */
const noiseOfB = (i: number) => noise(-1 - i)

function layoutOf(shape: MatmulShape) {
  const s = resolveMatmul(shape)
  const sizeOf = (rows: number, columns: number, stride: number, batchStride: number) =>
    rows * columns === 0 ? 0 : (s.batch - 1) * batchStride + (rows - 1) * stride + columns
  const a = s.transposeA
    ? sizeOf(s.k, s.m, s.rowStrideA, s.batchStrideA)
    : sizeOf(s.m, s.k, s.rowStrideA, s.batchStrideA)
  const b = s.transposeB
    ? sizeOf(s.n, s.k, s.rowStrideB, s.batchStrideB)
    : sizeOf(s.k, s.n, s.rowStrideB, s.batchStrideB)
  const c = sizeOf(s.m, s.n, s.rowStrideC, s.batchStrideC)
  return { s, a, b, c }
}

/** Runs the product on `lanes` lanes, one after the other; A and B end where the memory ends. */
function run(shape: MatmulShape, lanes: number, before = GUARD): Float32Array {
  const { a, b, c } = layoutOf(shape)
  const scratchBytes = matmulScratchBytes(shape)
  const pages = Math.ceil((lanes * scratchBytes + 4 * (a + b + c + 32)) / 65536) + 1
  const module = createModule({ memory: { min: pages, max: pages, shared: false } })
  const matmul = emitMatmul(module, shape)
  module.function(
    "run",
    Array.from({ length: 6 }, () => "i32" as const),
    [],
    true,
    (f, ...params) => {
      for (const param of params) f.local.get(param)
      f.call(matmul)
    },
  )
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages })
  const { exports } = instantiate(new webAssembly.Module(module.bytes()), memory, shape.blas ? blas : undefined)
  const floats = new Float32Array(memory.buffer)
  const [atA, atB] = [floats.length - a, floats.length - a - b]
  const atC = atB - c - 16
  for (let i = 0; i < a; i++) floats[atA + i] = noise(i + 1)
  for (let i = 0; i < b; i++) floats[atB + i] = noiseOfB(i)
  floats.fill(GUARD, atC - 16, atC + c + 16).fill(before, atC, atC + c)
  if (shape.accumulate) for (let i = 0; i < c; i++) floats[atC + i] = noise(3 * i + 5)
  for (let lane = 0; lane < lanes; lane++) exports.run!(4 * atA, 4 * atB, 4 * atC, lane * scratchBytes, lane, lanes)
  expect([...floats.slice(atC - 16, atC), ...floats.slice(atC + c, atC + c + 16)]).toEqual(Array(32).fill(GUARD))
  return floats.slice(atC, atC + c)
}

/** The definition; gaps between rows keep the guard (or what was there). */
function reference(shape: MatmulShape): Float64Array {
  const { s, c } = layoutOf(shape)
  const out = Float64Array.from({ length: c }, (_, i) => (s.accumulate ? noise(3 * i + 5) : GUARD))
  for (let batch = 0; batch < s.batch; batch++)
    for (let i = 0; i < s.m; i++)
      for (let j = 0; j < s.n; j++) {
        const at = batch * s.batchStrideC + i * s.rowStrideC + j
        let sum = s.accumulate ? out[at] : 0
        for (let l = 0; l < s.k; l++) {
          const a = batch * s.batchStrideA + (s.transposeA ? l * s.rowStrideA + i : i * s.rowStrideA + l)
          const b = batch * s.batchStrideB + (s.transposeB ? j * s.rowStrideB + l : l * s.rowStrideB + j)
          sum += noise(a + 1) * noiseOfB(b)
        }
        out[at] = sum
      }
  return out
}

function expectClose(shape: MatmulShape, got: Float32Array): void {
  const want = reference(shape)
  const worst = got.reduce((error, value, i) => Math.max(error, Math.abs(value - want[i])), 0)
  expect(worst, JSON.stringify(shape)).toBeLessThan(2e-6 * Math.sqrt(shape.k + 1))
  expect(got.every((value) => !Number.isNaN(value))).toBe(true)
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 33]
const transposes = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB })),
)
const awkward: Shape[] = [
  ...sizes.map((size) => ({ m: size, n: size, k: size })),
  { m: 1, n: 67, k: 131 },
  { m: 2, n: 67, k: 131 },
  { m: 3, n: 19, k: 1030 },
  { m: 5, n: 3, k: 517 },
  { m: 261, n: 9, k: 11 },
  { m: 6, n: 261, k: 263 },
  { m: 4, n: 8, k: 0 },
  { m: 0, n: 3, k: 2 },
  { batch: 3, m: 5, n: 6, k: 7 },
  { batch: 5, m: 1, n: 21, k: 6 },
  { batch: 3, m: 6, n: 5, k: 4, batchStrideB: 0 },
  { batch: 2, m: 5, n: 6, k: 7, rowStrideA: 12, rowStrideB: 13, rowStrideC: 11 },
]

describe.each(builds.flatMap((fma) => [TILES[0], TILES[3]].map((tile) => ({ fma, tile }))))("with %o", (build) => {
  it.each(transposes)("equals the definition on awkward shapes (%o)", (transpose) => {
    for (const shape of awkward)
      for (const accumulate of [false, true]) {
        const whole = { ...shape, ...transpose, accumulate, ...build }
        expectClose(whole, run(whole, 1))
      }
  })

  it.each(transposes)("gives the same bits on 1, 2, 3 and 7 lanes (%o)", (transpose) => {
    for (const shape of awkward) {
      const whole = { ...shape, ...transpose, ...build }
      const one = run(whole, 1)
      for (const lanes of [2, 3, 7]) expect(run(whole, lanes), JSON.stringify(whole)).toEqual(one)
    }
  })

  it("equals the definition on random shapes", () => {
    const size = fc.integer({ min: 1, max: 40 })
    const shapes = fc.record({
      batch: fc.integer({ min: 1, max: 4 }),
      m: size,
      n: size,
      k: fc.oneof(size, fc.integer({ min: 250, max: 530 })),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
      accumulate: fc.boolean(),
    })
    fc.assert(
      fc.property(shapes, (shape) => expectClose({ ...shape, ...build }, run({ ...shape, ...build }, 2))),
      { numRuns: 30 },
    )
  })

  it("sums an element in the same order wherever it stands in C", () => {
    for (const m of [1, 2, 3, 7]) {
      const oneRowOfB = { m, n: 21, k: 303, transposeB: true, rowStrideB: 0, ...build }
      const [first, ...others] = run(oneRowOfB, 1).slice(0, 21)
      expect(others).toEqual(Array(20).fill(first))
      const oneRowOfA = { m, n: 21, k: 303, rowStrideA: 0, ...build }
      const got = run(oneRowOfA, 1)
      for (let row = 1; row < m; row++) expect(got.slice(21 * row, 21 * row + 21)).toEqual(got.slice(0, 21))
    }
  })
})

it.each(builds)("gives the same bits with every tile (fma %s)", (fma) => {
  for (const shape of awkward)
    for (const transpose of transposes) {
      const [first, ...others] = TILES.map((tile) => run({ ...shape, ...transpose, fma, tile }, 2))
      for (const other of others) expect(other, JSON.stringify(shape)).toEqual(first)
    }
})

describe.skipIf(blas === undefined)("through a BLAS", () => {
  it.each(transposes)("equals the definition on awkward shapes, on any number of lanes (%o)", (transpose) => {
    for (const shape of awkward)
      for (const accumulate of [false, true])
        for (const lanes of [1, 2, 3, 7]) {
          const whole = { ...shape, ...transpose, accumulate, fma: false, blas: true }
          expectClose(whole, run(whole, lanes))
        }
  })

  it("overwrites what is no number in C", () => {
    const shape = { m: 5, n: 6, k: 7, fma: false, blas: true }
    expectClose(shape, run(shape, 1, Number.NaN))
  })

  it("gives the same bits again", () => {
    const shape = { m: 67, n: 65, k: 130, transposeB: true, fma: false, blas: true }
    expect(run(shape, 2)).toEqual(run(shape, 2))
  })
})

it("in the strict build the sum runs in the order of k, each step rounded", () => {
  const shape = { m: 5, n: 9, k: 517, fma: false }
  const got = run(shape, 1)
  const want = new Float32Array(45)
  for (let i = 0; i < 5; i++)
    for (let j = 0; j < 9; j++) {
      let sum = 0
      for (let l = 0; l < 517; l++) sum = Math.fround(sum + Math.fround(noise(i * 517 + l + 1) * noiseOfB(l * 9 + j)))
      want[i * 9 + j] = sum
    }
  expect(got).toEqual(want)
})

it("emits one function for equal shapes", () => {
  const module = createModule({ memory: { min: 1, max: 1, shared: false } })
  const shape = { m: 4, n: 4, k: 4, fma: false }
  expect(emitMatmul(module, shape)).toBe(emitMatmul(module, { ...shape, rowStrideA: 4 }))
})
