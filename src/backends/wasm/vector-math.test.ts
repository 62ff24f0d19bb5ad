// Every function against its f64 formula on dense grids; the strict build against itself in any lane position.
import { describe, expect, it } from "vitest"
import { platform } from "#platform"
import { createModule, type FunctionBuilder, type Local } from "./assembler.ts"
import { enableRelaxedSimd } from "./features.ts"
import { emitErf, emitExp, emitLog, emitSigmoid, emitTanh } from "./vector-math.ts"
import { webAssembly } from "./webassembly.ts"

type Emitter = (f: FunctionBuilder, x: Local, fma: boolean) => void
const builds = enableRelaxedSimd(platform, true) ? [false, true] : [false]

function mapper(emit: Emitter, fma: boolean): (values: readonly number[]) => Float32Array {
  const module = createModule({ memory: { min: 160, max: 160, shared: false } })
  module.function("map", ["i32"], [], true, (f, bytes) => {
    const i = f.local("i32")
    const x = f.local("v128")
    f.forRange(i, 0, bytes, 16, () => {
      f.local.get(i), f.local.get(i), f.v128.load(), f.local.set(x)
      emit(f, x, fma), f.v128.store()
    })
  })
  const memory = new webAssembly.Memory({ initial: 160, maximum: 160 })
  const { map } = new webAssembly.Instance(new webAssembly.Module(module.bytes()), { env: { memory } }).exports
  return (values) => {
    const floats = new Float32Array(memory.buffer)
    floats.set(values)
    map(4 * Math.ceil(values.length / 4) * 4)
    return floats.slice(0, values.length)
  }
}

/** ∫ by its Taylor series below 3, by Lentz's continued fraction of erfc above. */
function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 3) {
    let term = x
    let sum = x
    for (let k = 1; k < 120; k++) sum += (term *= (-x * x) / k) / (2 * k + 1)
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = 0
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (a + fraction)
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction))
}

const grid = (from: number, to: number, count = 200_001) =>
  Array.from({ length: count }, (_, i) => Math.fround(from + ((to - from) * i) / (count - 1)))
const powers = Array.from({ length: 20_000 }, (_, i) => Math.fround((1 + ((i * 0.618) % 1)) * 2 ** ((i % 253) - 126)))

const cases: { name: string; emit: Emitter; formula: (x: number) => number; inputs: number[] }[] = [
  { name: "exp", emit: emitExp, formula: Math.exp, inputs: [...grid(-87, 88.7), ...grid(-1e-3, 1e-3, 1001)] },
  { name: "log", emit: emitLog, formula: Math.log, inputs: [...grid(0.25, 4), ...powers] },
  { name: "tanh", emit: emitTanh, formula: Math.tanh, inputs: [...grid(-12, 12), ...grid(-1e-3, 1e-3, 1001)] },
  { name: "erf", emit: emitErf, formula: erf, inputs: [...grid(-7, 7), ...grid(-1e-3, 1e-3, 1001)] },
  {
    name: "sigmoid",
    emit: emitSigmoid,
    formula: (x) => 1 / (1 + Math.exp(-x)),
    inputs: grid(-86, 100),
  },
]

describe.each(builds)("with fma %s", (fma) => {
  it.each(cases)("$name is its formula to 2.5e-7 relative", ({ emit, formula, inputs }) => {
    const got = mapper(emit, fma)(inputs)
    let worst = { error: 0, x: 0 }
    inputs.forEach((x, i) => {
      const want = formula(x)
      const error = Math.abs(got[i] - want) / Math.max(Math.abs(want), 1e-37)
      if (!(error <= worst.error)) worst = { error, x }
    })
    expect(worst.error, `at ${worst.x}`).toBeLessThan(2.5e-7)
  })

  it("exp overflows, underflows through the subnormals and keeps NaN", () => {
    const got = mapper(emitExp, fma)([Infinity, 200, 88.8, -Infinity, -200, -104, NaN, 0, -0, -100])
    expect([...got.slice(0, 9)]).toEqual([Infinity, Infinity, Infinity, 0, 0, 0, NaN, 1, 1])
    expect(Math.abs(got[9] - Math.exp(-100))).toBeLessThan(2 ** -149)
  })

  it("log of 0 is -Infinity, of a negative number NaN, of a subnormal its logarithm", () => {
    const got = mapper(emitLog, fma)([0, -0, -1, -Infinity, NaN, Infinity, 1, 2 ** -149, 2 ** -140])
    expect([...got.slice(0, 7)]).toEqual([-Infinity, -Infinity, NaN, NaN, NaN, Infinity, 0])
    expect(got[7] / Math.log(2 ** -149)).toBeCloseTo(1, 6)
    expect(got[8] / Math.log(2 ** -140)).toBeCloseTo(1, 6)
  })

  it("sigmoid, tanh and erf reach their limits and keep NaN and the sign of zero", () => {
    const far = [Infinity, -Infinity, 1e30, -1e30, NaN, 0, -0]
    expect([...mapper(emitSigmoid, fma)(far)]).toEqual([1, 0, 1, 0, NaN, 0.5, 0.5])
    expect([...mapper(emitTanh, fma)(far)]).toEqual([1, -1, 1, -1, NaN, 0, -0])
    expect([...mapper(emitErf, fma)(far)]).toEqual([1, -1, 1, -1, NaN, 0, -0])
  })
})
