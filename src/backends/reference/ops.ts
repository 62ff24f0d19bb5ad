// Every operation as a plain loop over f64 numbers: the formula, nothing else.
import { exp, invariant, log, mix32, type Shape, sizeOf, stridesOf } from "../../core/index.ts"
import { type Node, type Op, PANEL_COLUMNS } from "../../tensor/index.ts"

export type Numbers = Float64Array
type ReferenceOp<O extends Op> = (inputs: readonly Numbers[], node: Node<O>) => readonly Numbers[]

const outputShape = (node: Node, index = 0): Shape => node.outputs[index]!.shape
const inputShape = (node: Node, index: number): Shape => node.inputs[index]!.shape
const zeros = (shape: Shape): Numbers => new Float64Array(sizeOf(shape))

/** Calls `visit` with each multi-index of `shape`, in C order. */
function forEachIndex(shape: Shape, visit: (index: readonly number[], flat: number) => void): void {
  const index = shape.map(() => 0)
  for (let flat = 0; flat < sizeOf(shape); flat++) {
    visit(index, flat)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break
      index[axis] = 0
    }
  }
}

/** Position in an operand of `shape` for an index of the stretched result. */
function stretchedPosition(index: readonly number[], shape: Shape, strides: readonly number[]): number {
  const missing = index.length - shape.length
  let position = 0
  for (let axis = 0; axis < shape.length; axis++)
    if (shape[axis] !== 1) position += index[axis + missing]! * strides[axis]!
  return position
}

const elementwise =
  (formula: (...values: number[]) => number): ReferenceOp<Op> =>
  (inputs, node) => {
    const result = zeros(outputShape(node))
    const operands = inputs.map((values, i) => ({
      values,
      shape: inputShape(node, i),
      strides: stridesOf(inputShape(node, i)),
    }))
    forEachIndex(outputShape(node), (index, flat) => {
      result[flat] = formula(
        ...operands.map(({ values, shape, strides }) => values[stretchedPosition(index, shape, strides)]!),
      )
    })
    return [result]
  }

/** Result element at `index` comes from the input element at `from(index)`, or is 0 where `from` says undefined. */
const moved =
  (from: (index: readonly number[], node: Node) => readonly number[] | undefined): ReferenceOp<Op> =>
  (inputs, node) => {
    const result = zeros(outputShape(node))
    const strides = stridesOf(inputShape(node, 0))
    forEachIndex(outputShape(node), (index, flat) => {
      const source = from(index, node)
      if (source !== undefined)
        result[flat] = inputs[0]![source.reduce((sum, at, axis) => sum + at * strides[axis]!, 0)]!
    })
    return [result]
  }

const reduction =
  (start: number, combine: (a: number, b: number) => number): ReferenceOp<"sum" | "max"> =>
  ([x], node) => {
    const { firstAxis, lastAxis } = node.attributes
    const shape = inputShape(node as never, 0)
    const outer = sizeOf(shape.slice(0, firstAxis))
    const reduced = sizeOf(shape.slice(firstAxis, lastAxis + 1))
    const inner = sizeOf(shape.slice(lastAxis + 1))
    const result = new Float64Array(outer * inner).fill(start)
    for (let o = 0; o < outer; o++)
      for (let r = 0; r < reduced; r++)
        for (let i = 0; i < inner; i++)
          result[o * inner + i] = combine(result[o * inner + i]!, x![(o * reduced + r) * inner + i]!)
    return [result]
  }

/** `erf x = 2/√π Σ (-1)^n x^(2n+1) / (n! (2n+1))` near 0, a continued fraction of erfc further out. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    let term = a
    let total = a
    for (let n = 1; n < 80; n++) {
      term *= (-a * a) / n
      total += term / (2 * n + 1)
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI)
  }
  let fraction = a
  for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction
  return Math.sign(x) * (1 - exp(-a * a) / (fraction * Math.sqrt(Math.PI)))
}

const tanh = (x: number): number => {
  if (Math.abs(x) < 1e-4) return x - (x * x * x) / 3
  const e = exp(-2 * Math.abs(x))
  return (Math.sign(x) * (1 - e)) / (1 + e)
}

/** Uniform from counters: element `index` of stream `stream` under `seed`, 24 bits. */
export function counterUniform(seed: number, stream: number, index: number): number {
  return (mix32(mix32((seed | 0) ^ mix32(stream)) ^ index) >>> 8) / 16777216
}

