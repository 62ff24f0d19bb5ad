// Exactness on names.txt: a decoder without layers sees one character and predicts the next, so that the best it can do is the
// bigram table's maximum likelihood. Trained by `train`, it gets there.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { openDevice } from "../../src/backends/index.ts"
import { prepareData } from "../../src/data/index.ts"
import { charactersTokenizer } from "../../src/tokenizer/index.ts"
import { defaultModel, defaultRecipe, type Recipe, train } from "../../src/train/index.ts"
import { root } from "../support/package.ts"

const path = join(process.env["KINGLET_DATA"] ?? join(root, "..", "shared", "data"), "names.txt")
const isThere = existsSync(path)
if (!isThere) console.warn(`SKIPPED: exactness needs names.txt (karpathy/makemore) at ${path}`)

/** Average bigram negative log likelihood of the count model, nats; computed from the counts. */
const MAXIMUM_LIKELIHOOD = 2.4540145
const BIGRAMS = 228_146
const SYMBOLS = 27
const STEPS = 600

/** Embedding, norm and head; Adam with a rate that falls to nothing, over 43 epochs of big batches. */
function bigramRecipe(): Recipe {
  const base = defaultRecipe({ steps: STEPS, batchSize: 128, sequenceLength: 128 })
  const sizes = { vocabSize: SYMBOLS, hiddenSize: 32, numHiddenLayers: 0, sequenceLength: 128 }
  return {
    ...base,
    model: { ...defaultModel(sizes), logitSoftcap: 0, embeddingNorm: false, initializerRange: 1 },
    tokenizer: { kind: "characters", endOfText: false },
    optimizer: {
      ...base.optimizer,
      name: "adamw",
      learningRate: 0.05,
      beta2: 0.99,
      clipNorm: 0,
      embeddingLearningRate: 0.05,
      headLearningRate: 0.05,
    },
    schedule: { name: "linear", warmupSteps: 0, decayFraction: 1, finalFactor: 0 },
    evaluation: { everySteps: 0 },
    sampling: { everySteps: 0, prompt: "\n", tokens: 0 },
  }
}

it.skipIf(!isThere)(
  "a decoder without layers, trained, comes within 0.001 nats of the bigram maximum likelihood",
  async () => {
    const text = `\n${readFileSync(path, "utf8").trimEnd()}\n`
    const tokenizer = await charactersTokenizer([text], { specialTokens: [] })
    expect(tokenizer.vocabSize).toBe(SYMBOLS)
    const prepared = await prepareData({ source: text, valid: "kinglet\nwren", tokenizer: () => tokenizer })
    expect(prepared.train.length).toBe(BIGRAMS + 1)
    const { train: tokens, summary, trainDocuments } = prepared
    const data = { ...prepared, valid: tokens, summary: { ...summary, valid: summary.train }, trainDocuments } // measured on what it learns
    await using device = await openDevice({ lanes: 2 })
    const run = train(bigramRecipe(), { device, data })
    const { heldOut, seconds } = (await run.result).summary
    console.info(
      `${heldOut!.nats.toFixed(6)} nats, ${(heldOut!.nats - MAXIMUM_LIKELIHOOD).toExponential(2)} above the maximum likelihood, in ${seconds.toFixed(1)} s`,
    )
    expect(heldOut!.nats).toBeGreaterThan(MAXIMUM_LIKELIHOOD - 1e-5) // below it, something else is measured
    expect(heldOut!.nats).toBeLessThan(MAXIMUM_LIKELIHOOD + 0.001)
  },
  120_000,
)
