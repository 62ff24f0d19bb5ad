// One row per operation: from the gradients of its outputs to the gradients of its inputs, written with the same functions
// a user has. `gradients(loss, wrt)` walks the graph backwards and adds them up.
import { invariant, type Shape, ShapeError, sizeOf } from "../core/index.ts"
import {
  add,
  broadcast,
  constant,
  divide,
  exp,
  gather,
  greater,
  matmul,
  multiply,
  negate,
  pad,
  reshape,
  rope,
  scatterAdd,
  select,
  slice,
  square,
  subtract,
  sum,
  transpose,
} from "./functions.ts"
import type { Op } from "./ops.ts"
import { ancestorsOf, applyOp, type Node, type Tensor } from "./tensor.ts"

type Gradient = Tensor | undefined
/** `dOutputs` holds undefined where an output does not reach the loss; an input that gets undefined has no gradient. */
type GradientRule<O extends Op> = (node: Node<O>, dOutputs: readonly Gradient[]) => readonly Gradient[]

/** Sums a stretched gradient back to the shape it was stretched from. */
function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  const missing = dy.shape.length - shape.length
  const axes = dy.shape.flatMap((size, axis) =>
    axis < missing || (shape[axis - missing] === 1 && size !== 1) ? [axis] : [],
  )
  return axes.length === 0 ? reshape(dy, shape) : reshape(sum(dy, axes), shape)
}

const none: GradientRule<Op> = () => []

/** Gradient of a one-input elementwise operation: dy times a factor of its input x and output y. */
const unaryRule =
  (factor: (x: Tensor, y: Tensor) => Tensor | number): GradientRule<Op> =>
  (node, [dy]) => [multiply(dy!, factor(node.inputs[0]!, node.outputs[0]!))]

const binaryRule =
  (rule: (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [Tensor, Tensor]): GradientRule<Op> =>
  (node, [dy]) => {
    const [a, b] = node.inputs as [Tensor, Tensor]
    const [da, db] = rule(dy!, a, b, node.outputs[0]!)
    return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)]
  }

/** `dy` where a > b, half where they are equal, 0 elsewhere. */
const halfStep = (dy: Tensor, a: Tensor, b: Tensor): Tensor =>
  multiply(dy, multiply(add(greater(a, b), subtract(1, greater(b, a))), 0.5))

function maxRule(node: Node<"max">, [dy]: readonly Gradient[]): readonly Gradient[] {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!]
  const { firstAxis, lastAxis } = node.attributes
  const kept = x.shape.map((size, axis) => (axis >= firstAxis && axis <= lastAxis ? 1 : size))
  const isLargest = subtract(1, greater(reshape(y, kept), x))
  const axes = kept.flatMap((_, axis) => (axis >= firstAxis && axis <= lastAxis ? [axis] : []))
  const share = divide(reshape(dy!, kept), sum(isLargest, axes, { keepAxes: true }))
  return [multiply(isLargest, share)]
}

/** `C = A·B`: `dA = dC·Bᵀ`, `dB = Aᵀ·dC`, with the operands' own transpositions taken into account. */
function matmulRule(node: Node<"matmul">, [dy]: readonly Gradient[]): readonly Gradient[] {
  const [a, b] = node.inputs as [Tensor, Tensor]
  const { transposeA, transposeB } = node.attributes
  const shared = b.shape.length === 2 && a.shape.length > 2
  if (shared && transposeA) return matmulRuleStretched(node, dy!)
  const dA = transposeA
    ? matmul(b, dy!, { transposeA: transposeB, transposeB: true })
    : matmul(dy!, b, { transposeB: !transposeB })
  const rows = (x: Tensor) => (shared ? reshape(x, [-1, x.shape.at(-1)!]) : x)
  const dB = transposeB
    ? matmul(rows(dy!), rows(a), { transposeA: true, transposeB: transposeA })
    : matmul(rows(a), rows(dy!), { transposeA: !transposeA })
  return [dA, dB]
}