function matmul([a, b]: readonly Numbers[], node: Node<"matmul">): readonly Numbers[] {
  const { transposeA, transposeB } = node.attributes
  const [shapeA, shapeB, shape] = [node.inputs[0]!.shape, node.inputs[1]!.shape, node.outputs[0]!.shape]
  const [M, N, K] = [shape.at(-2)!, shape.at(-1)!, transposeA ? shapeA.at(-2)! : shapeA.at(-1)!]
  const result = zeros(shape)
  for (let batch = 0; batch < sizeOf(shape.slice(0, -2)); batch++) {
    const [atA, atB] = [batch * M * K, shapeB.length === 2 ? 0 : batch * K * N]
    for (let m = 0; m < M; m++)
      for (let n = 0; n < N; n++) {
        let total = 0
        for (let k = 0; k < K; k++)
          total += a![atA + (transposeA ? k * M + m : m * K + k)]! * b![atB + (transposeB ? n * K + k : k * N + n)]!
        result[(batch * M + m) * N + n] = total
      }
  }
  return [result]
}

function concatenate(inputs: readonly Numbers[], node: Node<"concatenate">): readonly Numbers[] {
  const { axis } = node.attributes
  const shape = node.outputs[0]!.shape
  const result = zeros(shape)
  const strides = stridesOf(shape)
  let start = 0
  for (const [i, part] of node.inputs.entries()) {
    forEachIndex(part.shape, (index, flat) => {
      const at = index.reduce((sum, value, a) => sum + (value + (a === axis ? start : 0)) * strides[a]!, 0)
      result[at] = inputs[i]![flat]!
    })
    start += part.shape[axis]!
  }
  return [result]
}

function gather([table, ids]: readonly Numbers[], node: Node<"gather">): readonly Numbers[] {
  const [V, C] = node.inputs[0]!.shape as [number, number]
  const result = zeros(node.outputs[0]!.shape)
  for (const [row, id] of ids!.entries())
    if (id >= 0 && id < V) result.set(table!.subarray(id * C, (id + 1) * C), row * C)
  return [result]
}

/** Number k of row n of a packed table of rows of K numbers. */
const inPanels = (panels: Numbers, K: number, n: number, k: number): number =>
  panels[(Math.floor(n / PANEL_COLUMNS) * K + k) * PANEL_COLUMNS + (n % PANEL_COLUMNS)]!

function packedLinear([x, panels]: readonly Numbers[], node: Node<"packedLinear">): readonly Numbers[] {
  const [, K] = node.inputs[1]!.shape as [number, number, number]
  const N = node.attributes.outputs
  const y = zeros(node.outputs[0]!.shape)
  for (let at = 0; at < y.length; at++) {
    const [row, n] = [Math.floor(at / N), at % N]
    for (let k = 0; k < K; k++) y[at]! += x![row * K + k]! * inPanels(panels!, K, n, k)
  }
  return [y]
}

function packedGather([panels, ids]: readonly Numbers[], node: Node<"packedGather">): readonly Numbers[] {
  const [, C] = node.inputs[0]!.shape as [number, number, number]
  const result = zeros(node.outputs[0]!.shape)
  for (const [row, id] of ids!.entries())
    if (id >= 0 && id < node.attributes.rows)
      for (let c = 0; c < C; c++) result[row * C + c] = inPanels(panels!, C, id, c)
  return [result]
}

function scatterAdd([ids, x]: readonly Numbers[], node: Node<"scatterAdd">): readonly Numbers[] {
  const [rows, C] = node.outputs[0]!.shape as [number, number]
  const result = zeros([rows, C])
  for (const [row, id] of ids!.entries())
    if (id >= 0 && id < rows) for (let c = 0; c < C; c++) result[id * C + c]! += x![row * C + c]!
  return [result]
}

