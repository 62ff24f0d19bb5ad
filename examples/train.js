// Train a small language model from an array of strings, and let it write.
// Run: node examples/train.js
import { generate, openDevice, train } from "kinglet"
import { defaultRecipe } from "kinglet/train"

const birds = ["kinglet", "wren", "robin", "finch", "thrush", "siskin"]
const places = ["in the spruce", "under the hedge", "over the lake", "by the old wall"]
const deeds = ["sings", "sleeps", "waits for rain", "builds a nest", "looks for spiders"]

const stories = birds.flatMap((bird) =>
  places.flatMap((place) => deeds.map((deed) => `The ${bird} ${deed} ${place}.\n`)),
)

const device = await openDevice()
const recipe = defaultRecipe({ hiddenSize: 64, numHiddenLayers: 2, sequenceLength: 64, batchSize: 16, steps: 120 })
const run = train(recipe, { device, data: stories, seed: 1 })

for await (const event of run)
  if (event.type === "step-end" && event.step % 20 === 0)
    console.log(`step ${event.step}: ${event.loss.toFixed(3)} nats per token`)

const { model, summary } = await run.result
console.log(`held-out text: ${summary.heldOut?.bitsPerByte.toFixed(2)} bits per byte`)

let story = "The kinglet"
for await (const { text } of generate(model, story, { maxTokens: 60, temperature: 0.7, stop: ["\n"] })) story += text
console.log(story)