/** The rare `Aᵀ·B` with one B for many A: transpose A aloud, then it is the common case. */
function matmulRuleStretched(node: Node<"matmul">, dy: Tensor): readonly Gradient[] {
  const [a, b] = node.inputs as [Tensor, Tensor]
  const { transposeB } = node.attributes
  const dAT = matmul(dy, b, { transposeB: !transposeB })
  const flatAT = reshape(transpose(a), [-1, a.shape.at(-2)!])
  const flatDy = reshape(dy, [-1, dy.shape.at(-1)!])
  const dB = transposeB ? matmul(flatDy, flatAT, { transposeA: true }) : matmul(flatAT, flatDy, { transposeA: true })
  return [transpose(dAT), dB]
}

function concatenateRule(node: Node<"concatenate">, [dy]: readonly Gradient[]): readonly Gradient[] {
  const { axis } = node.attributes
  let start = 0
  return node.inputs.map((part) => {
    const end = start + part.shape[axis]!
    const dPart = slice(dy!, axis, start, end)
    start = end
    return dPart
  })
}

function attentionRule(node: Node<"attention">, [dO, dLogSumExp]: readonly Gradient[]): readonly Gradient[] {
  invariant(dLogSumExp === undefined, "attention: the log-sum-exp is for the gradient kernel alone")
  const [q, k, v, position] = node.inputs as [Tensor, Tensor, Tensor, Tensor]
  const [o, logSumExp] = node.outputs as [Tensor, Tensor]
  return applyOp("attentionGrad", [q, k, v, position, o, logSumExp, dO!], node.attributes)
}

function crossEntropyRule(node: Node<"crossEntropy">, [dNats, dStatistics]: readonly Gradient[]): readonly Gradient[] {
  invariant(dStatistics === undefined, "crossEntropy: the statistics are for the gradient kernel alone")
  return applyOp("crossEntropyGrad", [...node.inputs, node.outputs[1]!, dNats!], {})
}

/** Its last output is `Σ dNats · nats`, and the gradients of that are its others. */
function linearCrossEntropyGradRule(node: Node<"linearCrossEntropyGrad">, dOutputs: readonly Gradient[]) {
  const [dX, dWeight, nats] = node.outputs
  const [first, second, third, dTotal] = dOutputs
  if (dTotal === undefined || first || second || third) return notTwice("linearCrossEntropy")(node as never, dOutputs)
  return [multiply(dX!, dTotal), multiply(dWeight!, dTotal), undefined, multiply(nats!, dTotal)]
}

const notTwice =
  (op: string): GradientRule<Op> =>
  () => {
    throw new ShapeError(
      `${op}: second derivatives are not defined`,
      "write the loss with elementwise operations instead",
    )
  }

const notTrained =
  (op: string): GradientRule<Op> =>
  () => {
    throw new ShapeError(`${op}: packed weights have no gradient`, "train with plain tensors, pack what is to be run")
  }

const TWO_OVER_SQRT_PI = 1.1283791670955126

