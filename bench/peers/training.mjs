// What the training peers written in JavaScript share: the work handed in as JSON, windows of the text, the learning rate, the
// clock. Plain JavaScript, because a peer runs in its own process, on its own engine, with nothing built between.
import { readFileSync } from "node:fs"

/** @typedef {import("./works.ts").TrainingWork & { readonly text: string, readonly steps: number }} Task */

/** The task of this process: shape, text and number of steps. @returns {Task} */
export const taskOf = () => JSON.parse(process.argv[2] ?? "{}")

/** A small random stream (xorshift32), uniform in [0, 1). */
function uniform(seed) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** The text as ids of its sorted characters, i32. */
export function tokensOf(path) {
  const characters = [...readFileSync(path, "utf8")]
  const id = new Map([...new Set(characters)].sort().map((character, index) => [character, index]))
  return Int32Array.from(characters, (character) => id.get(character))
}

/** Endless batches `{ inputs, targets }`, each i32 `[B·T]`, from random places of the text's first nine tenths. */
export function* batches({ text, batch, context }) {
  const ids = tokensOf(text)
  const [random, last] = [uniform(1), Math.floor(ids.length * 0.9) - context - 1]
  while (true) {
    const [inputs, targets] = [new Int32Array(batch * context), new Int32Array(batch * context)]
    for (let row = 0; row < batch; row++) {
      const start = Math.floor(random() * last)
      inputs.set(ids.subarray(start, start + context), row * context)
      targets.set(ids.subarray(start + 1, start + context + 1), row * context)
    }
    yield { inputs, targets }
  }
}

/** Values of N(0, deviation²), by Box and Muller. */
export function normals(count, deviation, seed) {
  const random = uniform(seed)
  return Float32Array.from(
    { length: count },
    () => deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  )
}

/** Linear warm-up over `warmup` steps, then a cosine to a tenth over the whole recipe; `step` counts from 0. */
export function learningRate({ peakLearningRate, warmup, recipeSteps }, step) {
  if (step < warmup) return (peakLearningRate * (step + 1)) / (warmup + 1)
  const cosine = 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / (recipeSteps - warmup)))
  return peakLearningRate * (0.1 + 0.9 * cosine)
}

/** AdamW's scalars of one step: rate and corrections of the moments' bias. */
export const adamScalars = (task, step) => ({
  rate: learningRate(task, step),
  firstCorrection: 1 / (1 - task.betas[0] ** (step + 1)),
  secondCorrection: 1 / (1 - task.betas[1] ** (step + 1)),
})

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Read from the file: few packages export their package.json. */
export const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version

/** Runs `step(batch, index) -> loss` as often as the task says and prints one line of facts. */
export async function measure(task, version, step) {
  const [source, times, losses] = [batches(task), [], []]
  let firstStepMs = 0
  for (let index = 0; index < task.steps; index++) {
    const batch = source.next().value
    const start = performance.now()
    losses.push(await step(batch, index))
    if (index === 0)
      firstStepMs = performance.now() // since the start of the process
    else times.push(performance.now() - start)
  }
  const msPerStep = median(times)
  const tokensPerSecond = (1000 * task.batch * task.context) / msPerStep
  const facts = { version, engine: `node ${process.versions.node}`, steps: task.steps, msPerStep, tokensPerSecond }
  const lossNats = mean(losses.slice(-Math.ceil(task.steps / 4)))
  console.log(JSON.stringify({ ...facts, firstStepMs, rssBytes: process.resourceUsage().maxRSS * 1024, lossNats }))
}
