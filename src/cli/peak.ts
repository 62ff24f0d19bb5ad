// What this machine's products reach: a large one, repeated. A training step is compared with it while it runs, rather than with
// the roofline of 128-bit vectors, which a BLAS and paired vectors pass.

import { platform } from "#platform"
import type { Device } from "../backends/index.ts"
import { matmul, program, state } from "../tensor/index.ts"

/** Large enough that edges and barriers do not count, small enough for the second-level cache by tiles. */
const SIZE = 768
const LEAST_RUNS = 3

/** FLOPs a second in `[768, 768] · [768, 768]`, the best of the runs made within `seconds`. */
export async function measurePeak(device: Device, seconds = 0.1): Promise<number> {
  const workspace = device.createWorkspace()
  try {
    const [a, b, c] = ["a", "b", "c"].map((name) => state(`peak.${name}`, [SIZE, SIZE]))
    // memory that was never written is one page of zeros seen many times, and slower to read than real memory
    for (const operand of [a!, b!]) workspace.write(operand, new Float32Array(SIZE * SIZE).fill(0.5))
    const { product } = await workspace.compile({
      product: program({ updates: [{ state: c!, value: matmul(a!, b!) }] }),
    })
    await product.run() // the engine compiles
    let best = Infinity
    const end = platform.now() + 1000 * seconds
    for (let runs = 0; runs < LEAST_RUNS || platform.now() < end; runs++) {
      const start = platform.now()
      await product.run()
      best = Math.min(best, platform.now() - start)
    }
    return (1000 * 2 * SIZE ** 3) / best
  } finally {
    workspace.close()
  }
}
