// A schedule of one's own, and a run read as the stream of facts it is: a schedule is a function from step to factor.
// Run: node examples/custom-schedule.js
import { openDevice, train } from "kinglet"
import { defaultRecipe } from "kinglet/train"

const birds = ["wren", "robin", "finch", "kinglet"]
const songs = ["high and thin", "low", "all day long", "at noon", "three times"]
const texts = Array.from({ length: 80 }, (_, n) => `On day ${n} the ${birds[n % 4]} sings ${songs[(n * n) % 5]}.\n`)

const steps = 90
const cycle = 30

/** Warm restarts: three times from the full learning rate down to a tenth of it. (Loshchilov & Hutter 2016, arXiv:1608.03983) */
const restarts = (step) => 0.1 + 0.45 * (1 + Math.cos((Math.PI * (step % cycle)) / cycle))

const recipe = defaultRecipe({ hiddenSize: 32, numHiddenLayers: 2, sequenceLength: 32, batchSize: 16, steps })
const device = await openDevice()
const run = train(
  { ...recipe, evaluation: { everySteps: cycle }, sampling: { everySteps: cycle, prompt: "On day 7 ", tokens: 40 } },
  { device, data: texts, schedule: restarts },
)

for await (const event of run) {
  switch (event.type) {
    case "run-start":
      console.log(`${event.parameters.total} parameters, ${event.tokensPerStep} tokens a step, on ${event.device.kind}`)
      break
    case "step-end":
      if (event.step % 10 === 1) {
        const bar = "#".repeat(Math.round(20 * (event.learningRate / recipe.optimizer.learningRate)))
        console.log(`step ${String(event.step).padStart(2)}  loss ${event.loss.toFixed(3)}  rate ${bar}`)
      }
      break
    case "evaluation-end":
      console.log(`held out: ${event.bitsPerByte.toFixed(3)} bits per byte${event.best ? ", the best so far" : ""}`)
      break
    case "sample":
      console.log(`sample: ${JSON.stringify(event.prompt + event.text)}`)
      break
    case "run-end":
      console.log(`${event.reason} after step ${event.step}`)
  }
}