function rope([x, cos, sin, position]: readonly Numbers[], node: Node<"rope">): readonly Numbers[] {
  const [B, T, H, D] = node.inputs[0]!.shape as [number, number, number, number]
  const half = D / 2
  const rows = node.inputs[1]!.shape[0]!
  const sign = node.attributes.inverse ? -1 : 1
  const result = zeros([B, T, H, D])
  for (let b = 0; b < B; b++)
    for (let t = 0; t < T; t++)
      for (let h = 0; h < H; h++)
        for (let i = 0; i < half; i++) {
          const angle = Math.min(position![b]! + t, rows - 1) * half + i
          const at = ((b * T + t) * H + h) * D + i
          const [first, second, c, s] = [x![at]!, x![at + half]!, cos![angle]!, sign * sin![angle]!]
          result[at] = first * c - second * s
          result[at + half] = second * c + first * s
        }
  return [result]
}

interface AttentionShape {
  readonly B: number
  readonly T: number
  readonly H: number
  readonly D: number
  readonly S: number
  readonly K: number
  /** Start of row t of head h in q, and of row s of its key/value head in k. */
  readonly atQ: (b: number, t: number, h: number) => number
  readonly atK: (b: number, s: number, h: number) => number
  /** Number of keys that row t sees. */
  readonly visible: (b: number, t: number) => number
}

function attentionShape(node: Node<"attention" | "attentionGrad">, position: Numbers): AttentionShape {
  const [B, T, H, D] = node.inputs[0]!.shape as [number, number, number, number]
  const [, S, K] = node.inputs[1]!.shape as [number, number, number, number]
  return {
    B,
    T,
    H,
    D,
    S,
    K,
    atQ: (b, t, h) => ((b * T + t) * H + h) * D,
    atK: (b, s, h) => ((b * S + s) * K + Math.floor(h / (H / K))) * D,
    visible: (b, t) => (node.attributes.causal ? Math.min(position[b]! + t + 1, S) : S),
  }
}

const dot = (a: Numbers, atA: number, b: Numbers, atB: number, length: number): number => {
  let total = 0
  for (let i = 0; i < length; i++) total += a[atA + i]! * b[atB + i]!
  return total
}

/** `y += factor · x` over `length` elements. */
const addScaled = (y: Numbers, atY: number, factor: number, x: Numbers, atX: number, length: number): void => {
  for (let i = 0; i < length; i++) y[atY + i]! += factor * x[atX + i]!
}

function attention([q, k, v, position]: readonly Numbers[], node: Node<"attention">): readonly Numbers[] {
  const { B, T, H, D, atQ, atK, visible } = attentionShape(node, position!)
  const [o, logSumExp] = [zeros([B, T, H, D]), zeros([B, H, T])]
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        const scores = Array.from(
          { length: visible(b, t) },
          (_, s) => node.attributes.scale * dot(q!, atQ(b, t, h), k!, atK(b, s, h), D),
        )
        const largest = Math.max(...scores)
        const total = scores.reduce((sum, score) => sum + exp(score - largest), 0)
        for (const [s, score] of scores.entries())
          addScaled(o, atQ(b, t, h), exp(score - largest) / total, v!, atK(b, s, h), D)
        logSumExp[(b * H + h) * T + t] = largest + log(total)
      }
  return [o, logSumExp]
}

