// A workspace: one memory for programs compiled at any time, runs one after the other, an orderly end; and what opens it.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { devices } from "../../../test/support/devices.ts"
import { ConfigError, DataError, DeviceError } from "../../core/index.ts"
import {
  add,
  crossEntropy,
  gather,
  gradients,
  input,
  matmul,
  multiply,
  program,
  reshape,
  state,
  sum,
  tanh,
} from "../../tensor/index.ts"
import { type Device, openDevice, openWasmDevice } from "../index.ts"

const counter = () => {
  const total = state("total", [3])
  const next = add(total, input("x", [3]))
  return { total, of: program({ outputs: { next }, updates: [{ state: total, value: next }] }) }
}

/** Needs an arena of some `n · n · 8` bytes. */
const square = (n: number) => {
  const x = input("x", [n])
  const outer = tanh(multiply(reshape(x, [n, 1]), x))
  return program({ outputs: { y: sum(matmul(outer, outer)) } })
}

const chosen = devices.filter(({ name }) => /reference|strict, (calling|2)/.test(name))

describe.each(chosen)("a workspace on $name", ({ open }) => {
  let device: Device
  beforeAll(async () => {
    device = await open()
  })
  afterAll(() => device.close())

  it("runs in the order of the calls, each with its own feed, however many are started at once", async () => {
    const workspace = device.createWorkspace()
    const { of, total } = counter()
    const { count, other } = await workspace.compile({ count: of, other: square(40) })
    const feed = [0, 0, 0]
    const runs = Array.from({ length: 20 }, (_, i) => {
      feed.fill(i)
      return [count.run({ x: feed }), other.run({ x: new Float32Array(40).fill(i) })] as const
    })
    const seen = await Promise.all(runs.map(async ([run]) => (await run)["next"]![0]))
    expect(seen).toEqual(seen.map((_, i) => (i * (i + 1)) / 2))
    expect([...workspace.read(total)]).toEqual([190, 190, 190])
    const alone = await other.run({ x: new Float32Array(40).fill(7) })
    expect(await runs[7]![1]).toEqual(alone)
    workspace.close()
  })

  it("goes on after a run that was refused", async () => {
    const workspace = device.createWorkspace()
    const { count } = await workspace.compile({ count: counter().of })
    await expect(count.run({ x: [1] })).rejects.toThrow(DataError)
    expect([...(await count.run({ x: [1, 2, 3] }))["next"]!]).toEqual([1, 2, 3])
    workspace.close()
  })

  it("keeps earlier programs and states right when later ones need more memory", async () => {
    const workspace = device.createWorkspace()
    const { of, total } = counter()
    const { count, small } = await workspace.compile({ count: of, small: square(8) })
    const x = Array.from({ length: 8 }, (_, i) => i / 8)
    const before = await small.run({ x })
    await count.run({ x: [1, 2, 3] })
    const planned = workspace.plannedBytes
    const { large, again } = await workspace.compile({ large: square(300), again: of })
    expect(workspace.plannedBytes).toBeGreaterThan(planned)
    await large.run({ x: new Float32Array(300).fill(0.1) })
    expect(await small.run({ x })).toEqual(before)
    await again.run({ x: [1, 1, 1] })
    expect([...workspace.read(total)]).toEqual([2, 3, 4])
    workspace.close()
  })

  it("refuses numbers that are no i32 where ids are wanted, and says where", async () => {
    const workspace = device.createWorkspace()
    const of = program({ outputs: { y: gather(state("table", [4, 2]), input("ids", [3], "i32")) } })
    const { f } = await workspace.compile({ f: of })
    for (const wrong of [Number.NaN, 1.5, 2 ** 31])
      await expect(f.run({ ids: [0, wrong, 1] })).rejects.toThrow(`needs whole numbers of 32 bits, got ${wrong} at 1`)
    workspace.close()
  })

  it("reads and writes states only, in their size", () => {
    const workspace = device.createWorkspace()
    const s = state("s", [2])
    expect(() => workspace.write(s, [1])).toThrow('state "s" [2] needs 2 values, got 1')
    expect(() => workspace.read(tanh(s))).toThrow(ConfigError)
    workspace.close()
  })

  it("ends with DeviceErrors: runs under way or waiting, and every later call", async () => {
    const workspace = device.createWorkspace()
    const { of, total } = counter()
    const { count } = await workspace.compile({ count: of })
    const runs = device.kind === "wasm" ? [count.run({ x: [1, 2, 3] }), count.run({ x: [1, 2, 3] })] : []
    workspace.close()
    workspace.close()
    for (const run of runs) await expect(run).rejects.toThrow(DeviceError)
    await expect(count.run({ x: [1, 2, 3] })).rejects.toThrow("the workspace is closed")
    expect(() => workspace.read(total)).toThrow(DeviceError)
    await expect(workspace.compile({ count: of })).rejects.toThrow(DeviceError)
    const { count: fresh } = await device.createWorkspace().compile({ count: of })
    expect([...(await fresh.run({ x: [1, 2, 3] }))["next"]!]).toEqual([1, 2, 3])
  })
})

