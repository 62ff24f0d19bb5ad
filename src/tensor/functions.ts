// What one writes models with: functions from tensors to tensors. Plain numbers stand for scalar constants.
import { type DType, formatShape, resolveAxis, type Shape, ShapeError, sameShape, sizeOf } from "../core/index.ts"
import type { BinaryOp, UnaryOp } from "./ops.ts"
import { requireFinite } from "./shape-rules.ts"
import { applyOp, isOp, type Tensor } from "./tensor.ts"

export type Operand = Tensor | number

// Sources

/** Numbers handed in at each run, under `name`. */
export function input(name: string, shape: Shape, dtype: DType = "f32"): Tensor {
  return applyOp("input", [], { name, shape, dtype })[0]!
}

/** Numbers that live from run to run: a parameter, a moment, a cache. The tensor itself is its identity. */
export function state(name: string, shape: Shape, dtype: DType = "f32"): Tensor {
  return applyOp("state", [], { name, shape, dtype })[0]!
}

/** A scalar known while tracing. */
export function constant(value: number): Tensor {
  requireFinite(value, "a constant")
  return applyOp("constant", [], { value })[0]!
}

/** A fixed array, laid into memory once. */
export function data(values: Float32Array | Int32Array, shape: Shape = [values.length]): Tensor {
  return applyOp("data", [], { values, shape })[0]!
}

/**
 * Uniform numbers in [0, 1) of `shape`: a pure function of `seed` (i32 scalar), `stream` and the element's index, so that
 * the same mask can be made again in the gradient instead of being stored.
 */
export function random(seed: Tensor, shape: Shape, stream: number): Tensor {
  return applyOp("random", [seed], { shape, stream })[0]!
}

// Elementwise

const operand = (value: Operand): Tensor => (typeof value === "number" ? constant(value) : value)
const isNumber = (x: Operand, value: number): boolean =>
  typeof x === "number" ? x === value : isOp(x.node, "constant") && x.node.attributes.value === value
const unary =
  (op: UnaryOp) =>
  (x: Tensor): Tensor =>
    applyOp(op, [x], {})[0]!
const binary = (op: BinaryOp, a: Operand, b: Operand): Tensor => applyOp(op, [operand(a), operand(b)], {})[0]!

/** i32 to f32. */
export const toFloat = /* @__PURE__ */ unary("toFloat")
export const negate = /* @__PURE__ */ unary("negate")
export const exp = /* @__PURE__ */ unary("exp")
/** Natural logarithm. */
export const log = /* @__PURE__ */ unary("log")
export const sqrt = /* @__PURE__ */ unary("sqrt")
export const tanh = /* @__PURE__ */ unary("tanh")
/** `1 / (1 + e^-x)`. */
export const sigmoid = /* @__PURE__ */ unary("sigmoid")
/** The error function `2/√π ∫₀ˣ e^-t² dt`. */
export const erf = /* @__PURE__ */ unary("erf")
export const absolute = /* @__PURE__ */ unary("absolute")

/** `a + b`, stretched to a common shape. */
export function add(a: Operand, b: Operand): Tensor {
  if (isNumber(a, 0)) return operand(b)
  if (isNumber(b, 0)) return operand(a)
  return binary("add", a, b)
}

export const subtract = (a: Operand, b: Operand): Tensor => (isNumber(b, 0) ? operand(a) : binary("subtract", a, b))

/** `a · b` element by element, stretched to a common shape. */
export function multiply(a: Operand, b: Operand): Tensor {
  if (isNumber(a, 1)) return operand(b)
  if (isNumber(b, 1)) return operand(a)
  return binary("multiply", a, b)
}

export const divide = (a: Operand, b: Operand): Tensor => (isNumber(b, 1) ? operand(a) : binary("divide", a, b))
export const maximum = (a: Operand, b: Operand): Tensor => binary("maximum", a, b)
export const minimum = (a: Operand, b: Operand): Tensor => binary("minimum", a, b)
/** 1 where `a > b`, else 0. No gradient flows through it. */
export const greater = (a: Operand, b: Operand): Tensor => binary("greater", a, b)
/** `a` where `condition` is not 0, else `b`. */
export const select = (condition: Tensor, a: Operand, b: Operand): Tensor =>
  applyOp("select", [condition, operand(a), operand(b)], {})[0]!
export const square = (x: Tensor): Tensor => multiply(x, x)

// Form

