// A loss of one's own: a function from logits [N, V] and targets [N] to one number per token. Here label smoothing and the
// focal loss beside cross-entropy; held-out text is always measured in cross-entropy, so the three can be compared.
// Run: node examples/label-smoothing.js
import { openDevice, train } from "kinglet"
import { logSoftmax } from "kinglet/nn"
import { add, crossEntropy, exp, greater, mean, multiply, negate, square, subtract, toFloat } from "kinglet/tensor"
import { defaultRecipe } from "kinglet/train"

/** 1 where a target counts, 0 where it is padding (negative): there a loss must be 0. */
const counts = (targets) => greater(toFloat(targets), -1)

/** (1 - ε)·(-ln p[target]) + ε·mean over V of (-ln p): be sure, but not that sure. (Szegedy et al. 2015, arXiv:1512.00567) */
const labelSmoothing = (epsilon) => (logits, targets) => {
  const surprise = negate(mean(logSoftmax(logits), [-1])) // [N]
  const everywhere = multiply(surprise, counts(targets))
  return add(multiply(crossEntropy(logits, targets), 1 - epsilon), multiply(everywhere, epsilon))
}

/** (1 - p)²·(-ln p) with p the target's probability: what is known already counts less. (Lin et al. 2017, arXiv:1708.02002) */
const focal = (logits, targets) => {
  const nats = crossEntropy(logits, targets)
  return multiply(square(subtract(1, exp(negate(nats)))), nats)
}

const losses = { "cross-entropy": crossEntropy, "label smoothing": labelSmoothing(0.1), focal }

const birds = ["kinglet", "wren", "robin", "finch", "thrush"]
const texts = Array.from(
  { length: 60 },
  (_, day) => `Day ${day}: the ${birds[day % 5]} sang ${(day * day) % 7} times.\n`,
)
const recipe = defaultRecipe({ hiddenSize: 32, numHiddenLayers: 2, sequenceLength: 32, batchSize: 16, steps: 80 })
const device = await openDevice()

for (const [name, loss] of Object.entries(losses)) {
  const { summary } = await train(recipe, { device, data: texts, loss }).result
  console.log(
    `${name.padEnd(16)} training loss ${summary.loss?.toFixed(3)}, held out ${summary.heldOut?.nats.toFixed(3)} nats per token`,
  )
}
