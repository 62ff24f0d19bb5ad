// Every operation on every device: the hand formula, the reference on awkward shapes, PyTorch's numbers, extremes.
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { devices } from "../../test/support/devices.ts"
import {
  asList,
  type Build,
  evaluate,
  evaluateOn,
  floats,
  ints,
  normal,
  relativeError,
  withGradients,
} from "../../test/support/numbers.ts"
import { operationCases } from "../../test/support/operation-cases.ts"
import { fixtureBuilders, type OperationFixture, withFixtureGradients } from "../../test/support/pytorch-operations.ts"
import {
  add,
  attention,
  cacheWrite,
  crossEntropy,
  data,
  divide,
  exp,
  gather,
  gradients,
  input,
  linearCrossEntropy,
  linearCrossEntropySum,
  log,
  matmul,
  max,
  multiply,
  type Op,
  packedGather,
  packedLinear,
  program,
  random,
  scatterAdd,
  sigmoid,
  sqrt,
  state,
  sum,
  tanh,
} from "../tensor/index.ts"
import type { Device } from "./index.ts"

const TOLERANCE = 1e-5
const entries = Object.entries(operationCases) as [Op, (typeof operationCases)[Op]][]
const fixtures = JSON.parse(
  readFileSync(new URL("../../test/fixtures/operations.json", import.meta.url), "utf8"),
) as readonly OperationFixture[]

/** The reference's results, computed once for all devices. */
const known = new Map<Parameters<typeof evaluate>[0], ReturnType<typeof evaluate>>()
function expectedOf(inputs: Parameters<typeof evaluate>[0], build: Build): ReturnType<typeof evaluate> {
  if (!known.has(inputs)) known.set(inputs, evaluate(inputs, build))
  return known.get(inputs)!
}

