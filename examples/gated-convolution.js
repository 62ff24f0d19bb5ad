// A block of one's own, built from the public doors: a gated causal convolution in place of attention. Its gradient is checked
// against central differences on the reference device; then a model of such blocks is trained.
// Run: node examples/gated-convolution.js
import { openDevice, train } from "kinglet"
import { embedding, linear, rmsNorm } from "kinglet/nn"
import { add, gradients, input, multiply, pad, program, sigmoid, slice, square, sum } from "kinglet/tensor"
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
const inputs = [input("x", [2, 6, 3]), input("kernel", [WIDTH, 3]), input("gate", [3, 3])]
const loss = sum(square(gatedConvolution(...inputs)))
const [x, kernel, gate] = gradients(loss, inputs)
const workspace = (await openDevice("reference")).createWorkspace()
const { check } = await workspace.compile({ check: program({ outputs: { loss, x, kernel, gate } }) })
const wave = (size, phase) => Array.from({ length: size }, (_, i) => Math.sin(7 * i + phase))
const values = { x: wave(36, 1), kernel: wave(15, 2), gate: wave(9, 3) }
const { loss: _, ...derivatives } = await check.run(values)
const h = 0.01
const lossAt = async (name, i, by) =>
  (await check.run({ ...values, [name]: values[name].with(i, values[name][i] + by) })).loss[0]
let worst = 0
for (const [name, derivative] of Object.entries(derivatives))
  for (const [i, ours] of derivative.entries())
    worst = Math.max(worst, Math.abs(ours - ((await lossAt(name, i, h)) - (await lossAt(name, i, -h))) / (2 * h)))
console.log(`largest difference from central differences: ${worst.toExponential(1)}`)

// 2. The model: its parameters with their roles, and a function from tokens [B, T] to logits [B, T, V].
const model = ({ vocabSize: V, hiddenSize: C, numHiddenLayers }) => {
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) => [`kernel.${layer}`, `gate.${layer}`])
  const init = { kind: "normal", std: 0.2 }
  const block = ([kernel, gate]) => [
    [kernel, { shape: [WIDTH, C], role: "gain", init }],
    [gate, { shape: [C, C], role: "matrix", init }],
  ]
  const table = (role) => ({ shape: [V, C], role, init: { kind: "normal", std: 0.02 } })
  const parameters = { embed: table("embedding"), ...Object.fromEntries(layers.flatMap(block)), head: table("head") }
  const forward = (p, tokens) => {
    const step = (x, [kernel, gate]) => add(x, gatedConvolution(rmsNorm(x), p[kernel], p[gate]))
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