/** The same elements under another shape; one size may be -1 and is inferred. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((size) => size !== -1))
  const inferred = shape.map((size) => (size === -1 ? sizeOf(x.shape) / known : size))
  if (!inferred.every(Number.isInteger))
    throw new ShapeError(`reshape: ${formatShape(x.shape)} does not fit ${formatShape(shape)}`)
  return sameShape(inferred, x.shape) ? x : applyOp("reshape", [x], { shape: inferred })[0]!
}

/** Axes reordered; without a permutation the last two are swapped. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  const rank = x.shape.length
  const axes = permutation ?? [...Array(Math.max(rank - 2, 0)).keys(), rank - 1, rank - 2]
  return applyOp("transpose", [x], { permutation: axes })[0]!
}

export const broadcast = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : applyOp("broadcast", [x], { shape })[0]!

/** Elements `start..end-1` along `axis`. */
export const slice = (x: Tensor, axis: number, start: number, end: number): Tensor =>
  applyOp("slice", [x], { axis: resolveAxis(axis, x.shape.length), start, end })[0]!

/** Zeros before and after, along `axis`. */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  if (before === 0 && after === 0) return x
  return applyOp("pad", [x], { axis: resolveAxis(axis, x.shape.length), before, after })[0]!
}

export const concatenate = (parts: readonly Tensor[], axis: number): Tensor =>
  parts.length === 1
    ? parts[0]!
    : applyOp("concatenate", parts, { axis: resolveAxis(axis, parts[0]?.shape.length ?? 0) })[0]!

// Reductions

interface ReduceOptions {
  /** Keeps removed axes with size 1. */
  readonly keepAxes?: boolean
}

/** Neighboring axes are reduced together, the last ones first, so that earlier axes keep their numbers. */
function reduce(op: "sum" | "max", x: Tensor, axes: readonly number[] | undefined, options: ReduceOptions): Tensor {
  const all = x.shape.map((_, axis) => axis)
  const wanted = new Set((axes ?? all).map((axis) => resolveAxis(axis, x.shape.length)))
  const kept = x.shape.map((size, axis) => (wanted.has(axis) ? 1 : size))
  let result = x
  for (let lastAxis = x.shape.length - 1; lastAxis >= 0; lastAxis--) {
    if (!wanted.has(lastAxis)) continue
    let firstAxis = lastAxis
    while (firstAxis > 0 && wanted.has(firstAxis - 1)) firstAxis--
    result = applyOp(op, [result], { firstAxis, lastAxis })[0]!
    lastAxis = firstAxis
  }
  return options.keepAxes === true ? reshape(result, kept) : result
}

/** Sum over `axes` (all of them when not given). */
export const sum = (x: Tensor, axes?: readonly number[], options: ReduceOptions = {}): Tensor =>
  reduce("sum", x, axes, options)

/** Largest over `axes`. */
export const max = (x: Tensor, axes?: readonly number[], options: ReduceOptions = {}): Tensor =>
  reduce("max", x, axes, options)

/** Mean over `axes`: `sum / count`. */
export function mean(x: Tensor, axes?: readonly number[], options: ReduceOptions = {}): Tensor {
  const total = sum(x, axes, options)
  return multiply(total, sizeOf(total.shape) / sizeOf(x.shape))
}

// Products and lookups

/**
 * Matrix product of the last two axes: `[..., M, K] · [..., K, N]`, or `[..., M, K] · [K, N]` with one matrix for all.
 * The flags read an operand transposed without copying it.
 */
export function matmul(a: Tensor, b: Tensor, options: { transposeA?: boolean; transposeB?: boolean } = {}): Tensor {
  const { transposeA = false, transposeB = false } = options
  return applyOp("matmul", [a, b], { transposeA, transposeB })[0]!
}

/** Rows of `table [V, C]` chosen by `ids [...]`; an id outside the table gives zeros. */
export const gather = (table: Tensor, ids: Tensor): Tensor => applyOp("gather", [table, ids], {})[0]!

/**
 * `x · Wᵀ` with W `[outputs, K]` packed by {@link packPanels}: for weights that are read and not trained. The sum of each
 * element runs in the order of k however many rows x has, so a row gets the same bits alone and among others.
 *
 * @param x       `[..., K]`
 * @param panels  `[⌈outputs/16⌉, K, 16]`, f32 or f16
 * @returns       `[..., outputs]`
 */
