// A block of one's own, built from the public doors: a gated causal convolution in place of attention. Its gradient is checked
// against central differences on the reference device; then a model of such blocks is trained.
// Run: node examples/gated-convolution.js
import { openDevice, train } from "kinglet"
import { embedding, linear, rmsNorm } from "kinglet/nn"
import { add, gradients, input, mean, multiply, pad, program, sigmoid, slice, square } from "kinglet/tensor"
import { defaultRecipe } from "kinglet/train"

const WIDTH = 5

/** y[t] = σ(x[t]·Gᵀ) · Σ_w kernel[w]·x[t - w], each channel for itself; x [B, T, C], kernel [W, C], gate G [C, C]. */
function gatedConvolution(x, kernel, gate) {
  const T = x.shape[1]
  const past = pad(x, 1, WIDTH - 1, 0) // zeros before the first token: [B, T + W - 1, C]
  const shifted = (w) => slice(past, 1, WIDTH - 1 - w, WIDTH - 1 - w + T) // x[t - w]: [B, T, C]
  const taps = Array.from({ length: WIDTH }, (_, w) => multiply(shifted(w), slice(kernel, 0, w, w + 1)))
  return multiply(taps.reduce(add), sigmoid(linear(x, gate)))
}

// 1. The gradient: every number of every input, moved up and down a little.
const inputs = { x: input("x", [2, 6, 3]), kernel: input("kernel", [WIDTH, 3]), gate: input("gate", [3, 3]) }
const loss = mean(square(gatedConvolution(inputs.x, inputs.kernel, inputs.gate)))
const [x, kernel, gate] = gradients(loss, Object.values(inputs))
const reference = (await openDevice("reference")).createWorkspace()
const { check } = await reference.compile({ check: program({ outputs: { loss, x, kernel, gate } }) })
const wave = (size, phase) => Array.from({ length: size }, (_, i) => Math.sin(7 * i + phase))
const values = { x: wave(36, 1), kernel: wave(15, 2), gate: wave(9, 3) }
const lossAt = async (name, i, h) =>
  (await check.run({ ...values, [name]: values[name].with(i, values[name][i] + h) })).loss[0]
let worst = 0
for (const name of Object.keys(inputs))
  for (const [i, ours] of (await check.run(values))[name].entries())
    worst = Math.max(worst, Math.abs(ours - ((await lossAt(name, i, 0.01)) - (await lossAt(name, i, -0.01))) / 0.02))
console.log(`largest difference from central differences: ${worst.toExponential(1)}`)

// 2. The model: its parameters with their roles, and a function from tokens [B, T] to logits [B, T, V].
const model = ({ vocabSize: V, hiddenSize: C, numHiddenLayers }) => {
  const layers = [...Array(numHiddenLayers).keys()]
  const normal = (shape, role, std) => ({ shape, role, init: { kind: "normal", std } })
  const block = (n) => ({
    [`kernel.${n}`]: normal([WIDTH, C], "gain", 0.2),
    [`gate.${n}`]: normal([C, C], "matrix", 0.2),
  })
  const [embed, head] = [normal([V, C], "embedding", 0.02), normal([V, C], "head", 0.02)]
  const parameters = Object.assign({ embed, head }, ...layers.map(block))
  const forward = (p, tokens) => {
    const step = (x, n) => add(x, gatedConvolution(rmsNorm(x), p[`kernel.${n}`], p[`gate.${n}`]))
    return linear(rmsNorm(layers.reduce(step, embedding(tokens, p.embed))), p.head)
  }
  return { parameters, forward }
}

// 3. Training: the recipe's sizes, our model.
const texts = Array.from({ length: 80 }, (_, n) => `${n} and ${n} make ${2 * n}, and ${n} more make ${3 * n}.\n`)
const recipe = defaultRecipe({ hiddenSize: 64, numHiddenLayers: 3, sequenceLength: 32, batchSize: 16, steps: 120 })
const run = train(recipe, { device: await openDevice(), data: texts, model })
for await (const event of run)
  if (event.type === "step-end" && event.step % 20 === 0)
    console.log(`step ${event.step}: ${event.loss.toFixed(3)} nats per token`)
