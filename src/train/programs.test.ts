// Programs with and without stored logits.
import { afterAll, describe, expect, it } from "vitest"
import { openDevice } from "../backends/index.ts"
import { sizeOf } from "../core/index.ts"
import { validateConfig } from "../models/index.ts"
import { crossEntropy, type Program } from "../tensor/index.ts"
import { decoderDefinition, defaultLoss, initialParameters, type LossFunction, type ModelDefinition } from "./model.ts"
import { buildPrograms } from "./programs.ts"
import { optimizerOf } from "./recipe-optimizer.ts"
import { tinyRecipe } from "./testing.ts"

const [B, T] = [3, 8]
const recipe = tinyRecipe()
const configOf = (vocabSize: number, logitSoftcap = 0) => validateConfig({ ...recipe.model, vocabSize, logitSoftcap })
const programsOf = (model: ModelDefinition, loss: LossFunction = defaultLoss) =>
  buildPrograms(model, optimizerOf(recipe.optimizer), loss, {
    batchSize: B,
    sequenceLength: T,
    accumulationSteps: 1,
    samples: false,
  })
const withoutHead = ({ parameters, forward }: ModelDefinition): ModelDefinition => ({ parameters, forward })

const storesLogits = ({ nodes }: Program, vocabSize: number): boolean =>
  nodes.some(({ outputs }) => outputs.some(({ shape }) => sizeOf(shape) === B * T * vocabSize))

describe("logits are stored", () => {
  const large = decoderDefinition(configOf(2048))
  const stored = (model: ModelDefinition, loss?: LossFunction, vocabSize = 2048) => {
    const { train, evaluate } = programsOf(model, loss).programs
    return [storesLogits(train!, vocabSize), storesLogits(evaluate!, vocabSize)]
  }
  it("not for a large vocabulary", () => expect(stored(large)).toEqual([false, false]))
  it("for a small one", () => expect(stored(decoderDefinition(configOf(97)), undefined, 97)).toEqual([true, true]))
  it("for a loss of one's own, but not to evaluate", () =>
    expect(stored(large, (logits, targets) => crossEntropy(logits, targets))).toEqual([true, false]))
  it("for a model that does not show its head", () => expect(stored(withoutHead(large))).toEqual([true, true]))
})

describe("five steps with a large vocabulary", () => {
  const device = openDevice({ lanes: 2 })
  afterAll(async () => (await device).close())
  const losses = async (model: ModelDefinition, softcap: number): Promise<number[]> => {
    const workspace = (await device).createWorkspace()
    const { programs, parameters } = programsOf(model)
    const { train, evaluate } = await workspace.compile(programs)
    const values = initialParameters(model, configOf(2048, softcap), 1)
    for (const [name, tensor] of Object.entries(parameters)) workspace.write(tensor, values[name]!)
    const ids = Int32Array.from({ length: B * T + 1 }, (_, i) => (i * 7919) % 2048)
    const targets = ids.slice(1).map((id, i) => (i % 7 === 2 ? -1 : id))
    const batch = { tokens: ids.slice(0, -1), targets }
    const scalars = { learningRate: [0.01], lossScale: [1 / (B * T)], dropoutSeed: [3] }
    const wanted = Object.keys(train!.program.inputs)
    const feed = Object.fromEntries(wanted.map((name) => [name, ({ ...batch, ...scalars } as never)[name] ?? [1]]))
    const found: number[] = []
    for (let step = 0; step < 5; step++) found.push((await train!.run(feed))["loss"]![0]!)
    const nats = (await evaluate!.run(batch))["nats"]!
    workspace.close()
    return [...found, ...nats]
  }
  it.each([0, 15])("have the losses of five with stored logits (softcap %i)", async (softcap) => {
    const model = decoderDefinition(configOf(2048, softcap))
    const [blocks, stored] = [await losses(model, softcap), await losses(withoutHead(model), softcap)]
    expect(blocks[4]).toBeLessThan(blocks[0]! - 0.01)
    for (const [i, loss] of blocks.entries()) expect(Math.abs(loss - stored[i]!)).toBeLessThan(1e-5 * (1 + loss))
  })
})
