// The assembler is right when the engine accepts what it writes and computes what was meant.
import { describe, expect, it } from "vitest"
import type { FunctionBuilder, Local, ModuleBuilder } from "./assembler.ts"
import { createModule } from "./assembler.ts"
import type { WasmFunction } from "./webassembly.ts"
import { webAssembly } from "./webassembly.ts"

function memoryOf(pages = 1) {
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  return { memory, f32: new Float32Array(memory.buffer), i32: new Int32Array(memory.buffer) }
}

function instantiate(module: ModuleBuilder, memory?: ReturnType<typeof memoryOf>["memory"]) {
  const compiled = new webAssembly.Module(module.bytes())
  return new webAssembly.Instance(compiled, memory ? { env: { memory } } : {}).exports
}

function unary(build: (f: FunctionBuilder, x: Local) => void): WasmFunction {
  const module = createModule()
  module.function("run", ["i32"], ["i32"], true, build)
  return instantiate(module).run
}

describe("the assembler", () => {
  it("writes every LEB128 constant of 32 bits so that it reads back", () => {
    for (const value of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31), 624485]) {
      const run = unary((f) => f.i32.const(value))
      expect(run(0)).toBe(value)
    }
  })

  it("runs the example at the top of its file", () => {
    const module = createModule({ memory: { min: 1, max: 1, shared: true } })
    module.function("add", ["i32", "i32", "i32"], [], true, (f, x, y, bytes) => {
      const i = f.local("i32")
      f.forRange(i, 0, bytes, 16, () => {
        f.address(y, i)
        f.address(x, i), f.v128.load()
        f.address(y, i), f.v128.load()
        f.f32x4.add(), f.v128.store()
      })
    })
    const { memory, f32 } = memoryOf()
    f32.set([1, 2, 3, 4, 5, 6, 7, 8], 0)
    f32.fill(10, 64, 72)
    instantiate(module, memory).add(0, 256, 32)
    expect([...f32.slice(64, 73)]).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 0])
  })

  it("loops as `for (i = start; i < end; i += step)` does, empty ranges included", () => {
    const count = (start: number, end: number | "param", step: number) =>
      unary((f, n) => {
        const [i, sum] = f.locals("i32", 2)
        f.assign(sum, 0)
        f.forRange(i, start, end === "param" ? n : end, step, () => f.increment(sum, i))
        f.local.get(sum)
      })
    expect(count(0, 10, 1)(0)).toBe(45)
    expect(count(3, 10, 4)(0)).toBe(10)
    expect(count(5, 5, 1)(0)).toBe(0)
    expect(count(2, "param", 3)(9)).toBe(15)
    expect(count(2, "param", 3)(2)).toBe(0)
  })

  it("reuses the locals of a finished scope and never those of an open one", () => {
    unary((f) => {
      const outer = f.local("v128")
      const first = f.scope(() => f.local("v128"))
      const second = f.scope(() => f.local("v128"))
      expect(second.index).toBe(first.index)
      expect(first.index).not.toBe(outer.index)
      f.i32.const(0)
    })
  })

  it("encodes every plain instruction so that the engine accepts the module", () => {
    const operands: { [type: string]: number } = {}
    const skip = new Set(["const", "shuffle"])
    const validates = (build: (f: FunctionBuilder) => void) => {
      const module = createModule({ memory: { min: 1, max: 1, shared: true } })
      module.function("run", [], [], false, (f) => (f.unreachable(), build(f), f.unreachable()))
      return webAssembly.validate(module.bytes())
    }
    for (const type of ["i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "f32x4"] as const)
      unary((probe) => {
        for (const name of Object.keys(probe[type]))
          if (!skip.has(name) && !name.startsWith("relaxed")) {
            const ok = validates((f) => (f[type] as { [name: string]: (lane: number) => void })[name]!(0))
            expect(ok, `${type}.${name}`).toBe(true)
            operands[type] = (operands[type] ?? 0) + 1
          }
        probe.i32.const(0)
      })
    expect(operands.f32x4).toBeGreaterThan(20)
  })

  it("selects, branches and calls", () => {
    const module = createModule()
    const double = module.function("double", ["i32"], ["i32"], false, (f, x) => f.scaled(x, 2))
    module.function("run", ["i32"], ["i32"], true, (f, x) => {
      f.local.get(x), f.i32.const(10), f.i32.gtS()
      f.if(
        () => (f.local.get(x), f.call(double)),
        () => f.scaled(x, 3),
        "i32",
      )
    })
    const { run } = instantiate(module)
    expect([run(4), run(11)]).toEqual([12, 22])
  })

  it("makes one function per key", () => {
    const module = createModule()
    const make = () => module.once("k", () => module.function("k", [], [], true, () => {}))
    expect(make()).toBe(make())
  })

  it("waits, notifies and adds atomically in shared memory", () => {
    const module = createModule({ memory: { min: 1, max: 1, shared: true } })
    module.function("run", [], ["i32"], true, (f) => {
      f.i32.const(8), f.i32.const(5), f.i32.atomicRmwAdd(), f.drop()
      f.i32.const(8), f.i32.const(9), f.i64.const(1000), f.memory.atomicWait32() // 1: value differs
      f.i32.const(8), f.i32.const(1), f.memory.atomicNotify(), f.i32.add() // + nobody waits
      f.atomicFence()
    })
    const { memory, i32 } = memoryOf()
    expect(instantiate(module, memory).run()).toBe(1)
    expect(i32[2]).toBe(5)
  })

  it("keeps lanes, constants and shuffles in order", () => {
    const module = createModule({ memory: { min: 1, max: 1, shared: true } })
    module.function("run", [], [], true, (f) => {
      f.i32.const(0)
      f.f32x4.const(1, 2, 3, 4), f.f32x4.const(5, 6, 7, 8), f.i32x4.shuffle(0, 4, 3, 7)
      f.v128.store()
      f.i32.const(16), f.f64.const(Math.PI), f.f64.store()
      f.i32.const(24), f.i64.const(-5_000_000_000n), f.i64.store()
    })
    const { memory, f32 } = memoryOf()
    instantiate(module, memory).run()
    expect([...f32.slice(0, 4)]).toEqual([1, 5, 4, 8])
    expect(new Float64Array(memory.buffer)[2]).toBe(Math.PI)
    expect(new BigInt64Array(memory.buffer)[3]).toBe(-5_000_000_000n)
  })
})

it("loops run over addresses on both sides of 2 GiB", () => {
  const module = createModule()
  module.function("turns", ["i32", "i32"], ["i32"], true, (f, start, end) => {
    const [at, turns] = f.locals("i32", 2)
    f.assign(turns!, 0)
    f.forRange(at!, start!, end!, 16, () => f.increment(turns!, 1))
    f.local.get(turns!)
  })
  const { exports } = new webAssembly.Instance(new webAssembly.Module(module.bytes()))
  expect(exports["turns"]!(2 ** 31 - 64, (2 ** 31 + 64) | 0)).toBe(8)
  expect(exports["turns"]!((2 ** 32 - 64) | 0, (2 ** 32 - 16) | 0)).toBe(3)
  expect(exports["turns"]!(32, 16)).toBe(0)
})
