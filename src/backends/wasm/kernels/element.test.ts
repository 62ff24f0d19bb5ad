import { expect, it } from "vitest"
import { randomStream, sizeOf } from "../../../core/index.ts"
import {
  add,
  broadcast,
  constant,
  divide,
  erf,
  exp,
  greater,
  input,
  isOp,
  log,
  max,
  mean,
  multiply,
  negate,
  program,
  random,
  readsOf,
  reshape,
  schedule,
  select,
  sigmoid,
  sqrt,
  square,
  storageOf,
  subtract,
  sum,
  type Tensor,
  tanh,
  toFloat,
} from "../../../tensor/index.ts"
import { openReferenceDevice } from "../../reference/index.ts"
import { createModule } from "../assembler.ts"
import { webAssembly } from "../webassembly.ts"
import { elementKey, emitElement, emitPartials, partialBytes, partialSums } from "./element.ts"

/** Runs a program of element steps on one lane, without the device: every tensor gets a place of its own. */
function runElementSteps(outputs: { [name: string]: Tensor }, feed: { [name: string]: ArrayLike<number> }) {
  const traced = program({ outputs })
  const steps = schedule(traced)
  const memory = new webAssembly.Memory({ initial: 64, maximum: 64, shared: false })
  let end = 64
  const places = new Map<Tensor, number>()
  const place = (tensor: Tensor): number => {
    const stored = storageOf(tensor)
    if (!places.has(stored)) places.set(stored, end), (end += Math.ceil((4 * sizeOf(stored.shape) + 16) / 64) * 64)
    return places.get(stored)!
  }
  const module = createModule({ memory: { min: 64, max: 64, shared: false } })
  const calls = steps.flatMap((step) => {
    if (step.kind === "op") throw new Error(`unexpected ${step.node.op}`)
    const target = module.once(elementKey(step), () => emitElement(module, step, { fma: false }))
    const partials = end
    end += Math.ceil(partialBytes(step) / 64) * 64
    const first = { target, addresses: [...step.body.leaves.map(place), ...step.writes.map(place), partials] }
    const later = partialSums(step).map(({ offset, result, ...shape }) => ({
      target: emitPartials(module, shape),
      addresses: [partials + offset, place(result)],
    }))
    return [first, ...later]
  })
  module.function("run", [], [], true, (f) => {
    for (const { target, addresses } of calls) {
      for (const address of [...addresses, 0, 1]) f.i32.const(address)
      f.call(target)
    }
  })
  for (const [name, tensor] of Object.entries(traced.inputs)) {
    const at = place(tensor)
    if (tensor.dtype === "i32") new Int32Array(memory.buffer, at).set(feed[name]!)
    else new Float32Array(memory.buffer, at).set(feed[name]!)
  }
  new webAssembly.Instance(new webAssembly.Module(module.bytes()), { env: { memory } }).exports.run!()
  return Object.fromEntries(
    Object.entries(outputs).map(([name, x]) => [name, new Float32Array(memory.buffer, place(x), sizeOf(x.shape))]),
  )
}

const numbers = (count: number, seed: number): number[] => {
  const stream = randomStream(seed, "numbers")
  return Array.from({ length: count }, () => Math.fround(stream.normal()))
}

/** `size` is the magnitude of the terms of a sum, where they cancel. */
async function expectAgreement(
  outputs: { [name: string]: Tensor },
  feeds: { [name: string]: ArrayLike<number> },
  size = 1,
) {
  const traced = program({ outputs })
  const { main } = await openReferenceDevice().createWorkspace().compile({ main: traced })
  const feed = Object.fromEntries(Object.keys(traced.inputs).map((name) => [name, feeds[name]!]))
  const wanted = await main.run(feed)
  const got = runElementSteps(outputs, feed)
  for (const name of Object.keys(outputs))
    for (const [i, want] of wanted[name]!.entries())
      expect(Math.abs(got[name]![i]! - want), `${name}[${i}]: ${got[name]![i]} for ${want}`).toBeLessThanOrEqual(
        1e-5 * (size + Math.abs(want)),
      )
}

