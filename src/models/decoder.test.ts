import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { devices } from "../../test/support/devices.ts"
import { relativeError, rootMeanSquare } from "../../test/support/numbers.ts"
import { type ModelFixture, modelFixtures, unpack, unpackAll } from "../../test/support/pytorch-models.ts"
import type { Device, Workspace } from "../backends/index.ts"
import { meanCrossEntropy, packedWeight } from "../nn/index.ts"
import { gradients, input, isOp, program, reshape, type Tensor } from "../tensor/index.ts"
import {
  createCache,
  type DecoderConfig,
  type DecoderOptions,
  decoder,
  initializeParameters,
  packedParameterStates,
  parameterStates,
  presets,
} from "./index.ts"

const sizes = {
  vocabSize: 17,
  hiddenSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 3,
  maxPositionEmbeddings: 12,
} as const
/** Every switch of the config is on in one of these and off in another. */
const styles: { readonly [name: string]: DecoderConfig } = {
  gpt2: presets.gpt2(sizes),
  "gpt2 without biases": presets.gpt2({ ...sizes, linearBias: false, normBias: false, activation: "gelu" }),
  llama: presets.llama({ ...sizes, numAttentionHeads: 4, numKeyValueHeads: 2, headDim: 6 }),
  modern: presets.llama({
    ...sizes,
    activation: "relu2",
    normGain: false,
    qkNorm: true,
    embeddingNorm: true,
    residualScalars: true,
    logitSoftcap: 15,
    numAttentionHeads: 2,
    numKeyValueHeads: 1,
  }),
  "zero layers": presets.llama({ ...sizes, numHiddenLayers: 0 }),
}
const named = Object.entries(styles)

/** Random everywhere, so that zero and one initial values hide nothing, and tame enough not to blow rounding up. */
const rough = (config: DecoderConfig): { [name: string]: Float32Array } =>
  Object.fromEntries(
    Object.entries(initializeParameters({ ...config, initializerRange: 0.2, zeroInitProjections: false }, 3)).map(
      ([name, values]) => [name, values.map((x, i) => x + Math.sin(i + name.length) / 5)],
    ),
  )

function load(
  workspace: Workspace,
  states: { readonly [name: string]: Tensor },
  values: { readonly [name: string]: Float32Array },
): void {
  for (const [name, state] of Object.entries(states)) workspace.write(state, values[name]!)
}