/** Made when gradients are asked for: a bundle that only runs models leaves them out. */
const gradientRules = (): { readonly [O in Op]: GradientRule<O> } => ({
  input: none,
  state: none,
  constant: none,
  data: none,
  random: none,
  toFloat: () => [undefined],
  negate: unaryRule(() => -1),
  exp: unaryRule((_, y) => y),
  log: (node, [dy]) => [divide(dy!, node.inputs[0]!)],
  sqrt: (node, [dy]) => [divide(multiply(dy!, 0.5), node.outputs[0]!)],
  tanh: unaryRule((_, y) => subtract(1, square(y))),
  sigmoid: unaryRule((_, y) => multiply(y, subtract(1, y))),
  erf: unaryRule((x) => multiply(exp(negate(square(x))), TWO_OVER_SQRT_PI)),
  absolute: unaryRule((x) => subtract(greater(x, 0), greater(0, x))),
  add: binaryRule((dy) => [dy, dy]),
  subtract: binaryRule((dy) => [dy, negate(dy)]),
  multiply: binaryRule((dy, a, b) => [multiply(dy, b), multiply(dy, a)]),
  divide: binaryRule((dy, _, b, y) => [divide(dy, b), negate(divide(multiply(dy, y), b))]),
  maximum: binaryRule((dy, a, b) => [halfStep(dy, a, b), halfStep(dy, b, a)]),
  minimum: binaryRule((dy, a, b) => [halfStep(dy, b, a), halfStep(dy, a, b)]),
  greater: () => [undefined, undefined],
  select: (node, [dy]) => {
    const [condition, a, b] = node.inputs as [Tensor, Tensor, Tensor]
    return [undefined, unbroadcast(select(condition, dy!, 0), a.shape), unbroadcast(select(condition, 0, dy!), b.shape)]
  },
  reshape: (node, [dy]) => [reshape(dy!, node.inputs[0]!.shape)],
  transpose: (node, [dy]) => {
    const inverse = [...node.attributes.permutation.keys()].sort(
      (i, j) => node.attributes.permutation[i]! - node.attributes.permutation[j]!,
    )
    return [transpose(dy!, inverse)]
  },
  broadcast: (node, [dy]) => [unbroadcast(dy!, node.inputs[0]!.shape)],
  slice: (node, [dy]) => {
    const { axis, start, end } = node.attributes
    return [pad(dy!, axis, start, node.inputs[0]!.shape[axis]! - end)]
  },
  pad: (node, [dy]) => {
    const { axis, before } = node.attributes
    return [slice(dy!, axis, before, before + node.inputs[0]!.shape[axis]!)]
  },
  concatenate: concatenateRule,
  sum: (node, [dy]) => {
    const { firstAxis, lastAxis } = node.attributes
    const shape = node.inputs[0]!.shape
    const kept = shape.map((size, axis) => (axis >= firstAxis && axis <= lastAxis ? 1 : size))
    return [broadcast(reshape(dy!, kept), shape)]
  },
  max: maxRule,
  matmul: matmulRule,
  gather: (node, [dy]) => [scatterAdd(node.inputs[1]!, dy!, node.inputs[0]!.shape[0]!), undefined],
  packedLinear: notTrained("packedLinear"),
  packedGather: notTrained("packedGather"),
  scatterAdd: (node, [dy]) => [undefined, gather(dy!, node.inputs[0]!)],
  rope: (node, [dy]) => {
    const [, cos, sin, position] = node.inputs as [Tensor, Tensor, Tensor, Tensor]
    return [rope(dy!, { cos, sin }, position, !node.attributes.inverse), undefined, undefined, undefined]
  },
  attention: attentionRule,
  attentionGrad: notTwice("attention"),
  cacheWrite: () => {
    throw new ShapeError("cacheWrite: it has no gradient", "train without a cache")
  },
  crossEntropy: crossEntropyRule,
  crossEntropyGrad: notTwice("crossEntropy"),
  linearCrossEntropy: (node, [dNats]) =>
    applyOp("linearCrossEntropyGrad", [...node.inputs, dNats!], node.attributes).slice(0, 2),
  linearCrossEntropyGrad: linearCrossEntropyGradRule,
})

/** Which of `nodes`, oldest first, depend on any of `wrt`: gradients are worth computing only there. */
function dependents(nodes: readonly Node[], wrt: readonly Tensor[]): Set<Node> {
  const result = new Set(wrt.map((tensor) => tensor.node))
  for (const node of nodes) if (node.inputs.some((x) => result.has(x.node))) result.add(node)
  return result
}

/**
 * Gradients of the scalar `loss` with respect to each tensor of `wrt`, in order; zeros where the loss does not depend on it.
 *
 * Reverse accumulation: `dx = Σ over users of x of (d user / d x)ᵀ · d user`, from the loss back.
 *
 * @throws ShapeError  if `loss` is not a scalar
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (sizeOf(loss.shape) !== 1)
    throw new ShapeError(`gradients: the loss must be a scalar, got [${loss.shape.join(", ")}]`, "use mean()")
  const nodes = ancestorsOf([loss])
  const useful = dependents(nodes, wrt)
  const rules = gradientRules()
  const total = new Map<Tensor, Tensor>([[loss, broadcast(constant(1), loss.shape)]])
  for (const node of nodes.reverse()) {
    const dOutputs = node.outputs.map((output) => total.get(output))
    if (!useful.has(node) || node.inputs.length === 0 || dOutputs.every((dy) => dy === undefined)) continue
    const rule = rules[node.op] as GradientRule<Op>
    for (const [index, dx] of rule(node, dOutputs).entries()) {
      const x = node.inputs[index]!
      if (dx === undefined || !useful.has(x.node)) continue
      const sofar = total.get(x)
      total.set(x, sofar === undefined ? dx : add(sofar, dx))
    }
  }
  return wrt.map((tensor) => total.get(tensor) ?? broadcast(constant(0), tensor.shape))
}