describe.each(devices)("operations on $name", ({ name, open }) => {
  let device: Device
  beforeAll(async () => {
    device = await open()
  })
  afterAll(() => device.close())
  const run = (inputs: Parameters<typeof evaluateOn>[1], build: Build) => evaluateOn(device, inputs, build)

  it.each(entries)("%s equals the formula worked out by hand", async (_, { hand }) => {
    const outputs = await run(hand.inputs, hand.build)
    expect(outputs.length).toBe(hand.expected.length)
    for (const [index, output] of outputs.entries())
      expect(relativeError(output, hand.expected[index]!)).toBeLessThan(1e-6)
  })

  it.each(name === "reference" ? [] : entries)(
    "%s and its gradient equal the reference on awkward shapes",
    async (_, { awkward, noGradient, wrt }) => {
      for (const { inputs, build } of awkward) {
        const all = noGradient === undefined ? withGradients(build, wrt) : build
        const [actual, expected] = [await run(inputs, all), await expectedOf(inputs, all)]
        const where = `inputs ${inputs.map(({ shape }) => `[${shape}]`).join(" ")}`
        for (const [index, output] of actual.entries())
          expect(relativeError(output, expected[index]!), `${where}, result ${index}`).toBeLessThan(TOLERANCE)
      }
    },
  )

  it.each(
    fixtures.filter(({ op }) => op in fixtureBuilders).map((fixture, index) => [fixture.op, index, fixture] as const),
  )("%s equals PyTorch in value and gradient (case %i)", async (_, __, fixture) => {
    const [output, ...dInputs] = await run(fixture.inputs, withFixtureGradients(fixture))
    expect(relativeError(output!, fixture.output.values)).toBeLessThan(TOLERANCE)
    const expected = (fixture.gradients ?? []).filter((gradient) => gradient !== null)
    expect(dInputs.length).toBe(expected.length)
    for (const [index, dx] of dInputs.entries())
      expect(relativeError(dx, expected[index]!), `gradient ${index}`).toBeLessThan(TOLERANCE)
  })

  it("saturates where the formula does: exp, tanh, sigmoid, log and division at the edge of f32", async () => {
    const x = floats([5], [-1e4, -200, 0, 200, 1e4])
    const outputs = await run([x], (t) => [exp(t!), tanh(t!), sigmoid(t!), log(t!), divide(1, t!), sqrt(t!)])
    const limits = [
      [0, 0, 1, Infinity, Infinity],
      [-1, -1, 0, 1, 1],
      [0, 0, 0.5, 1, 1],
    ]
    for (const [index, limit] of limits.entries()) expect(relativeError(outputs[index]!, limit)).toBeLessThan(1e-6)
    expect([...outputs[3]!.slice(0, 3)]).toEqual([NaN, NaN, -Infinity])
    expect(outputs[4]![2]).toBe(Infinity)
    expect([...outputs[5]!.slice(0, 3)]).toEqual([NaN, NaN, 0])
  })

  it("takes the cross-entropy of logits that would overflow e^x, with a finite gradient", async () => {
    const logits = floats([2, 3], [1e4, -1e4, 0, -1e4, 1e4, 1e4])
    const build: Build = (x, targets) => crossEntropy(x!, targets!)
    const [loss, dLogits] = await run([logits, ints([2], [1, 2])], withUnitGradient(build))
    expect([...loss!]).toEqual([20000, expect.closeTo(Math.LN2, 5)])
    expect(relativeError(dLogits!, [1, -1, 0, 0, 0.5, -0.5])).toBeLessThan(1e-6)
  })

  it("a head with the identity as its weight equals PyTorch's cross-entropy in value and gradient", async () => {
    for (const fixture of fixtures.filter(({ op }) => op === "crossEntropy")) {
      const [N, V] = fixture.inputs[0]!.shape as [number, number]
      const identity = Float32Array.from({ length: V * V }, (_, i) => (i % (V + 1) === 0 ? 1 : 0))
      const build: Build = (logits, targets) => {
        const rowWeights = data(Float32Array.from(fixture.weights!), [N])
        const total = linearCrossEntropySum(logits!, data(identity, [V, V]), targets!, rowWeights)
        return [linearCrossEntropy(logits!, data(identity, [V, V]), targets!), ...gradients(total, [logits!])]
      }
      const [nats, dLogits] = await run(fixture.inputs, build)
      expect(relativeError(nats!, fixture.output.values)).toBeLessThan(TOLERANCE)
      expect(relativeError(dLogits!, fixture.gradients![0]!)).toBeLessThan(TOLERANCE)
    }
  })

  it("a head whose targets are all ignored, or whose batch is empty, has no loss and no gradient", async () => {
    for (const N of [0, 3]) {
      const inputs = [normal([N, 2], 1, 1e4), normal([5, 2], 2), ints([N], Array(N).fill(-1))]
      const results = await run(inputs, (x, w, targets) => {
        const total = linearCrossEntropySum(x!, w!, targets!, data(new Float32Array(N).fill(1), [N]))
        return [total, ...gradients(total, [x!, w!])]
      })
      expect(results.map((x) => x.every((value) => value === 0))).toEqual([true, true, true])
    }
  })

  it("gives zeros, and zero gradients, for a query that sees no key", async () => {
    const inputs = [normal([1, 2, 1, 4], 1), normal([1, 2, 1, 4], 2), normal([1, 2, 1, 4], 3), ints([1], [-1])]
    const [o, dQ] = await run(
      inputs,
      withUnitGradient((q, k, v, position) => attention(q!, k!, v!, position!)),
    )
    expect([...o!.slice(0, 4)]).toEqual([0, 0, 0, 0])
    expect([...dQ!.slice(0, 4)]).toEqual([0, 0, 0, 0])
    expect(o!.slice(4).every(Number.isFinite)).toBe(true)
  })

  it("attends to large scores without overflow", async () => {
    const [q, k] = [floats([1, 2, 1, 2], [300, 0, 0, 300]), floats([1, 2, 1, 2], [300, 0, 0, 300])]
    const inputs = [q, k, normal([1, 2, 1, 2], 3), ints([1], [0])]
    const [o] = await run(inputs, (...x) => attention(x[0]!, x[1]!, x[2]!, x[3]!))
    expect(relativeError(o!, inputs[2]!.values as number[])).toBeLessThan(1e-6)
  })

  it("ignores rows past the end of a cache", async () => {
    const inputs = [normal([1, 2, 1, 1], 1), floats([1, 3, 1, 1], [5, 6, 7]), ints([1], [1])]
    const [cache] = await run(inputs, (...x) => cacheWrite(x[0]!, x[1]!, x[2]!))
    expect([...cache!]).toEqual([Math.fround(inputs[0]!.values[0]!), 5])
  })

  it("computes nothing from an empty batch: no elements, zero sums", async () => {
    const inputs = [floats([0, 3], []), normal([3, 2]), ints([0], [])]
    const outputs = await run(inputs, (x, w, ids) => [
      multiply(x!, 2),
      matmul(x!, w!),
      sum(x!, [0]),
      gather(w!, ids!),
      packedLinear(x!, data(new Float32Array(48), [1, 3, 16]), 2),
      packedGather(data(new Float32Array(48), [1, 3, 16]), ids!, 2),
      scatterAdd(ids!, x!, 2),
      crossEntropy(x!, ids!),
    ])
    expect(outputs.map((x) => [...x])).toEqual([[], [], [0, 0, 0], [], [], [], [0, 0, 0, 0, 0, 0], []])
  })

  it("a state is written whole or in parts, and half floats are rounded", async () => {
    const [floats, halves] = [state("floats", [4]), state("halves", [4], "f16")]
    const workspace = device.createWorkspace()
    for (const of of [floats, halves]) {
      workspace.write(of, [1, 2, 3, 4])
      workspace.write(of, [0.1, -(2 ** -24)], 2)
      expect(() => workspace.write(of, [1, 2], 3)).toThrow("from 3 needs 1 values, got 2")
      expect(() => workspace.write(of, [1, 2])).toThrow("needs 4 values, got 2")
    }
    expect([...workspace.read(floats)]).toEqual([1, 2, Math.fround(0.1), -(2 ** -24)])
    expect([...workspace.read(halves)]).toEqual([1, 2, 0.0999755859375, -(2 ** -24)])
    expect(() => workspace.write(halves, [NaN], 1)).toThrow("needs numbers within ±65504, got NaN at 0")
    workspace.close()
  })

  it("random numbers are uniform, and another stream or seed is unrelated", async () => {
    const n = 65_536
    const draw = async (seed: number, stream: number) => [
      ...(await run([ints([], [seed])], (s) => random(s!, [n], stream)))[0]!,
    ]
    const [a, b, c] = [await draw(1, 0), await draw(1, 1), await draw(2, 0)]
    const mean = (f: (i: number) => number) => a.reduce((total, _, i) => total + f(i), 0) / n
    expect(mean((i) => a[i]!)).toBeCloseTo(1 / 2, 2)
    expect(mean((i) => a[i]! ** 2)).toBeCloseTo(1 / 3, 2)
    for (const other of [b, c, [...a.slice(1), 0]])
      expect(Math.abs(mean((i) => (a[i]! - 0.5) * (other[i]! - 0.5)) * 12)).toBeLessThan(0.02)
    expect(a.every((x) => x >= 0 && x < 1)).toBe(true)
  })

  it("shares the gradient between equal largest elements", async () => {
    const [, dx] = await run(
      [floats([1, 4], [3, 1, 3, 2])],
      withUnitGradient((x) => max(x!, [1])),
    )
    expect([...dx!]).toEqual([0.5, 0, 0.5, 0])
  })

  it("reads every state as it was before the run, and keeps the updates for the next", async () => {
    const [a, b] = [state("a", [5]), state("b", [5])]
    const workspace = device.createWorkspace()
    const swap = program({
      updates: [
        { state: a, value: b },
        { state: b, value: add(a, input("x", [5])) },
      ],
    })
    const { f } = await workspace.compile({ f: swap })
    workspace.write(a, [1, 2, 3, 4, 5])
    for (let i = 0; i < 2; i++) await f.run({ x: [1, 1, 1, 1, 1] })
    expect([[...workspace.read(a)], [...workspace.read(b)]]).toEqual([
      [2, 3, 4, 5, 6],
      [1, 1, 1, 1, 1],
    ])
    workspace.close()
  })
})

/** The output, and the gradient of its plain sum with respect to the first input. */
const withUnitGradient =
  (build: Build): Build =>
  (...x) => {
    const [y] = asList(build(...x))
    return [y!, ...gradients(sum(y!), [x[0]!])]
  }
