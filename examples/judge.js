// Judge two models: intervals, baselines that saw the same text, grammar of one's own, and a comparison document by document.
// Run: node examples/judge.js
import { evaluate, openDevice, runBaselines, train } from "kinglet"
import { loadTask, modelExaminee, pairedDifference, runTask } from "kinglet/evaluate"
import { defaultRecipe } from "kinglet/train"

const birds = ["kinglet", "wren", "robin", "finch", "thrush", "siskin"]
const deeds = ["sings", "sleeps", "waits for rain", "builds a nest", "looks for spiders"]
const places = ["in the spruce", "under the hedge", "over the lake", "by the old wall"]
const stories = birds.flatMap((bird) =>
  deeds.flatMap((deed) => places.map((place) => `The ${bird} ${deed} ${place}. The ${bird} is a small bird.\n`)),
)
const heldOut = stories.filter((_, i) => i % 4 === 1)
const data = stories.filter((_, i) => i % 4 !== 1)

const device = await openDevice()
const evaluations = []
for (const steps of [15, 90]) {
  const sizes = { hiddenSize: 32, numHiddenLayers: 2, sequenceLength: 32, batchSize: 16 }
  const { model } = await train(defaultRecipe({ ...sizes, steps }), { device, data, seed: 1 }).result
  const evaluation = await evaluate(model, { data: heldOut })
  evaluations.push(evaluation)
  const { bitsPerByte, interval } = evaluation
  console.log(
    `${steps} steps: ${bitsPerByte.toFixed(3)} bits per byte, ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
  )
  if (steps === 15) continue

  const only = ["unigram-bytes", "kneser-ney-bytes"]
  for (const baseline of await runBaselines({ train: data, valid: heldOut, tokenizer: model.tokenizer, only }))
    console.log(`${baseline.title}: ${baseline.bitsPerByte.toFixed(3)}`)

  const items = birds.map((bird) => ({ good: `The ${bird} sings.`, bad: `The sings ${bird}.` }))
  const json = JSON.stringify({ kinglet: "task", version: 1, name: "word order", kind: "minimal-pairs", items })
  const { accuracy, items: pairs } = await runTask(modelExaminee(model), await loadTask(json, "judge.js"))
  console.log(`word order: ${(100 * accuracy).toFixed(0)} % of ${pairs} pairs`)
}

const [short, long] = evaluations.map(({ perDocument }) => perDocument)
const { difference, pValue } = pairedDifference(long, short)
console.log(`90 steps against 15: ${difference.toFixed(3)} bits per byte, p = ${pValue.toPrecision(1)}`)