it("plannedBytes counts each state once, the largest arena of a call, and no constants of the code", async () => {
  await using device = await openDevice({ local: true })
  const workspace = device.createWorkspace()
  const start = workspace.plannedBytes
  const { of } = counter()
  await workspace.compile({ one: of })
  // total [3], and in the arena x [3]: 12 bytes and 16 that may be read past the end, in whole cache lines
  expect(workspace.plannedBytes - start).toBe(64 + 64)
  await workspace.compile({ two: of, three: program({ outputs: { y: tanh(multiply(input("x", [3]), 3)) } }) })
  expect(workspace.plannedBytes - start).toBe(64 + 64 + 128)
})

it("a device that a model opens for itself has no kernels of gradients, and says so before anything runs", async () => {
  const logits = state("logits", [2, 3])
  const loss = sum(crossEntropy(logits, input("targets", [2], "i32")))
  const [dLogits] = gradients(loss, [logits])
  await using own = await openWasmDevice({ local: true })
  const workspace = own.createWorkspace()
  await workspace.compile({ f: program({ outputs: { loss } }) })
  await expect(workspace.compile({ f: program({ outputs: { dLogits: dLogits! } }) })).rejects.toThrow(
    "this device has no kernel for crossEntropyGrad",
  )
})

it("a device that is closed finishes what was asked before and refuses what comes after", async () => {
  const device = await openDevice({ lanes: 2 })
  const { count } = await device.createWorkspace().compile({ count: counter().of })
  const running = count.run({ x: [1, 2, 3] })
  await Promise.resolve() // the run has its turn
  const closing = device.close()
  const late = count.run({ x: [1, 2, 3] })
  expect([...(await running)["next"]!]).toEqual([1, 2, 3])
  await expect(late).rejects.toThrow("the lanes are closed")
  await closing
})

describe("opening a wasm device refuses", () => {
  it.each([0, -1, 1.5, Number.NaN, 257])("%d lanes", async (lanes) => {
    await expect(openDevice({ lanes })).rejects.toThrow(`lanes must be a whole number from 1 to 256, got ${lanes}`)
  })
  it("more than one lane on the calling thread", async () => {
    await expect(openDevice({ lanes: 2, local: true })).rejects.toThrow(ConfigError)
    await (await openDevice({ lanes: 1, local: true })).close()
  })
  it("a device it does not know", async () => {
    await expect(openDevice("webgpu" as "wasm")).rejects.toThrow(ConfigError)
  })
})

it("an update that tells how far it went gives the same bits on any number of lanes, and overwrites its state", async () => {
  const of = () => {
    const s = state("s", [70, 130])
    const next = add(multiply(s, 0.9), input("g", [70, 130]))
    const far = sum(multiply(add(next, s), add(next, s)))
    return {
      s,
      traced: program({ outputs: { far, before: sum(multiply(s, s)) }, updates: [{ state: s, value: next }] }),
    }
  }
  const g = Float32Array.from({ length: 9100 }, (_, i) => Math.sin(i))
  const bits = [1, 2, 3].map(async (lanes) => {
    await using device = await openDevice({ lanes, strict: true })
    const workspace = device.createWorkspace()
    const { s, traced } = of()
    const { step } = await workspace.compile({ step: traced })
    const results = [await step.run({ g }), await step.run({ g })]
    return { results, state: workspace.read(s) }
  })
  const [one, two, three] = await Promise.all(bits)
  expect(two).toEqual(one)
  expect(three).toEqual(one)
  const moved = g.map((x) => Math.fround(Math.fround(x * Math.fround(0.9)) + x))
  expect(one!.state).toEqual(moved)
})

it("a workspace closed while it compiles ends the compilation with an error and leaves nothing in the lanes", async () => {
  await using device = await openDevice({ lanes: 2 })
  const workspace = device.createWorkspace()
  const compiling = workspace.compile({ run: square(8) })
  workspace.close()
  await expect(compiling).rejects.toThrow(DeviceError)
  const { run } = await device.createWorkspace().compile({ run: square(8) }) // the device goes on
  expect((await run.run({ x: new Float32Array(8) }))["y"]![0]).toBe(0)
})