describe.each(devices)("decoder on $name", ({ open }) => {
  let device: Device
  beforeAll(async () => {
    device = await open()
  })
  afterAll(() => device.close())

  /** Logits of `tokens`, and the extra inputs of `options`. */
  async function logitsOf(
    config: DecoderConfig,
    tokens: readonly number[],
    shape: [number, number],
    options: DecoderOptions = {},
    feed = {},
  ) {
    const states = parameterStates(config)
    const workspace = device.createWorkspace()
    const { logits: wanted } = decoder(config, states, input("tokens", shape, "i32"), options)
    const { f } = await workspace.compile({ f: program({ outputs: { logits: wanted } }) })
    load(workspace, states, rough(config))
    const { logits } = await f.run({ tokens, ...feed })
    workspace.close()
    return logits!
  }

  it.each(modelFixtures.map((fixture) => [fixture.name, fixture] as const))(
    "%s: logits, loss and every gradient equal PyTorch",
    async (_, fixture) => {
      const { logits, loss, dParameters } = await forwardAndBackward(device, fixture)
      expect(relativeError(logits, unpack(fixture.logits))).toBeLessThan(1e-5)
      expect(loss / fixture.loss).toBeCloseTo(1, 5)
      expect(Object.keys(dParameters).sort()).toEqual(Object.keys(fixture.gradients).sort())
      const dExpected = unpackAll(fixture.gradients)
      // The gradient of a key's bias is zero: softmax is blind to shifts.
      const floor = 1e-2 * rootMeanSquare(Object.values(dExpected).flatMap((x) => [...x]))
      for (const [name, expected] of Object.entries(dExpected))
        expect(relativeError(dParameters[name]!, expected, floor), name).toBeLessThan(1e-4)
    },
  )

  it.each(named)("%s: decoding token by token with a cache equals the full forward", async (_, config) => {
    const [B, T] = [2, 7]
    const tokens = Array.from({ length: B * T }, (_, i) => (i * 5 + 1) % config.vocabSize)
    const full = await logitsOf(config, tokens, [B, T])
    const V = config.vocabSize
    const cached = await decodeInSteps(device, config, tokens, [3, 1, 1, 2])
    expect(relativeError(cached, full)).toBeLessThan(1e-5)
    expect(cached.length).toBe(B * T * V)
  })

  it("sequences of one batch may stand at different positions", async () => {
    const config = styles["gpt2"]!
    const states = parameterStates(config)
    const cache = createCache(config, 2, 6)
    const position = input("position", [2], "i32")
    const step = (T: number) => {
      const { logits, updates } = decoder(config, states, input("tokens", [2, T], "i32"), { position, cache })
      return program({ outputs: { logits }, updates })
    }
    const workspace = device.createWorkspace()
    const { two, one } = await workspace.compile({ two: step(2), one: step(1) })
    load(workspace, states, rough(config))
    await two.run({ tokens: [1, 2, 5, 9], position: [0, 0] })
    // The second sequence goes back to its second token: what stood there is replaced.
    const { logits } = await one.run({ tokens: [3, 6], position: [2, 1] })
    const rows = await Promise.all(
      [
        [1, 2, 3],
        [5, 6],
      ].map((tokens) => logitsOf(config, tokens, [1, tokens.length])),
    )
    const expected = rows.flatMap((row) => [...row.slice(-config.vocabSize)])
    expect(relativeError(logits!, expected)).toBeLessThan(1e-5)
    workspace.close()
  })

  it.each([
    [1, 5, [3]],
    [3, 5, [4, 0, 2]],
    [2, 1, [0, 0]],
  ] as const)("logitsAt picks one row a sequence (B %i, T %i)", async (B, T, at) => {
    const config = styles["llama"]!
    const tokens = Array.from({ length: B * T }, (_, i) => (i * 7) % 17)
    const full = await logitsOf(config, tokens, [B, T])
    const picked = await logitsOf(config, tokens, [B, T], { logitsAt: input("at", [B], "i32") }, T === 1 ? {} : { at })
    const expected = at.flatMap((t, b) => [...full.slice((b * T + t) * 17, (b * T + t + 1) * 17)])
    expect(relativeError(picked, expected)).toBeLessThan(1e-6)
  })

  it.each(named)("%s: no token sees a later one", async (_, config) => {
    const tokens = [1, 2, 3, 4, 5, 6]
    const [a, b] = [
      await logitsOf(config, tokens, [1, 6]),
      await logitsOf(config, [...tokens.slice(0, 4), 9, 0], [1, 6]),
    ]
    expect(a.slice(0, 4 * 17)).toEqual(b.slice(0, 4 * 17))
    expect(a.slice(4 * 17)).not.toEqual(b.slice(4 * 17))
  })

  it.each([...named, ["zeroed projections", presets.llama({ ...sizes, zeroInitProjections: true })] as const])(
    "%s: the loss at the start is about ln V",
    async (_, config) => {
      const states = parameterStates(config)
      const { logits } = decoder(config, states, input("tokens", [4, 12], "i32"))
      const loss = meanCrossEntropy(reshape(logits, [-1, config.vocabSize]), input("targets", [48], "i32"))
      const workspace = device.createWorkspace()
      const { f } = await workspace.compile({ f: program({ outputs: { loss } }) })
      load(workspace, states, initializeParameters(config, 1))
      const ids = Array.from({ length: 48 }, (_, i) => (i * i + 3) % 17)
      const result = await f.run({ tokens: ids, targets: ids.map((id) => (id * 3 + 1) % 17) })
      expect(Math.abs(result.loss![0]! - Math.log(17))).toBeLessThan(0.05)
      workspace.close()
    },
  )

  it("dropout acts with a seed, differs by seed, and is gone without one", async () => {
    const config = presets.gpt2({ ...sizes, dropout: 0.3 })
    const dropoutSeed = input("seed", [], "i32")
    const drop = (seed: number) => logitsOf(config, [1, 2, 3], [1, 3], { dropoutSeed }, { seed })
    expect(await drop(1)).toEqual(await drop(1))
    expect(await drop(1)).not.toEqual(await drop(2))
    expect(await logitsOf(config, [1, 2, 3], [1, 3])).toEqual(
      await logitsOf({ ...config, dropout: 0 }, [1, 2, 3], [1, 3]),
    )
  })

  it("a softcap keeps every logit within its bound", async () => {
    const config = presets.llama({ ...sizes, logitSoftcap: 0.5 })
    const logits = await logitsOf(config, [1, 2, 3], [1, 3])
    expect(Math.max(...logits.map(Math.abs))).toBeLessThanOrEqual(0.5)
    expect(Math.max(...logits.map(Math.abs))).toBeGreaterThan(0.3)
  })
})

