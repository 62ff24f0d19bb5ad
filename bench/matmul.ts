// Speed of single matrix products on one lane, packing included, beside the most this core gives in 128-bit vectors.
// Run: npm run bench -- matmul [m,n,k[,ab] ...] [--strict] [--blas off] [--json]; `a` and `b` say which operand is stored
// transposed. Where a BLAS is found, its speed stands beside.
import { setFlagsFromString } from "node:v8"
import { platform } from "#platform"
import { openRooflineMeter } from "../src/backends/index.ts"
import { createModule } from "../src/backends/wasm/assembler.ts"
import { emitMatmul, type MatmulShape, matmulScratchBytes } from "../src/backends/wasm/kernels/matmul.ts"
import type { Product } from "../src/backends/wasm/kernels/matmul-shape.ts"
import { instantiate } from "../src/backends/wasm/lanes.ts"
import { type WasmMemory, webAssembly } from "../src/backends/wasm/webassembly.ts"
import type { Blas } from "../src/platform/platform.ts"

const SECONDS = 0.25
/** Of some 3 ms. */
const PEAK_ROUNDS = 60

/** Compiles with the optimizing compiler at once, as a device does. */
function compile(bytes: Uint8Array, memory: WasmMemory, blas?: Blas) {
  setFlagsFromString("--no-liftoff")
  setFlagsFromString("--no-wasm-lazy-compilation")
  const module = new webAssembly.Module(bytes)
  setFlagsFromString("--liftoff")
  setFlagsFromString("--wasm-lazy-compilation")
  return instantiate(module, memory, blas)
}

/** Best of many calls: the machine is shared. */
function bestSeconds(call: () => unknown): number {
  let best = Infinity
  for (const end = performance.now() + 1000 * SECONDS; performance.now() < end; ) {
    const start = performance.now()
    call()
    best = Math.min(best, performance.now() - start)
  }
  return best / 1000
}

function gflops(shape: MatmulShape, blas?: Blas): number {
  const { m, n, k, batch = 1 } = shape
  const sizes = [m * k, k * n, m * n].map((size) => 4 * batch * size)
  const pages = Math.ceil((sizes.reduce((sum, size) => sum + size, 1024) + matmulScratchBytes(shape)) / 65536) + 1
  const module = createModule({ memory: { min: pages, max: pages, shared: true } })
  const matmul = emitMatmul(module, shape)
  module.function("run", [], [], true, (f) => {
    let address = 0
    for (const size of sizes) f.i32.const(address), (address += Math.ceil(size / 64) * 64)
    f.i32.const(address), f.i32.const(0), f.i32.const(1), f.call(matmul)
  })
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  new Float32Array(memory.buffer).fill(0.5)
  return (2 * batch * m * n * k) / bestSeconds(compile(module.bytes(), memory, blas).exports.run!) / 1e9
}

const DEFAULT_SHAPES = [
  "768,512,128,b",
  "768,128,512,b",
  "768,512,128",
  "768,128,512",
  "512,128,768,a",
  "128,512,768,a",
  "512,512,512",
  "512,512,512,b",
  "512,512,512,a",
  "1024,1024,1024",
  "768,65,128,b",
  "64,64,64",
  "64,64,32,b",
  "127,129,131",
  "1,512,512,b",
  "3,512,512,b",
  "1,512,512",
  "1,4096,1024,b",
]
export interface BenchMatmulOptions {
  /** `"m,n,k"`, followed by `,a`, `,b` or `,ab` for transposed operands. */
  readonly shapes?: readonly string[]
  /** Without fused multiply-add. */
  readonly strict?: boolean
  readonly blas?: "auto" | "off"
}

function parseShape(text: string): Product {
  const [m, n, k, letters = ""] = text.split(",")
  const sizes = { m: Number(m), n: Number(n), k: Number(k) }
  if (!Object.values(sizes).every((size) => Number.isInteger(size) && size > 0) || !/^[ab]*$/.test(letters))
    throw new Error(`a shape is m,n,k or m,n,k,ab, got ${text}`)
  return { ...sizes, transposeA: letters.includes("a"), transposeB: letters.includes("b") }
}

/** GFLOP/s of each shape on one lane. */
export async function benchMatmul({ shapes = [], strict = false, blas: wanted = "auto" }: BenchMatmulOptions) {
  const { fma, flopsPerSecond, close } = await openRooflineMeter({ lanes: 1, strict, allowV8Flags: true })
  const peak = await flopsPerSecond("one", PEAK_ROUNDS)
  await close()
  const blas = wanted === "auto" ? platform.findBlas().blas : undefined
  const speedsOf = (library?: Blas) =>
    Object.fromEntries(
      (shapes.length > 0 ? shapes : DEFAULT_SHAPES).map(
        (text) => [text, gflops({ ...parseShape(text), fma, blas: library !== undefined }, library)] as const,
      ),
    )
  return {
    work: "matmul",
    device: fma ? "wasm" : "wasm strict",
    threads: 1,
    engine: platform.engine,
    peakGflopsPerSecond: peak / 1e9,
    gflopsPerSecond: speedsOf(),
    ...(blas ? { blas: blas.name, blasGflopsPerSecond: speedsOf(blas) } : {}),
  }
}
