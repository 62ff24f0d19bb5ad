// Endings after a shared beginning, against one full forward pass for each of them.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { randomModel, styles } from "../../../test/laws/support.ts"
import { type Device, openDevice } from "../../backends/index.ts"
import { randomStream } from "../../core/index.ts"
import { createModel, type Model } from "../../generate/index.ts"
import { type DecoderConfig, decoder, decoderParameters } from "../../models/index.ts"
import { crossEntropy, input, program, reshape } from "../../tensor/index.ts"
import { bytesTokenizer } from "../../tokenizer/index.ts"
import { type EndingScore, type EndingsItem, scoreEndings } from "./score-endings.ts"

const SIZES = { vocabSize: 257, hiddenSize: 32, numHiddenLayers: 2, maxPositionEmbeddings: 80 }

let device: Device
beforeAll(async () => {
  device = await openDevice({ lanes: 2 })
})
afterAll(() => device.close())

/** Nats of each token of `ids` but the first, in one forward pass without a cache. */
async function natsOf({ config, parameters, workspace }: Model, ids: readonly number[]): Promise<number[]> {
  const T = ids.length - 1
  const [tokens, targets] = [input("tokens", [1, T], "i32"), input("targets", [T], "i32")]
  const { logits } = decoder(config, parameters, tokens)
  const nats = crossEntropy(reshape(logits, [T, config.vocabSize]), targets)
  const { pass } = await workspace.compile({ pass: program({ outputs: { nats } }) })
  return [...(await pass.run({ tokens: ids.slice(0, -1), targets: ids.slice(1) }))["nats"]!]
}

/** The slow way: each ending by itself, with what the context has room for before it. */
async function scoreEndingsSlowly(model: Model, { prefix, endings }: EndingsItem): Promise<EndingScore[]> {
  const T = model.config.maxPositionEmbeddings
  const longest = Math.max(...endings.map(({ length }) => length))
  const scores: EndingScore[] = []
  for (const ending of endings) {
    const kept = longest <= T ? prefix.slice(Math.max(0, prefix.length + longest - T - 1)) : prefix.slice(-1)
    let [nats, tokens] = [0, 0]
    let before = kept
    for (let at = 0; at < ending.length; ) {
      const part = ending.slice(at, at + T + 1 - before.length)
      const ids = [...before, ...part]
      const found = ids.length < 2 ? [] : (await natsOf(model, ids)).slice(Math.max(0, before.length - 1))
      nats += found.reduce((a, b) => a + b, 0)
      tokens += found.length
      at += part.length
      before = [ids.at(-1)!]
    }
    scores.push({ nats, tokens })
  }
  return scores
}

const draw = (count: number, name: string): number[] => {
  const stream = randomStream(5, name)
  return Array.from({ length: count }, () => stream.below(40))
}

/** Prefixes and endings of many lengths; some share their beginnings, some are too long. */
function manyItems(): EndingsItem[] {
  const stream = randomStream(9, "items")
  const shared = draw(30, "shared")
  return Array.from({ length: 60 }, (_, i) => ({
    prefix: i % 3 === 0 ? shared.slice(0, stream.below(30)) : draw(1 + stream.below(90), `prefix ${i}`),
    endings: Array.from({ length: 1 + stream.below(3) }, (_, e) => draw(1 + stream.below(24), `ending ${i % 7} ${e}`)),
  }))
}

function expectSame(found: readonly EndingScore[], expected: readonly EndingScore[]): void {
  expect(found.map(({ tokens }) => tokens)).toEqual(expected.map(({ tokens }) => tokens))
  for (const [i, { nats, tokens }] of found.entries())
    expect(Math.abs(nats - expected[i]!.nats)).toBeLessThan(2e-5 * Math.max(1, tokens))
}

describe.each(Object.keys(styles))("endings in a model of style %s", (style) => {
  it("have the nats of a full forward pass each, whatever is shared or dropped", async () => {
    await using model = await randomModel(device, styles[style]!(SIZES))
    const items = manyItems()
    const found = await scoreEndings(model, items)
    for (const [i, item] of items.entries()) expectSame(found[i]!, await scoreEndingsSlowly(model, item))
  }, 60_000)
})