describe("decoder", () => {
  it("every place that drops has a random stream of its own", () => {
    const config = presets.gpt2({ ...sizes, dropout: 0.3 })
    const { logits } = decoder(config, parameterStates(config), input("tokens", [1, 3], "i32"), {
      dropoutSeed: input("seed", [], "i32"),
    })
    const streams = program({ outputs: { logits } }).nodes.flatMap((node) =>
      isOp(node, "random") ? [node.attributes.stream] : [],
    )
    expect(streams).toEqual([0, 1, 2, 3, 4]) // the embedding, then attention and feed-forward of two layers
  })

  const config = styles["llama"]!
  it("all passes of a config rotate by one table, those of an equal one by their own", () => {
    const tableOf = (of: DecoderConfig, T: number) => {
      const { logits } = decoder(of, parameterStates(of), input("tokens", [1, T], "i32"))
      const found = program({ outputs: { logits } }).nodes.flatMap((node) =>
        isOp(node, "rope") ? [node.inputs[1]] : [],
      )
      expect(new Set(found).size).toBe(1)
      return found[0]
    }
    expect(tableOf(config, 3)).toBe(tableOf(config, 1))
    expect(tableOf({ ...config }, 1)).not.toBe(tableOf(config, 1))
  })

  it("refuses more tokens than the context holds", () => {
    expect(() => decoder(config, parameterStates(config), input("tokens", [1, 13], "i32"))).toThrow(
      "at most 12 tokens fit the context, got 13",
    )
    expect(() => createCache(config, 1, 13)).toThrow("the cache must fit the context of 12 tokens, got 13")
  })

  it("names the parameter that is missing", () => {
    const { "model.layers.1.mlp.up_proj.weight": _, ...rest } = parameterStates(config)
    expect(() => decoder(config, rest, input("tokens", [1, 2], "i32"))).toThrow(
      'no parameter "model.layers.1.mlp.up_proj.weight"',
    )
  })

  it("takes packed weights where they are multiplied, and nowhere else", () => {
    const tokens = input("tokens", [1, 2], "i32")
    const packed = packedParameterStates(config, "f16")
    expect(decoder(config, packed, tokens).logits.shape).toEqual([1, 2, config.vocabSize])
    const gain = { "model.norm.weight": packedWeight("gain", [16, 1]) }
    expect(() => decoder(config, { ...packed, ...gain }, tokens)).toThrow(
      'parameter "model.norm.weight" must be a plain tensor, got a packed weight',
    )
  })
})

async function forwardAndBackward(device: Device, { config, parameters, tokens, targets }: ModelFixture) {
  const states = parameterStates(config)
  const { logits } = decoder(config, states, input("tokens", tokens.shape, "i32"))
  const loss = meanCrossEntropy(
    reshape(logits, [-1, config.vocabSize]),
    input("targets", [targets.values.length], "i32"),
  )
  const names = Object.keys(states)
  const dStates = gradients(loss, Object.values(states))
  const workspace = device.createWorkspace()
  const outputs = { logits, loss, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, dStates[i]!])) }
  const { f } = await workspace.compile({ f: program({ outputs }) })
  load(workspace, states, unpackAll(parameters))
  const results = await f.run({ tokens: tokens.values, targets: targets.values })
  workspace.close()
  const dParameters = Object.fromEntries(names.map((name) => [name, results[`d ${name}`]!]))
  return { logits: results.logits!, loss: results.loss![0]!, dParameters }
}

/** Logits `[B, T, V]` of `tokens [2, T]`, fed in pieces of `lengths` tokens through one cache. */
async function decodeInSteps(
  device: Device,
  config: DecoderConfig,
  tokens: readonly number[],
  lengths: readonly number[],
) {
  const [B, T, V] = [2, tokens.length / 2, config.vocabSize]
  const states = parameterStates(config)
  const cache = createCache(config, B, T + 2)
  const programs = Object.fromEntries(
    [...new Set(lengths)].map((length) => {
      const position = input("position", [B], "i32")
      const { logits, updates } = decoder(config, states, input("tokens", [B, length], "i32"), { position, cache })
      return [length, program({ outputs: { logits }, updates })]
    }),
  )
  const workspace = device.createWorkspace()
  const steps = await workspace.compile(programs)
  load(workspace, states, rough(config))
  const all = new Float32Array(B * T * V)
  let at = 0
  for (const length of lengths) {
    const piece = [0, 1].flatMap((b) => tokens.slice(b * T + at, b * T + at + length))
    const feed = {
      tokens: piece,
      ...(Object.hasOwn(programs[length]!.inputs, "position") ? { position: [at, at] } : {}),
    }
    const { logits } = await steps[length]!.run(feed)
    for (let b = 0; b < B; b++) all.set(logits!.subarray(b * length * V, (b + 1) * length * V), (b * T + at) * V)
    at += length
  }
  workspace.close()
  return all
}