/** `dV = Pᵀ·dO`, `dP = dO·Vᵀ`, `dS = P∘(dP - Σ dO∘O)`, `dQ = scale·dS·K`, `dK = scale·dSᵀ·Q`. */
function attentionGrad(
  [q, k, v, position, o, logSumExp, dO]: readonly Numbers[],
  node: Node<"attentionGrad">,
): readonly Numbers[] {
  const { B, T, H, D, S, K, atQ, atK, visible } = attentionShape(node, position!)
  const { scale } = node.attributes
  const [dQ, dK, dV] = [zeros([B, T, H, D]), zeros([B, S, K, D]), zeros([B, S, K, D])]
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        const row = atQ(b, t, h)
        const delta = dot(dO!, row, o!, row, D)
        for (let s = 0; s < visible(b, t); s++) {
          const column = atK(b, s, h)
          const p = exp(scale * dot(q!, row, k!, column, D) - logSumExp![(b * H + h) * T + t]!)
          const dScore = scale * p * (dot(dO!, row, v!, column, D) - delta)
          addScaled(dV, column, p, dO!, row, D)
          addScaled(dQ, row, dScore, k!, column, D)
          addScaled(dK, column, dScore, q!, row, D)
        }
      }
  return [dQ, dK, dV]
}

function cacheWrite([cache, x, position]: readonly Numbers[], node: Node<"cacheWrite">): readonly Numbers[] {
  const [B, S, K, D] = node.inputs[0]!.shape as [number, number, number, number]
  const T = node.inputs[1]!.shape[1]!
  const result = cache!.slice()
  for (let b = 0; b < B; b++)
    for (let t = 0; t < T; t++) {
      const row = position![b]! + t
      if (row < S) result.set(x!.subarray((b * T + t) * K * D, (b * T + t + 1) * K * D), (b * S + row) * K * D)
    }
  return [result]
}

/** Nats and statistics of rows of logits that `rowOf` makes; zeros where the target is negative. */
function natsOf(targets: Numbers, rowOf: (n: number) => Numbers): readonly Numbers[] {
  const [nats, statistics] = [zeros([targets.length]), zeros([targets.length, 2])]
  for (const [n, target] of targets.entries()) {
    if (target < 0) continue
    const row = rowOf(n)
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
    const logSum = log(row.reduce((total, logit) => total + exp(logit - largest), 0))
    statistics.set([largest, logSum], 2 * n)
    nats[n] = largest - row[target]! + logSum
  }
  return [nats, statistics]
}

/** `softmax(row) - onehot(target)` of row n, zeros where its target is negative. */
function softmaxLessOneHot(n: number, row: Numbers, targets: Numbers, statistics: Numbers): Numbers {
  const [target, largest, logSum] = [targets[n]!, statistics[2 * n]!, statistics[2 * n + 1]!]
  return row.map((logit, v) => (target < 0 ? 0 : exp(logit - largest - logSum) - (v === target ? 1 : 0)))
}

function crossEntropy([logits, targets]: readonly Numbers[], node: Node<"crossEntropy">): readonly Numbers[] {
  const V = node.inputs[0]!.shape[1]!
  return natsOf(targets!, (n) => logits!.subarray(n * V, (n + 1) * V))
}

/** `dLogits = dNats · (softmax(logits) - onehot(target))`. */
function crossEntropyGrad(
  [logits, targets, statistics, dNats]: readonly Numbers[],
  node: Node<"crossEntropyGrad">,
): readonly Numbers[] {
  const [N, V] = node.inputs[0]!.shape as [number, number]
  const result = zeros([N, V])
  for (let n = 0; n < N; n++) {
    const row = softmaxLessOneHot(n, logits!.subarray(n * V, (n + 1) * V), targets!, statistics!)
    result.set(
      row.map((d) => dNats![n]! * d),
      n * V,
    )
  }
  return [result]
}

/** Logits of row n of a head, and their slopes over `x·weightᵀ`. */
function headRow(
  n: number,
  [x, weight]: readonly Numbers[],
  node: Node<"linearCrossEntropy" | "linearCrossEntropyGrad">,
) {
  const [V, C] = node.inputs[1]!.shape as [number, number]
  const { softcap } = node.attributes
  const products = zeros([V]).map((_, v) => dot(x!, n * C, weight!, v * C, C))
  if (softcap === 0) return { logits: products, slopes: products.map(() => 1) }
  const bent = products.map((z) => tanh(z / softcap))
  return { logits: bent.map((t) => softcap * t), slopes: bent.map((t) => 1 - t * t) }
}

const headNats = (inputs: readonly Numbers[], node: Node<"linearCrossEntropy" | "linearCrossEntropyGrad">) =>
  natsOf(inputs[2]!, (n) => headRow(n, inputs, node).logits)

