// Generate token by token, and stop when enough has been heard: an AbortSignal, a stop string, or leaving the loop.
// Run: node examples/stream-and-abort.js [RUN_FOLDER]
import { generate, loadModel, openDevice, train } from "kinglet"
import { defaultRecipe } from "kinglet/train"

/** A model that can count to nine, made on the spot: for when no run folder is given. */
async function countingModel() {
  const counts = Array.from({ length: 400 }, (_, start) =>
    Array.from({ length: 30 }, (_, index) => (start + index) % 10).join(" "),
  )
  const recipe = defaultRecipe({ hiddenSize: 64, numHiddenLayers: 1, sequenceLength: 64, batchSize: 16, steps: 80 })
  return (await train(recipe, { device: await openDevice(), data: counts }).result).model
}

const folder = process.argv[2]
const model = folder ? await loadModel(folder) : await countingModel()
const prompt = folder ? "\n" : "1 2 3 4"

// A signal: here after 20 tokens; in a server when the client hangs up.
const controller = new AbortController()
let tokens = 0
process.stdout.write(prompt)
for await (const piece of generate(model, prompt, { maxTokens: 10_000, temperature: 0, signal: controller.signal })) {
  process.stdout.write(piece.text)
  if (piece.id !== undefined && ++tokens === 20) controller.abort()
  if (piece.finished) console.log(`\n[${piece.finished} after ${tokens} tokens]`)
}

// A stop string: what is written ends before it, even when it is spread over several tokens.
for await (const piece of generate(model, prompt, { temperature: 0, stop: ["8 9"] })) {
  process.stdout.write(piece.text)
  if (piece.finished) console.log(`\n[${piece.finished}]`)
}

await model.close()