for (const [B, T, C] of [
  [1, 1, 1],
  [1, 1, 5],
  [2, 3, 4],
  [3, 5, 7],
  [2, 3, 64],
  [1, 4, 3000],
  [5, 1, 33],
  [4, 7, 17],
] as const) {
  const shape = [B, T, C]
  const feed = {
    x: numbers(B * T * C, 1),
    y: numbers(B * T * C, 2),
    row: numbers(C, 3),
    column: numbers(B * T, 4),
    ids: [7],
  }
  const x = input("x", shape),
    y = input("y", shape),
    row = input("row", [C]),
    column = input("column", [B, T, 1])
  it(`a chain with stretched operands equals the reference, ${shape}`, async () => {
    await expectAgreement(
      { out: select(greater(x, row), tanh(multiply(x, column)), divide(subtract(y, row), add(square(column), 2))) },
      feed,
    )
  })
  it(`sums over rows, columns and all carry their expression, ${shape}`, async () => {
    const both = multiply(x, sigmoid(y))
    await expectAgreement(
      {
        rows: sum(multiply(both, row), [2]),
        columns: sum(multiply(both, column), [0, 1]),
        all: mean(multiply(both, both)),
        middle: sum(multiply(x, y), [1]),
        largest: max(x, [-1]),
        most: max(add(x, y)),
      },
      feed,
    )
  })
  it(`softmax and normalization compose, ${shape}`, async () => {
    const shifted = exp(subtract(x, max(x, [-1], { keepAxes: true })))
    const centered = subtract(x, mean(x, [-1], { keepAxes: true }))
    const scale = divide(1, sqrt(add(mean(square(centered), [-1], { keepAxes: true }), 1e-5)))
    await expectAgreement(
      {
        softmax: divide(shifted, sum(shifted, [-1], { keepAxes: true })),
        norm: multiply(multiply(centered, scale), row),
      },
      feed,
    )
  })
  it(`random numbers are those of the reference, ${shape}`, async () => {
    const seed = input("ids", [], "i32")
    await expectAgreement({ out: multiply(x, random(seed, shape, 3)), again: random(seed, shape, 4) }, feed)
  })
}

it("a long sum is exact to f32 whatever its chunks", async () => {
  const x = input("x", [3, 12345])
  await expectAgreement({ rows: sum(x, [1]), all: sum(square(x)) }, { x: numbers(3 * 12345, 1) }, 100)
})

it.each([4096, 4099, 5000, 12_345])("sums made on the way of a sweep are exact too, %i elements", async (size) => {
  const [x, y] = [input("x", [size]), input("y", [size])]
  const next = subtract(x, multiply(y, 0.1))
  const outputs = {
    next,
    change: sum(square(subtract(next, x))),
    before: sum(square(x)),
    largest: max(multiply(next, x)),
  }
  expect(schedule(program({ outputs })).map(({ kind }) => kind)).toEqual(["elementwise"])
  await expectAgreement(outputs, { x: numbers(size, 1), y: numbers(size, 2) }, 100)
})

it("a sweep of three results is one step", () => {
  const x = input("x", [10]),
    m = input("m", [10])
  const next = add(multiply(m, 0.9), x)
  const steps = schedule(program({ outputs: { next, out: multiply(next, exp(x)), other: negate(log(x)) } }))
  expect(steps.map((step) => step.kind)).toEqual(["elementwise"])
  expect(readsOf(steps[0]!)).toHaveLength(2)
})

it("reshape and broadcast cost no step of their own", () => {
  const x = input("x", [4, 6])
  const steps = schedule(program({ outputs: { out: multiply(broadcast(reshape(sum(x, [1]), [4, 1]), [4, 6]), x) } }))
  expect(steps.map((step) => step.kind)).toEqual(["reduction", "elementwise"])
})

it("integers become floats, erf and constants agree", async () => {
  const ids = input("ids", [9], "i32")
  await expectAgreement(
    { out: erf(multiply(toFloat(ids), 0.1)), fill: broadcast(constant(2.5), [7]) },
    { ids: [-9, -3, 0, 1, 2, 3, 50, 7, 8] },
  )
  expect(isOp(ids.node, "input")).toBe(true)
})
