// The parity gate: speed costs no correctness. 200 steps of the reference work end at the same loss, whichever way it is computed.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { platform } from "#platform"
import { type DeviceOptions, openDevice } from "../../src/backends/index.ts"
import { files } from "../../src/data/index.ts"
import { nanogptCpuRecipe, train } from "../../src/train/index.ts"
import { root } from "../support/package.ts"

const path = join(process.env["KINGLET_DATA"] ?? join(root, "..", "shared", "data"), "tiny-shakespeare.txt")
const isThere = existsSync(path)
if (!isThere) console.warn(`SKIPPED: the parity gate needs tiny-shakespeare.txt (karpathy/char-rnn) at ${path}`)
const { missing } = platform.findBlas()
if (missing !== undefined) console.warn(`SKIPPED: ${missing}, so the parity gate leaves BLAS out`)

const STEPS = 200
/** Of the largest and the smallest loss. */
const TOLERANCE = 0.005

const ways: { readonly [name: string]: DeviceOptions } = {
  strict: { strict: true, blas: "off" },
  fast: { allowV8Flags: true, blas: "off" },
  ...(missing === undefined ? { blas: { allowV8Flags: true, blas: "always" } } : {}),
}

/** Held-out nats after {@link STEPS} steps of the reference work, over all of the held-out text. */
async function lossOf(options: DeviceOptions): Promise<number> {
  const recipe = { ...nanogptCpuRecipe(), strict: options.strict ?? false, steps: STEPS, evaluation: { everySteps: 0 } }
  await using device = await openDevice({ lanes: 2, ...options })
  const { summary } = await train(recipe, { device, data: files(path) }).result
  return summary.heldOut!.nats
}

describe.skipIf(!isThere)(`after ${STEPS} steps of nanoGPT's CPU example`, () => {
  const losses: { [name: string]: number } = {}
  afterAll(() => console.info(`held-out nats: ${JSON.stringify(losses)}`))

  it.each(Object.entries(ways))("the model has learned (%s)", { timeout: 120_000 }, async (name, options) => {
    losses[name] = await lossOf(options)
    expect(losses[name]).toBeLessThan(2.55) // at the start ln 65 = 4.17
  })

  it("losses differ by less than 0.5 %", () => {
    const all = Object.values(losses)
    expect(all).toHaveLength(Object.keys(ways).length)
    expect(Math.max(...all) / Math.min(...all)).toBeLessThan(1 + TOLERANCE)
  })
})
