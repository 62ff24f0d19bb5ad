// What the laws of the house share: tiny models of each style, a text, a recipe, and one training step on one batch.
import type { Device } from "../../src/backends/index.ts"
import { randomStream } from "../../src/core/index.ts"
import { createModel, type Model } from "../../src/generate/index.ts"
import {
  type DecoderConfig,
  decoder,
  decoderParameters,
  initializeParameters,
  type PresetSizes,
  parameterStates,
  presets,
} from "../../src/models/index.ts"
import { meanCrossEntropy } from "../../src/nn/index.ts"
import { adamW } from "../../src/optim/index.ts"
import { gradients, input, program, reshape } from "../../src/tensor/index.ts"
import { bytesTokenizer } from "../../src/tokenizer/index.ts"
import { defaultModel, defaultRecipe, type Recipe } from "../../src/train/index.ts"

/** Some 6 kB of sentences, in 40 documents, from a fixed seed. */
export const TEXTS: readonly string[] = Array.from({ length: 40 }, (_, document) => {
  const stream = randomStream(7, "text", document)
  const word = () =>
    ["the", "kinglet", "wren", "sings", "sleeps", "over", "under", "a", "tall", "spruce"][stream.below(10)]
  return Array.from({ length: 4 }, () => `${Array.from({ length: 6 }, word).join(" ")}.`).join("\n")
})

/** A config of each style by name: GPT-2, Llama with shared keys, and the default block. */
export const styles: { readonly [name: string]: (sizes: Omit<PresetSizes, "numAttentionHeads">) => DecoderConfig } = {
  "GPT-2": (sizes) => presets.gpt2({ ...sizes, numAttentionHeads: 4 }),
  Llama: (sizes) => presets.llama({ ...sizes, numAttentionHeads: 4, numKeyValueHeads: 2 }),
  default: ({ maxPositionEmbeddings: sequenceLength, ...sizes }) => ({
    ...defaultModel({ ...sizes, sequenceLength }),
    vocabSize: sizes.vocabSize,
  }),
}

/** Two layers of width 32 on the text above. */
export function smallRecipe(changes: Partial<Recipe> = {}): Recipe {
  const base = defaultRecipe({ hiddenSize: 32, numHiddenLayers: 2, sequenceLength: 32, batchSize: 6, steps: 20 })
  const quiet = { sampling: { everySteps: 0, prompt: "the", tokens: 0 }, evaluation: { everySteps: 0 } }
  return { ...base, ...quiet, ...changes }
}

/** A model with random weights of some size, so that its logits differ, over bytes. */
export async function randomModel(device: Device, config: DecoderConfig, seed = 1): Promise<Model> {
  const entries = Object.entries(decoderParameters(config)).map(([name, { shape, init }]) => {
    const stream = randomStream(seed, "random model", name)
    const center = init.kind === "ones" ? 1 : init.kind === "constant" ? init.value : 0
    const size = shape.reduce((a, b) => a * b, 1)
    return [name, Float32Array.from({ length: size }, () => center + 0.2 * stream.normal())] as const
  })
  return createModel({ config, tokenizer: bytesTokenizer(), parameters: Object.fromEntries(entries) }, { device })
}

/** AdamW on one batch, again and again: the loss before each step, in nats. */
export async function fitOneBatch(device: Device, config: DecoderConfig, steps: number): Promise<number[]> {
  const [B, T] = [3, config.maxPositionEmbeddings]
  const states = parameterStates(config)
  const [tokens, targets] = [input("tokens", [B, T], "i32"), input("targets", [B, T], "i32")]
  const { logits } = decoder(config, states, tokens)
  const loss = meanCrossEntropy(reshape(logits, [B * T, config.vocabSize]), reshape(targets, [B * T]))
  const optimizer = adamW({ clipNorm: 1 })
  const specs = decoderParameters(config)
  const dParameters = gradients(loss, Object.values(states))
  const trained = Object.entries(states).map(([name, state], index) => {
    return { name, state, gradient: dParameters[index]!, role: specs[name]!.role }
  })
  const { updates } = optimizer.build(trained, input("learningRate", []))
  const workspace = device.createWorkspace()
  const { step } = await workspace.compile({ step: program({ outputs: { loss }, updates }) })
  for (const [name, values] of Object.entries(initializeParameters(config, 1))) workspace.write(states[name]!, values)
  const stream = randomStream(3, "batch")
  const draw = () => Int32Array.from({ length: B * T }, () => stream.below(config.vocabSize))
  const batch = { tokens: draw(), targets: draw() }
  const losses: number[] = []
  for (let index = 0; index < steps; index++) {
    const results = await step.run({ ...batch, learningRate: 0.01, ...optimizer.scalars(index) })
    losses.push(results["loss"]![0]!)
  }
  workspace.close()
  return losses
}
