// Decoding with a key/value cache, chunk by chunk and token by token, gives the logits of the whole sequence read at once.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Device, openDevice } from "../../src/backends/index.ts"
import { randomStream } from "../../src/core/index.ts"
import { type BatchEngine, createEngine } from "../../src/generate/engine.ts"
import type { Model } from "../../src/generate/index.ts"
import { decoder, parameterStates } from "../../src/models/index.ts"
import { input, program, unpackPanels } from "../../src/tensor/index.ts"
import { relativeError } from "../support/numbers.ts"
import { randomModel, styles } from "./support.ts"

const CONTEXT = 96
const V = 257

let device: Device
beforeAll(async () => {
  device = await openDevice({ lanes: 2 })
})
afterAll(() => device.close())

/** Logits after the last of up to CONTEXT tokens, without a cache: the causal mask hides the padding behind them. */
async function wholeForward(model: Model): Promise<(ids: readonly number[]) => Promise<Float32Array>> {
  const tokens = input("tokens", [1, CONTEXT], "i32")
  const { logits } = decoder(model.config, model.parameters, tokens, { logitsAt: input("at", [1], "i32") })
  const { forward } = await model.workspace.compile({ forward: program({ outputs: { logits } }) })
  return async (ids) => {
    const padded = Int32Array.from({ length: CONTEXT }, (_, index) => ids[index] ?? 0)
    return (await forward.run({ tokens: padded, at: [ids.length - 1] }))["logits"]!
  }
}

/** What the engine promises to see of a longer sequence: every half context, the older half is forgotten. */
function visible(ids: readonly number[]): readonly number[] {
  let start = 0
  while (ids.length - start > CONTEXT) start += CONTEXT / 2
  return ids.slice(start)
}

const stream = randomStream(5, "ids")
const text = Array.from({ length: 3 * CONTEXT }, () => stream.below(V))

describe.each(Object.entries(styles))("%s style", (_, configOf) => {
  let model: Model
  let [one, three]: BatchEngine[] = []
  let whole: (ids: readonly number[]) => Promise<Float32Array>
  beforeAll(async () => {
    const sizes = { vocabSize: V, hiddenSize: 32, numHiddenLayers: 2, maxPositionEmbeddings: CONTEXT }
    model = await randomModel(device, configOf(sizes))
    whole = await wholeForward(model)
    ;[one, three] = [createEngine(model, 1, 0), createEngine(model, 3, 0)] // long passes, though the model is small
  })
  afterAll(() => model.close())

  const expectSame = async (ids: readonly number[]) => {
    const [cached] = await one!.logitsAfterEach([ids])
    expect(relativeError(cached!, await whole(visible(ids))), `after ${ids.length} tokens`).toBeLessThan(1e-4)
  }

  it.each([1, 2, 63, 64, 65, 80, 95, 96])("a prompt of %i tokens, then one token at a time", async (length) => {
    const other = text.slice(100 + length) // another sequence each time: nothing of the last one may be left
    await expectSame(other.slice(0, length))
    for (let more = 1; more <= 3; more++) await expectSame(other.slice(0, length + more))
  })

  it("token by token from the first to far beyond the end of the context", async () => {
    for (let length = 1; length <= 2.6 * CONTEXT; length++) await expectSame(text.slice(0, length))
  })

  it("a prompt longer than the context", async () => {
    for (const length of [97, 144, 145, 200, 288]) await expectSame(text.slice(0, length))
  })

  it("three sequences of different lengths at once, each as if it were alone", async () => {
    for (let more = 0; more < CONTEXT; more += 7) {
      const sequences = [3, 20, 90].map((length, from) => text.slice(from, from + length + more))
      const logits = await three!.logitsAfterEach(sequences)
      for (const [b, ids] of sequences.entries())
        expect(relativeError(logits[b]!, await whole(visible(ids))), `${b} after ${ids.length} tokens`).toBeLessThan(
          1e-4,
        )
    }
  })

  it("packed weights give the logits of the plain ones", async () => {
    const plain = parameterStates(model.config)
    const workspace = device.createWorkspace()
    for (const [name, weight] of Object.entries(model.parameters)) {
      const numbers = model.workspace.read("kind" in weight ? weight.panels : weight)
      workspace.write(plain[name]!, "kind" in weight ? unpackPanels(numbers, weight.shape) : numbers)
    }
    const { logits } = decoder(model.config, plain, input("tokens", [1, CONTEXT], "i32"), {
      logitsAt: input("at", [1], "i32"),
    })
    const { forward } = await workspace.compile({ forward: program({ outputs: { logits } }) })
    const ids = text.slice(0, CONTEXT)
    const wanted = await forward.run({ tokens: ids, at: [CONTEXT - 1] })
    expect(relativeError(await whole(ids), wanted["logits"]!)).toBeLessThan(1e-5)
    workspace.close()
  })

  it("a sequence that turns off in the middle", async () => {
    await expectSame(text.slice(0, 70))
    await expectSame([...text.slice(0, 40), 7, 8, 9])
    await expectSame(text.slice(0, 12))
  })
})
