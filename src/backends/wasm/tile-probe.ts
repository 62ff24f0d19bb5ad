// Which register tile is fastest here: a matter of the engine's register allocator and of whether it pairs vectors, not of the
// model. A few milliseconds of small products decide, once a process. Tiles never change the bits of a result.
import { platform } from "#platform"
import { createModule } from "./assembler.ts"
import { compileModule } from "./compile-module.ts"
import { emitMatmul, matmulScratchBytes } from "./kernels/matmul.ts"
import { SMALLEST_TILE, type TileShape } from "./kernels/matmul-shape.ts"
import { PAGE_BYTES } from "./memory.ts"
import { webAssembly } from "./webassembly.ts"

const CANDIDATES: readonly TileShape[] = [SMALLEST_TILE, { rows: 6, columns: 8 }, { rows: 6, columns: 16 }]
/** Fits the first-level cache, and every candidate's rows and columns divide it. */
const SHAPE = { m: 24, n: 32, k: 128 }
const MATRIX_BYTES = PAGE_BYTES
/** Calls of each candidate, in turns; without optimized code from the start V8 needs some hundred to get there. */
const ROUNDS = { optimized: 12, tieringUp: 150 }

const chosen = new Map<string, TileShape>()

/** The fastest tile of those whose product is right. */
export function fastestTile(fma: boolean, allowV8Flags: boolean): TileShape {
  const key = `${fma} ${allowV8Flags}`
  const tile = chosen.get(key) ?? probe(fma, allowV8Flags)
  chosen.set(key, tile)
  return tile
}

function probe(fma: boolean, allowV8Flags: boolean): TileShape {
  const { calls, product } = compileCandidates(fma, allowV8Flags)
  const best = CANDIDATES.map(() => Infinity)
  for (let round = 0; round < (allowV8Flags ? ROUNDS.optimized : ROUNDS.tieringUp); round++)
    for (const [i, call] of calls.entries()) {
      const start = platform.now()
      call()
      best[i] = Math.min(best[i]!, platform.now() - start)
    }
  const answer = expected()
  const isRight = (i: number) => (product().fill(0), calls[i]!(), product().every((value, at) => value === answer[at]))
  const usable = [...CANDIDATES.keys()].filter(isRight).sort((i, j) => best[i]! - best[j]!)
  return CANDIDATES[usable[0] ?? 0]!
}

const left = (i: number): number => ((7 * i) % 11) - 5
const right = (i: number): number => ((5 * i) % 13) - 6

/** The known answer, exact in f32. */
function expected(): Float32Array {
  const { m, n, k } = SHAPE
  const sum = (row: number, column: number) => {
    let total = 0
    for (let l = 0; l < k; l++) total += left(row * k + l) * right(l * n + column)
    return total
  }
  return Float32Array.from({ length: m * n }, (_, i) => sum(Math.floor(i / n), i % n))
}

function compileCandidates(fma: boolean, allowV8Flags: boolean) {
  const shapes = CANDIDATES.map((tile) => ({ ...SHAPE, fma, tile }))
  const pages = 3 + Math.ceil(Math.max(...shapes.map(matmulScratchBytes)) / PAGE_BYTES)
  const module = createModule({ memory: { min: pages, max: pages, shared: false } })
  const kernels = shapes.map((shape) => emitMatmul(module, shape))
  for (const [i, kernel] of kernels.entries())
    module.function(`tile${i}`, [], [], true, (f) => {
      for (const address of [0, MATRIX_BYTES, 2 * MATRIX_BYTES, 3 * MATRIX_BYTES, 0, 1]) f.i32.const(address)
      f.call(kernel)
    })
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages })
  const floats = (at: number) => new Float32Array(memory.buffer as ArrayBuffer, at * MATRIX_BYTES, MATRIX_BYTES / 4)
  floats(0).forEach((_, i, all) => void (all[i] = left(i)))
  floats(1).forEach((_, i, all) => void (all[i] = right(i)))
  const { exports } = new webAssembly.Instance(compileModule(module.bytes(), allowV8Flags), { env: { memory } })
  const calls = shapes.map((_, i) => exports[`tile${i}`]!)
  return { calls, product: () => floats(2).subarray(0, SHAPE.m * SHAPE.n) }
}