export const packedLinear = (x: Tensor, panels: Tensor, outputs: number): Tensor =>
  applyOp("packedLinear", [x, panels], { outputs })[0]!

/** Rows of a packed table `[rows, C]` chosen by `ids [...]`; an id outside the table gives zeros. */
export const packedGather = (panels: Tensor, ids: Tensor, rows: number): Tensor =>
  applyOp("packedGather", [panels, ids], { rows })[0]!

/** Adds rows `x [..., C]` into zeros `[rows, C]` at `ids [...]`; the gradient of {@link gather}. */
export const scatterAdd = (ids: Tensor, x: Tensor, rows: number): Tensor =>
  applyOp("scatterAdd", [ids, x], { rows })[0]!

// Blocks of a transformer that deserve kernels of their own

/**
 * Rotary position embedding: each pair `(x[i], x[i + D/2])` turns by the angle of row `position + t`.
 *
 * @param x         `[B, T, H, D]`
 * @param tables    cosines and sines, `[P, D/2]` each
 * @param position  place of the first token of each sequence, i32 `[B]`
 * @see Su et al. 2021, arXiv:2104.09864; pairs are split by halves as in Hugging Face checkpoints
 */
export const rope = (x: Tensor, tables: { cos: Tensor; sin: Tensor }, position: Tensor, inverse = false): Tensor =>
  applyOp("rope", [x, tables.cos, tables.sin, position], { inverse })[0]!

/**
 * Scaled dot-product attention `softmax(scale · q·kᵀ) · v`; with `causal`, query t of a sequence sees the keys
 * `0 .. position + t`. Query heads share key/value heads in groups of H/K. No T x S matrix is kept.
 *
 * @param q         `[B, T, H, D]`
 * @param k         `[B, S, K, D]`
 * @param v         `[B, S, K, D]`
 * @param position  i32 `[B]`
 * @returns         `[B, T, H, D]`
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  position: Tensor,
  options: { causal?: boolean; scale?: number } = {},
): Tensor {
  const { causal = true, scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1) } = options
  return applyOp("attention", [q, k, v, position], { causal, scale })[0]!
}

/** `cache [B, S, K, D]` with the rows from `position` on replaced by `x [B, T, K, D]`. */
export const cacheWrite = (cache: Tensor, x: Tensor, position: Tensor): Tensor =>
  applyOp("cacheWrite", [cache, x, position], {})[0]!

/** `-ln softmax(logits)[target]` per row, in nats; 0 where the target is negative. `logits [N, V]`, `targets [N]`. */
export const crossEntropy = (logits: Tensor, targets: Tensor): Tensor =>
  applyOp("crossEntropy", [logits, targets], {})[0]!

/**
 * Cross-entropy of a head, `-ln softmax(logits)[target]` with `logits = x·weightᵀ`, bent to `softcap · tanh(logits / softcap)`
 * where `softcap` is not 0: in nats, 0 where the target is negative.
 *
 * Logits are made some rows at a time and never stored whole. Its gradient makes them again; what is to be minimized is
 * better said as {@link linearCrossEntropySum}.
 *
 * @param x        `[N, C]`
 * @param weight   `[V, C]`
 * @param targets  i32 `[N]`
 * @returns        `[N]`
 * @throws ShapeError  if the shapes do not fit
 */
export function linearCrossEntropy(x: Tensor, weight: Tensor, targets: Tensor, { softcap = 0 } = {}): Tensor {
  return applyOp("linearCrossEntropy", [x, weight, targets], { softcap })[0]!
}

/**
 * `Σ rowWeights · linearCrossEntropy(x, weight, targets)`.
 *
 * Because it says beforehand how much each row counts, the gradients for x and weight are made along with the logits: no more
 * products than with stored logits, and without their `8·N·V` bytes. Use {@link linearCrossEntropy} where no gradient is wanted.
 *
 * @param rowWeights  `[N]`
 * @returns           scalar
 * @throws ShapeError  if the shapes do not fit
 * @see Hsu et al. 2024, arXiv:2410.10989 (Liger Kernel), there with one weight for all rows
 */
export function linearCrossEntropySum(
  x: Tensor,
  weight: Tensor,
  targets: Tensor,
  rowWeights: Tensor,
  { softcap = 0 } = {},
): Tensor {
  return applyOp("linearCrossEntropyGrad", [x, weight, targets, rowWeights], { softcap })[3]!
}
