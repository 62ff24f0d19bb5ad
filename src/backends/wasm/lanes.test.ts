// Lanes share memory and meet at the barrier, whatever their number; a trap ends the step and hangs nobody.
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { describe, expect, it } from "vitest"
import { DeviceError } from "../../core/index.ts"
import { createModule, type FunctionBuilder, type Local } from "./assembler.ts"
import { CONTROL_BYTES, emitBarrier, type LanePool, openLanes, openLocalLane } from "./lanes.ts"
import { webAssembly } from "./webassembly.ts"

const ROUNDS = 10_000
const PAGES = { min: 1, max: 2 }
const TRACE = 1024

/** Steps: `slice` adds lane + 1 to the lane's word; `meet` counts rounds in which a lane saw another one lag; `trap`. */
function testModule(shared = true) {
  const module = createModule({ memory: { ...PAGES, shared } })
  const barrier = emitBarrier(module)
  const own = (f: FunctionBuilder, lane: Local) => f.address(TRACE, () => f.scaled(lane, 4))
  module.function("slice", ["i32", "i32"], [], true, (f, lane) => {
    own(f, lane)
    own(f, lane), f.i32.load(), f.address(lane, 1), f.i32.add(), f.i32.store()
  })
  module.function("meet", ["i32", "i32"], [], true, (f, lane, lanes) => {
    const [round, other] = f.locals("i32", 2)
    f.forRange(round, 0, ROUNDS, 1, () => {
      own(f, lane), f.local.get(round), f.i32.store()
      f.local.get(lanes), f.call(barrier)
      f.forRange(other, 0, lanes, 1, () => {
        own(f, other), f.i32.load(), f.local.get(round), f.i32.ne()
        f.if(f.unreachable)
      })
      f.local.get(lanes), f.call(barrier)
    })
  })
  module.function("trap", ["i32", "i32"], [], true, (f, lane, lanes) => {
    f.local.get(lane), f.address(lanes, -1), f.i32.eq()
    f.if(f.unreachable)
    f.local.get(lanes), f.call(barrier) // the others wait for one that never comes
  })
  return new webAssembly.Module(module.bytes())
}

function openMemory(shared = true) {
  const memory = new webAssembly.Memory({ initial: PAGES.min, maximum: PAGES.max, shared })
  return { memory, words: new Int32Array(memory.buffer) }
}

async function withLanes(count: number, use: (pool: LanePool) => Promise<void>): Promise<void> {
  const pool = openLanes(count)
  try {
    await use(pool)
  } finally {
    await pool.close()
  }
}

describe.each([1, 2, 3])("%d lanes", (count) => {
  it("each run the step on their own slice, once per run", () =>
    withLanes(count, async (pool) => {
      const { memory, words } = openMemory()
      const module = await pool.load(memory, testModule())
      for (let i = 0; i < 50; i++) await pool.run(module, i % 2 ? "slice" : 0)
      expect([...words.slice(TRACE / 4, TRACE / 4 + count + 1)]).toEqual([
        ...Array.from({ length: count }, (_, lane) => 50 * (lane + 1)),
        0,
      ])
    }))

  it(`never pass a barrier before the last has come, ${2 * ROUNDS} times`, () =>
    withLanes(count, async (pool) => {
      const { memory, words } = openMemory()
      const module = await pool.load(memory, testModule())
      await pool.run(module, "meet")
      expect(words[64 / 4]).toBe(count === 1 ? 0 : 2 * ROUNDS)
    }))

  it("serve several memories, and forget what is unloaded", () =>
    withLanes(count, async (pool) => {
      const [first, second] = [openMemory(), openMemory()]
      const one = await pool.load(first.memory, testModule())
      const two = await pool.load(second.memory, testModule())
      await Promise.all([pool.run(one, "slice"), pool.run(two, "slice"), pool.run(two, "slice")])
      expect([first.words[TRACE / 4], second.words[TRACE / 4]]).toEqual([1, 2])
      one.unload()
      await expect(pool.run(one, "slice")).rejects.toThrow(DeviceError)
      await pool.run(two, "slice")
    }))

  it("end with a DeviceError when one of them traps, and stay ended", () =>
    withLanes(count, async (pool) => {
      const module = await pool.load(openMemory().memory, testModule())
      await expect(pool.run(module, "trap")).rejects.toThrow(/lane \d of \d stopped: RuntimeError: unreachable/)
      await expect(pool.run(module, "slice")).rejects.toThrow(DeviceError)
    }))
})

it("an unknown step and a closed pool are DeviceErrors", async () => {
  const pool = openLanes(1)
  const module = await pool.load(openMemory().memory, testModule())
  await expect(pool.run(module, "nothing")).rejects.toThrow("expected a step among slice, meet, trap, got nothing")
  await pool.close()
  await expect(pool.run(module, "slice")).rejects.toThrow("closed")
})

it("lanes wake their caller by a message where Atomics.waitAsync is missing", async () => {
  const atomics = Atomics as { waitAsync?: unknown }
  const { waitAsync } = atomics
  delete atomics.waitAsync
  try {
    await withLanes(2, async (pool) => {
      const { memory, words } = openMemory()
      const module = await pool.load(memory, testModule())
      for (let i = 0; i < 20; i++) await pool.run(module, "slice")
      expect(words[TRACE / 4 + 1]).toBe(40)
    })
  } finally {
    atomics.waitAsync = waitAsync
  }
})

it("the event loop turns while lanes work", () =>
  withLanes(2, async (pool) => {
    const module = await pool.load(openMemory().memory, testModule())
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    for (let i = 0; i < 20; i++) await pool.run(module, "meet")
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
  }))

it("a local lane runs at once on the calling thread, in unshared memory too", async () => {
  const lane = openLocalLane()
  const { memory, words } = openMemory(false)
  const module = await lane.load(memory, testModule(false))
  lane.runSync(module, "slice")
  expect(words[TRACE / 4]).toBe(1)
  await lane.run(module, "meet")
  expect(words[TRACE / 4]).toBe(ROUNDS - 1)
  expect(() => lane.runSync(module, "trap")).toThrow(DeviceError)
})

it("the barrier keeps to its control block", async () => {
  const { memory, words } = openMemory()
  await withLanes(3, async (pool) => pool.run(await pool.load(memory, testModule()), "meet"))
  expect(words.slice(CONTROL_BYTES / 4, TRACE / 4).every((word) => word === 0)).toBe(true)
})

it("a script that never closes its lanes ends by itself, after its last step", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kinglet-lanes-"))
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  const contents = `
    import { createModule } from "./assembler.ts"
    import { openLanes } from "./lanes.ts"
    const module = createModule({ memory: { min: 1, max: 1, shared: true } })
    module.function("nap", ["i32", "i32"], [], true, (f) => {
      f.i32.const(0), f.i32.const(0), f.i64.const(200_000_000), f.memory.atomicWait32(), f.drop()
    })
    const pool = openLanes(2)
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const loaded = await pool.load(memory, new WebAssembly.Module(module.bytes()))
    await pool.run(loaded, "nap")
    console.log("finished")`
  const outfile = join(folder, "script.mjs")
  await build({
    stdin: { contents, resolveDir: here("."), loader: "ts" },
    alias: { "#platform": here("../../platform/node.ts") },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  })
  const { stdout } = await promisify(execFile)(process.execPath, [outfile], { timeout: 20_000 })
  expect(stdout).toBe("finished\n")
  await rm(folder, { recursive: true })
})