/** `dZ = dNats · (softmax(logits) - onehot(target)) · slope`, `dX = dZ·W`, `dW = dZᵀ·x`. */
function linearCrossEntropyGrad(inputs: readonly Numbers[], node: Node<"linearCrossEntropyGrad">): readonly Numbers[] {
  const [x, weight, targets, dNats] = inputs
  const [N, C] = node.inputs[0]!.shape as [number, number]
  const [dX, dWeight] = [zeros(node.inputs[0]!.shape), zeros(node.inputs[1]!.shape)]
  const [nats, statistics] = headNats(inputs, node)
  for (let n = 0; n < N; n++) {
    const { logits, slopes } = headRow(n, inputs, node)
    for (const [v, d] of softmaxLessOneHot(n, logits, targets!, statistics!).entries()) {
      addScaled(dX, n * C, dNats![n]! * d * slopes[v]!, weight!, v * C, C)
      addScaled(dWeight, v * C, dNats![n]! * d * slopes[v]!, x!, n * C, C)
    }
  }
  return [dX, dWeight, nats!, Float64Array.of(dot(nats!, 0, dNats!, 0, N))]
}

const fedByTheDevice = (): never => invariant(false, "inputs and states are fed by the device") as never

export const referenceOps: { readonly [O in Op]: ReferenceOp<O> } = {
  input: fedByTheDevice,
  state: fedByTheDevice,
  constant: (_, node) => [Float64Array.of(Math.fround(node.attributes.value))],
  data: (_, node) => [Float64Array.from(node.attributes.values)],
  random: ([seed], node) => {
    const { shape, stream } = node.attributes
    return [zeros(shape).map((_, index) => counterUniform(seed![0]!, stream, index))]
  },
  toFloat: elementwise((x) => x),
  negate: elementwise((x) => -x),
  exp: elementwise(exp),
  log: elementwise(log),
  sqrt: elementwise(Math.sqrt),
  tanh: elementwise(tanh),
  sigmoid: elementwise((x) => 1 / (1 + exp(-x))),
  erf: elementwise(erf),
  absolute: elementwise(Math.abs),
  add: elementwise((a, b) => a + b),
  subtract: elementwise((a, b) => a - b),
  multiply: elementwise((a, b) => a * b),
  divide: elementwise((a, b) => a / b),
  maximum: elementwise(Math.max),
  minimum: elementwise(Math.min),
  greater: elementwise((a, b) => (a > b ? 1 : 0)),
  select: elementwise((condition, a, b) => (condition !== 0 ? a : b)),
  reshape: ([x]) => [x!.slice()],
  transpose: moved((index, node) => {
    const source: number[] = []
    for (const [to, from] of (node as Node<"transpose">).attributes.permutation.entries()) source[from] = index[to]!
    return source
  }),
  broadcast: elementwiseBroadcast,
  slice: moved((index, node) => {
    const { axis, start } = (node as Node<"slice">).attributes
    return index.map((at, a) => (a === axis ? at + start : at))
  }),
  pad: moved((index, node) => {
    const { axis, before } = (node as Node<"pad">).attributes
    const inside = index[axis]! >= before && index[axis]! < before + node.inputs[0]!.shape[axis]!
    return inside ? index.map((at, a) => (a === axis ? at - before : at)) : undefined
  }),
  concatenate,
  sum: reduction(0, (a, b) => a + b),
  max: reduction(-Infinity, Math.max),
  matmul,
  gather,
  packedLinear,
  packedGather,
  scatterAdd,
  rope,
  attention,
  attentionGrad,
  cacheWrite,
  crossEntropy,
  crossEntropyGrad,
  linearCrossEntropy: (inputs, node) => headNats(inputs, node).slice(0, 1),
  linearCrossEntropyGrad,
}

function elementwiseBroadcast(inputs: readonly Numbers[], node: Node<"broadcast">): readonly Numbers[] {
  return elementwise((x) => x)(inputs, node as never)
}
