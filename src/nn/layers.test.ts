import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { devices } from "../../test/support/devices.ts"
import { evaluate, evaluateOn, floats, ints, normal, relativeError } from "../../test/support/numbers.ts"
import {
  type FixtureBuild,
  type OperationFixture,
  withFixtureGradients,
} from "../../test/support/pytorch-operations.ts"
import type { Device } from "../backends/index.ts"
import { gradients, input, mean, sum } from "../tensor/index.ts"
import {
  dropout,
  gelu,
  geluTanh,
  layerNorm,
  linear,
  logSoftmax,
  meanCrossEntropy,
  reluSquared,
  rmsNorm,
  ropeTables,
  silu,
  softcap,
  softmax,
  swiglu,
} from "./index.ts"

const builders: { readonly [name: string]: FixtureBuild } = {
  gelu: ([x]) => gelu(x!),
  geluTanh: ([x]) => geluTanh(x!),
  silu: ([x]) => silu(x!),
  reluSquared: ([x]) => reluSquared(x!),
  swiglu: ([gate, up]) => swiglu(gate!, up!),
  softcap: ([x], { cap }) => softcap(x!, cap),
  softmax: ([x]) => softmax(x!),
  logSoftmax: ([x]) => logSoftmax(x!),
  rmsNorm: ([x, weight]) => rmsNorm(x!, weight),
  layerNorm: ([x, weight, bias]) => layerNorm(x!, weight, bias),
  linear: ([x, weight, bias]) => linear(x!, weight!, bias),
  meanCrossEntropy: ([logits, targets]) => meanCrossEntropy(logits!, targets!),
}
const fixtures = (
  JSON.parse(
    readFileSync(new URL("../../test/fixtures/operations.json", import.meta.url), "utf8"),
  ) as OperationFixture[]
).filter(({ op }) => op in builders)

describe.each(devices)("layers on $name", ({ open }) => {
  let device: Device
  beforeAll(async () => {
    device = await open()
  })
  afterAll(() => device.close())

  it("has a PyTorch fixture for every layer function", () => {
    expect(new Set(fixtures.map(({ op }) => op))).toEqual(new Set(Object.keys(builders)))
  })

  it.each(fixtures.map((fixture, index) => [fixture.op, index, fixture] as const))(
    "%s equals PyTorch in value and gradient (case %i)",
    async (op, _, fixture) => {
      const [output, ...dInputs] = await evaluateOn(device, fixture.inputs, withFixtureGradients(fixture, builders[op]))
      expect(relativeError(output!, fixture.output.values)).toBeLessThan(1e-5)
      const expected = fixture.gradients!.filter((gradient) => gradient !== null)
      for (const [index, dx] of dInputs.entries()) expect(relativeError(dx, expected[index]!)).toBeLessThan(1e-5)
    },
  )

  it("softmax and its logarithm survive logits of ±1e4", async () => {
    const x = floats([2, 3], [1e4, -1e4, 0, -1e4, -1e4, -1e4])
    const [p, logP] = await evaluateOn(device, [x], (t) => [softmax(t!), logSoftmax(t!)])
    expect(relativeError(p!, [1, 0, 0, 1 / 3, 1 / 3, 1 / 3])).toBeLessThan(1e-6)
    expect(relativeError(logP!, [0, -2e4, -1e4, ...Array(3).fill(-Math.log(3))])).toBeLessThan(1e-6)
  })

  it("a norm of a zero row is zero, and its gradient finite", async () => {
    const outputs = await evaluateOn(device, [floats([1, 4], [0, 0, 0, 0])], (x) => [
      rmsNorm(x!),
      layerNorm(x!),
      ...gradients(sum(rmsNorm(x!)), [x!]),
      ...gradients(sum(layerNorm(x!)), [x!]),
    ])
    expect([...outputs[0]!, ...outputs[1]!]).toEqual(Array(8).fill(0))
    expect(outputs.every((x) => x.every(Number.isFinite))).toBe(true)
  })

  it("the loss of targets that are all ignored is 0, and so are its gradients", async () => {
    const [loss, dLogits] = await evaluateOn(device, [normal([2, 3]), ints([2], [-1, -1])], (x, targets) => {
      const nats = meanCrossEntropy(x!, targets!)
      return [nats, ...gradients(nats, [x!])]
    })
    expect([...loss!, ...dLogits!]).toEqual(Array(7).fill(0))
  })

  it("dropout drops its share, keeps the mean, and drops the same in the gradient", async () => {
    const x = floats([10_000], Array(10_000).fill(1))
    const [y, average, dx] = await evaluateOn(device, [x, ints([], [7])], (t, seed) => {
      const dropped = dropout(t!, 0.25, seed!, 3)
      return [dropped, mean(dropped), ...gradients(sum(dropped), [t!])]
    })
    expect(Math.abs(average![0]! - 1)).toBeLessThan(0.03)
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
    expect(dx).toEqual(y)
  })

  it("dropout is another with another seed or stream, and the same again with the same", async () => {
    const drop = async (seed: number, stream: number) =>
      (
        await evaluateOn(device, [floats([64], Array(64).fill(1)), ints([], [seed])], (x, s) =>
          dropout(x!, 0.5, s!, stream),
        )
      )[0]!
    expect(await drop(1, 1)).toEqual(await drop(1, 1))
    expect(await drop(1, 1)).not.toEqual(await drop(2, 1))
    expect(await drop(1, 1)).not.toEqual(await drop(1, 2))
  })
})

describe("layers", () => {
  it("dropout with rate 0 is the identity, and refuses rates outside [0, 1)", () => {
    const [x, seed] = [input("x", [2]), input("seed", [], "i32")]
    expect(dropout(x, 0, seed, 0)).toBe(x)
    expect(() => dropout(x, 1, seed, 0)).toThrow("dropout: rate must be in [0, 1), got 1")
  })

  it("rotation tables hold cos and sin of position · theta^(-2i/dim)", async () => {
    const [cos, sin] = await evaluate([], () => {
      const tables = ropeTables(513, 8, 10000)
      return [tables.cos, tables.sin]
    })
    const angles = Array.from({ length: 513 * 4 }, (_, i) => Math.floor(i / 4) * 10000 ** (-(i % 4) / 4))
    expect(relativeError(cos!, angles.map(Math.cos))).toBeLessThan(1e-7)
    expect(relativeError(sin!, angles.map(Math.sin))).toBeLessThan(1e-7)
  })

  it("linear says which sizes differ", () => {
    expect(() => linear(input("x", [3, 8]), input("w", [4, 5]))).toThrow(
      "inner sizes must agree, got [3, 8] · [4, 5]ᵀ (8 ≠ 5)",
    )
  })
})