describe("endings", () => {
  let model: Model
  beforeAll(async () => {
    model = await randomModel(device, styles["default"]!(SIZES))
  })
  afterAll(() => model.close())

  it("have the same nats alone and among others", async () => {
    const items = manyItems()
    const together = await scoreEndings(model, items)
    for (const i of [0, 1, 7, 33, 59]) expectSame((await scoreEndings(model, [items[i]!]))[0]!, together[i]!)
  })

  it("have the same bits in calls that are under way at the same time", async () => {
    const halves = [manyItems(), manyItems().map(({ prefix, endings }) => ({ prefix: [9, ...prefix], endings }))]
    for (const greedy of [
      [false, false],
      [true, false],
    ]) {
      const alone = [
        await scoreEndings(model, halves[0]!, { greedy: greedy[0]! }),
        await scoreEndings(model, halves[1]!),
      ]
      const calls = halves.map((items, i) => scoreEndings(model, items, { greedy: greedy[i]! }))
      expect(await Promise.all(calls)).toEqual(alone)
    }
  })

  it("are scored by the next call when the one before it was stopped on its way", async () => {
    const alone = await scoreEndings(model, manyItems())
    const [controller, reason] = [new AbortController(), new Error("enough")]
    const onProgress = () => controller.abort(reason)
    const stopped = scoreEndings(model, manyItems(), { signal: controller.signal, onProgress })
    const next = scoreEndings(model, manyItems())
    await expect(stopped).rejects.toBe(reason)
    expect(await next).toEqual(alone)
  })

  it("of whatever number and length leave few caches in the model's memory", async () => {
    await using long = await randomModel(device, styles["default"]!({ ...SIZES, maxPositionEmbeddings: 256 }))
    const item = (count: number, length: number) => ({
      prefix: [1],
      endings: Array.from({ length: count }, (_, i) => draw(length, `${i}`)),
    })
    const planned = new Set<number>()
    for (const count of [1, 2, 3, 5, 9, 17, 40])
      for (const length of [3, 70, 130, 200]) {
        await scoreEndings(long, [item(count, length)])
        planned.add(long.workspace.plannedBytes)
      }
    expect(planned.size).toBe(6) // 2, 8 and 32 slots of 128 and of 256 tokens
  })

  it("longer than the context are scored in windows of it", async () => {
    const item = { prefix: draw(5, "p"), endings: [draw(200, "long"), draw(81, "just too long"), draw(3, "short")] }
    expectSame((await scoreEndings(model, [item]))[0]!, await scoreEndingsSlowly(model, item))
  })

  it("without a prefix are scored from their second token on", async () => {
    const item = { prefix: [], endings: [draw(9, "a"), draw(1, "b"), [], draw(81, "c")] }
    const [found] = await scoreEndings(model, [item])
    expectSame(found!, await scoreEndingsSlowly(model, item))
    expect(found!.map(({ tokens }) => tokens)).toEqual([8, 0, 0, 80])
  })

  it("that occur twice have the same nats twice", async () => {
    const [a, b] = [draw(12, "twice"), draw(12, "other")]
    const found = await scoreEndings(model, [
      { prefix: [7], endings: [a, b, a] },
      { prefix: [7, ...a.slice(0, 4)], endings: [a.slice(4)] },
    ])
    expectSame([found[0]![2]!], [found[0]![0]!])
    const beginning = await scoreEndings(model, [{ prefix: [7], endings: [a.slice(0, 4)] }])
    expect(found[1]![0]!.nats + beginning[0]![0]!.nats).toBeCloseTo(found[0]![0]!.nats, 4)
  })

  it("are greedy if each token is the likeliest, and only then", async () => {
    const prefix = draw(6, "greedy")
    const ids = [...prefix]
    for (let step = 0; step < 12; step++) {
      const all = Array.from({ length: 257 }, (_, id) => ({ prefix: ids, endings: [[id]] }))
      const nats = (await scoreEndings(model, all)).map(([ending]) => ending!.nats)
      ids.push(nats.indexOf(Math.min(...nats)))
    }
    const written = ids.slice(prefix.length)
    const other = written.with(7, (written[7]! + 1) % 257)
    const [found] = await scoreEndings(model, [{ prefix, endings: [written, other] }], { greedy: true })
    expect(found!.map(({ isGreedy }) => isGreedy)).toEqual([true, false])
  })

  it("tell how many items are done, all of them in the end", async () => {
    const told: { items: number; total: number }[] = []
    const items = [...manyItems(), { prefix: [], endings: [[3]] }]
    await scoreEndings(model, items, { onProgress: (progress) => told.push(progress) })
    expect(told.at(-1)).toEqual({ items: items.length, total: items.length })
    expect(told.map(({ items }) => items)).toEqual(told.map(({ items }) => items).toSorted((a, b) => a - b))
  })

  it("are not scored on once the signal is aborted, and its reason is thrown", async () => {
    const reason = new Error("enough")
    await expect(scoreEndings(model, manyItems(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it("of no item, or without a token, are nothing", async () => {
    expect(await scoreEndings(model, [])).toEqual([])
    expect(await scoreEndings(model, [{ prefix: [1], endings: [] }])).toEqual([[]])
    expect(await scoreEndings(model, [{ prefix: [1], endings: [[]] }])).toEqual([[{ nats: 0, tokens: 0 }]])
  })
})

it("a model without layers scores endings by their own tokens", async () => {
  const config: DecoderConfig = { ...styles["default"]!({ ...SIZES, numHiddenLayers: 0 }), residualScalars: false }
  const parameters = Object.fromEntries(
    Object.entries(decoderParameters(config)).map(([name, { shape }]) => {
      const stream = randomStream(2, name)
      return [name, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => stream.normal())]
    }),
  )
  await using model = await createModel({ config, tokenizer: bytesTokenizer(), parameters }, { device })
  const items = manyItems()
  const found = await scoreEndings(model, items)
  for (const i of [0, 4, 20]) expectSame(found[i]!, await scoreEndingsSlowly(model, items[i]!))
})
