// jax-js: the whole step, AdamW included, in one `jit`. It owns arrays by use: each mention consumes one, `.ref` keeps it.
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax"
import { adamScalars, measure, normals, taskOf, versionOf } from "./training.mjs"

const task = taskOf()
const { layers: L, heads: H, width: C, context: T, batch: B, vocabSize: V } = task

let seed = 1
const matrix = (rows, columns, deviation = 0.02) =>
  np.array(normals(rows * columns, deviation, seed++)).reshape([rows, columns])
const residual = (rows, columns) => matrix(rows, columns, 0.02 / Math.sqrt(2 * L))

const newBlock = () => ({
  norm1: np.ones([C]),
  qkv: matrix(C, 3 * C),
  out: residual(C, C),
  norm2: np.ones([C]),
  up: matrix(C, 4 * C),
  down: residual(4 * C, C),
})

const newParameters = () => ({
  tokens: matrix(V, C),
  positions: matrix(T, C),
  blocks: Array.from({ length: L }, newBlock),
  norm: np.ones([C]),
})

const layerNorm = (x, gain) => nn.standardize(x).mul(gain)

/** `[B, T, C] -> [B, T, C]`, causal. */
function attention(x, { qkv, out }) {
  const [q, k, v] = np.split(np.matmul(x, qkv), 3, -1).map((part) => part.reshape([B, T, H, C / H]))
  const mixed = nn.dotProductAttention(q, k, v, { isCausal: true }) // [B, T, H, D]
  return np.matmul(mixed.reshape([B, T, C]), out)
}

const feedForward = (x, { up, down }) => np.matmul(nn.gelu(np.matmul(x, up), { approximate: false }), down)

function loss({ tokens, positions, blocks, norm }, inputs, targets) {
  let x = np.matmul(nn.oneHot(inputs, V), tokens.ref).add(positions) // [B, T, C]
  for (const { norm1, norm2, ...block } of blocks) {
    x = x.ref.add(attention(layerNorm(x, norm1), block))
    x = x.ref.add(feedForward(layerNorm(x, norm2), block))
  }
  const logits = np.matmul(layerNorm(x, norm), np.matrixTranspose(tokens)) // [B, T, V]
  return nn
    .logSoftmax(logits)
    .mul(nn.oneHot(targets, V))
    .sum()
    .mul(-1 / (B * T))
}

/** One leaf of AdamW; the vectors are gains and do not decay. */
function adam(p, m, v, gradient, { rate, firstCorrection, secondCorrection }) {
  const [beta1, beta2] = task.betas
  m = m.mul(beta1).add(gradient.ref.mul(1 - beta1))
  v = v.mul(beta2).add(gradient.ref.mul(gradient).mul(1 - beta2))
  const update = m.ref.mul(firstCorrection).div(np.sqrt(v.ref.mul(secondCorrection)).add(1e-8))
  const kept = p.ndim < 2 ? p : p.ref.sub(p.mul(rate.ref).mul(task.weightDecay))
  return [kept.sub(update.mul(rate)), m, v]
}

function clipFactor(gradients) {
  const squares = tree.leaves(tree.ref(gradients)).map((g) => g.ref.mul(g).sum())
  const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)))
  return np.minimum(np.reciprocal(norm.add(1e-6)).mul(task.clip), 1)
}

const refs = (scalars) => Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, value.ref]))

const step = jit((parameters, first, second, inputs, targets, scalars) => {
  const [value, gradients] = valueAndGrad(loss)(tree.ref(parameters), inputs, targets)
  const factor = clipFactor(gradients)
  const [gs, structure] = tree.flatten(gradients)
  const [ps, ms, vs] = [parameters, first, second].map((each) => tree.leaves(each))
  const updated = ps.map((p, i) => adam(p, ms[i], vs[i], gs[i].mul(factor.ref), refs(scalars)))
  tree.dispose([factor, scalars])
  return [
    value,
    ...[0, 1, 2].map((part) =>
      tree.unflatten(
        structure,
        updated.map((each) => each[part]),
      ),
    ),
  ]
})

await init("wasm")
defaultDevice("wasm")
let [parameters, first, second] = [newParameters(), ...[0, 1].map(() => tree.map(np.zerosLike, newParameters()))]
await measure(task, versionOf("@jax-js/jax"), async ({ inputs, targets }, index) => {
  const ids = (values) => np.array(values, { dtype: np.int32 }).reshape([B, T])
  const scalars = Object.fromEntries(Object.entries(adamScalars(task, index)).map(([k, value]) => [k, np.array(value)]))
  let value
  ;[value, parameters, first, second] = step(parameters, first, second, ids(inputs), ids(targets), scalars)
  return (await value.data())[0]
})
