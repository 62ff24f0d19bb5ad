// TensorFlow.js on its WebAssembly backend. Lookups are products with one-hot rows: its gather has no gradient there. Its own
// Adam has no decoupled decay, so AdamW is written out; `tidy` frees what a step made.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as tf from "@tensorflow/tfjs"
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm"
import { adamScalars, measure, normals, taskOf, versionOf } from "./training.mjs"

const task = taskOf()
const { layers: L, heads: H, width: C, context: T, batch: B, vocabSize: V } = task
const D = C / H

// Its loader asks `fetch` for a file by name, which Node refuses.
const binaries = fileURLToPath(new URL("node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url))
const fetchOfWeb = globalThis.fetch
globalThis.fetch = async (url, ...rest) =>
  typeof url === "string" && url.startsWith(binaries)
    ? new Response(readFileSync(url), { headers: { "content-type": "application/wasm" } })
    : fetchOfWeb(url, ...rest)
setWasmPaths(binaries)
await tf.setBackend("wasm")

let seed = 1
const matrix = (rows, columns, deviation = 0.02) =>
  tf.variable(tf.tensor2d(normals(rows * columns, deviation, seed++), [rows, columns]))
const residual = (rows, columns) => matrix(rows, columns, 0.02 / Math.sqrt(2 * L))
const gain = () => tf.variable(tf.ones([C]))

const tokens = matrix(V, C)
const positions = matrix(T, C)
const blocks = Array.from({ length: L }, () => ({
  norm1: gain(),
  qkv: matrix(C, 3 * C),
  out: residual(C, C),
  norm2: gain(),
  up: matrix(C, 4 * C),
  down: residual(4 * C, C),
}))
const norm = gain()
const parameters = [tokens, positions, norm, ...blocks.flatMap((block) => Object.values(block))]
const moments = [0, 1].map(() => parameters.map((p) => tf.variable(tf.zerosLike(p))))
const mask = tf.tidy(() =>
  tf.linalg
    .bandPart(tf.ones([T, T]), -1, 0)
    .sub(1)
    .mul(1e9),
) // 0 visible, -1e9 hidden

/** `[…, m, n] -> […, n, m]` */
const flip = (x) =>
  x.transpose(x.shape.map((_, axis, { length }) => (axis < length - 2 ? axis : 2 * length - 3 - axis)))

/**
 * `a · b`, with the operands of its gradients flipped beforehand: the backend's fast kernel takes plain products of two
 * matrices only. Measured: 22 GFLOP/s, and 1.6 marked as transposed or 1.4 in batches (taking those apart costs more).
 */
const multiply = tf.customGrad((a, b, save) => {
  save([a, b])
  const gradFunc = (dy, [x, y]) => [tf.matMul(dy, flip(y)), tf.matMul(flip(x), dy)]
  return { value: tf.matMul(a, b), gradFunc }
})

function layerNorm(x, weight) {
  const { mean, variance } = tf.moments(x, -1, true)
  return x.sub(mean).div(variance.add(1e-5).sqrt()).mul(weight)
}

function attention(x, { qkv, out }) {
  const heads = (part) => part.reshape([B, T, H, D]).transpose([0, 2, 1, 3]) // [B, H, T, D]
  const [q, k, v] = tf.split(multiply(x, qkv), 3, -1).map(heads)
  const scores = multiply(q, flip(k)).mul(1 / Math.sqrt(D))
  const mixed = multiply(tf.softmax(scores.add(mask)), v)
  return multiply(mixed.transpose([0, 2, 1, 3]).reshape([B * T, C]), out)
}

const gelu = (x) => x.mul(0.5).mul(tf.erf(x.mul(Math.SQRT1_2)).add(1))

function forward(inputs, targets) {
  let x = multiply(tf.oneHot(inputs, V).toFloat(), tokens)
  x = x
    .reshape([B, T, C])
    .add(positions)
    .reshape([B * T, C])
  for (const block of blocks) {
    x = x.add(attention(layerNorm(x, block.norm1), block))
    x = x.add(multiply(gelu(multiply(layerNorm(x, block.norm2), block.up)), block.down))
  }
  const logits = multiply(layerNorm(x, norm), flip(tokens))
  return tf
    .logSoftmax(logits)
    .mul(tf.oneHot(targets, V).toFloat())
    .sum()
    .mul(-1 / (B * T))
}

function update(index, gradient, { rate, firstCorrection, secondCorrection }) {
  const [beta1, beta2] = task.betas
  const [p, m, v] = [parameters[index], moments[0][index], moments[1][index]]
  m.assign(m.mul(beta1).add(gradient.mul(1 - beta1)))
  v.assign(v.mul(beta2).add(gradient.square().mul(1 - beta2)))
  const decay = p.rank < 2 ? 0 : rate * task.weightDecay
  const change = m.mul(rate * firstCorrection).div(v.mul(secondCorrection).sqrt().add(1e-8))
  p.assign(p.mul(1 - decay).sub(change))
}

function step(inputs, targets, scalars) {
  const { value, grads } = tf.variableGrads(() => forward(inputs, targets), parameters)
  const gradients = parameters.map(({ name }) => grads[name])
  const length = tf.addN(gradients.map((g) => g.square().sum())).sqrt()
  const factor = tf.minimum(tf.scalar(task.clip).div(length.add(1e-6)), 1)
  for (const [index, gradient] of gradients.entries()) update(index, gradient.mul(factor), scalars)
  return value
}

await measure(task, versionOf("@tensorflow/tfjs"), async ({ inputs, targets }, index) => {
  const ids = (values) => tf.tensor1d(values, "int32")
  const value = tf.tidy(() => step(ids(inputs), ids(targets), adamScalars(task, index)))
  const [loss] = await value.data()
  value.dispose()
  return loss
})
