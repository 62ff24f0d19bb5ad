// One row per operation: the shapes and dtypes of its outputs, and a sentence when the inputs do not fit.
import {
  broadcastShapes,
  ConfigError,
  type DType,
  formatShape,
  type Shape,
  ShapeError,
  sameShape,
  sizeOf,
} from "../core/index.ts"
import type { Op, OpAttributes } from "./ops.ts"
import { panelShape } from "./panels.ts"

/** What is known of a tensor before anything is computed. */
export interface TensorSpec {
  readonly shape: Shape
  readonly dtype: DType
}

type ShapeRule<O extends Op> = (inputs: readonly TensorSpec[], attributes: OpAttributes[O], op: string) => TensorSpec[]

const f32 = (shape: Shape): TensorSpec[] => [{ shape: [...shape], dtype: "f32" }]

function requireDType(op: string, input: TensorSpec, dtype: "f32" | "i32", what: string): void {
  if (input.dtype !== dtype) throw new ShapeError(`${op}: ${what} must be ${dtype}, got ${input.dtype}`)
}

function requireShape(op: string, input: TensorSpec, shape: Shape, what: string): void {
  if (!sameShape(input.shape, shape))
    throw new ShapeError(`${op}: ${what} must be ${formatShape(shape)}, got ${formatShape(input.shape)}`)
}

function requireRank(op: string, input: TensorSpec, rank: number, what: string): void {
  if (input.shape.length !== rank)
    throw new ShapeError(`${op}: ${what} must have ${rank} axes, got ${formatShape(input.shape)}`)
}

function requireAxis(op: string, input: TensorSpec, axis: number): void {
  if (!(Number.isInteger(axis) && axis >= 0 && axis < input.shape.length))
    throw new ShapeError(`${op}: axis must be in 0..${input.shape.length - 1}, got ${axis}`)
}

const elementwise: ShapeRule<Op> = (inputs, _, op) => {
  for (const input of inputs) requireDType(op, input, "f32", "every input")
  return f32(inputs.map((input) => input.shape).reduce(broadcastShapes))
}

const source = (_: readonly TensorSpec[], { shape, dtype }: { shape: Shape; dtype: DType }): TensorSpec[] => {
  if (!shape.every((size) => Number.isInteger(size) && size >= 0))
    throw new ShapeError(`sizes must be whole and not negative, got ${formatShape(shape)}`)
  return [{ shape: [...shape], dtype }]
}

const reduction: ShapeRule<"sum" | "max"> = ([x], { firstAxis, lastAxis }, op) => {
  requireDType(op, x!, "f32", "x")
  requireAxis(op, x!, firstAxis)
  requireAxis(op, x!, lastAxis)
  if (firstAxis > lastAxis) throw new ShapeError(`${op}: axes must be in order, got ${firstAxis}..${lastAxis}`)
  return f32(x!.shape.filter((_, axis) => axis < firstAxis || axis > lastAxis))
}

function matmulRule([a, b]: readonly TensorSpec[], { transposeA, transposeB }: OpAttributes["matmul"]): TensorSpec[] {
  for (const operand of [a!, b!]) requireDType("matmul", operand, "f32", "every operand")
  if (a!.shape.length < 2 || b!.shape.length < 2)
    throw new ShapeError(
      `matmul: operands must have 2 axes or more, got ${formatShape(a!.shape)} · ${formatShape(b!.shape)}`,
    )
  const matrix = (shape: Shape, swap: boolean) =>
    swap ? [shape.at(-1)!, shape.at(-2)!] : [shape.at(-2)!, shape.at(-1)!]
  const [m, k] = matrix(a!.shape, transposeA) as [number, number]
  const [k2, n] = matrix(b!.shape, transposeB) as [number, number]
  if (k !== k2)
    throw new ShapeError(
      `matmul: inner sizes must agree, got ${formatShape(a!.shape)}${transposeA ? "ᵀ" : ""} · ${formatShape(b!.shape)}${transposeB ? "ᵀ" : ""} (${k} ≠ ${k2})`,
    )
  const batch = a!.shape.slice(0, -2)
  if (b!.shape.length > 2 && !sameShape(batch, b!.shape.slice(0, -2)))
    throw new ShapeError(
      `matmul: leading axes must agree, got ${formatShape(a!.shape)} · ${formatShape(b!.shape)}`,
      "one matrix [K, N] on the right is shared by all; stretch other operands with broadcast()",
    )
  return f32([...batch, m, n])
}

/** The K of panels that hold `rows` rows of K numbers. */
function panelDepth(op: string, panels: TensorSpec, rows: number): number {
  if (panels.dtype === "i32") throw new ShapeError(`${op}: panels must be f32 or f16, got i32`)
  requireRank(op, panels, 3, "panels [⌈N/16⌉, K, 16]")
  const K = panels.shape[1]!
  requireShape(op, panels, panelShape([rows, K]), `panels of ${rows} rows`)
  return K
}

function attentionShapes([q, k, v, position]: readonly TensorSpec[]): { q: TensorSpec; k: TensorSpec } {
  for (const [name, x] of [
    ["q", q!],
    ["k", k!],
    ["v", v!],
  ] as const) {
    requireDType("attention", x, "f32", name)
    requireRank("attention", x, 4, `${name} [B, T, heads, D]`)
  }
  const [B, , H, D] = q!.shape as [number, number, number, number]
  const [, S, K] = k!.shape as [number, number, number, number]
  requireShape("attention", k!, [B, S, K, D], "k")
  requireShape("attention", v!, k!.shape, "v")
  requireShape("attention", position!, [B], "position")
  requireDType("attention", position!, "i32", "position")
  if (H % K !== 0)
    throw new ShapeError(`attention: query heads must be a multiple of key/value heads, got ${H} and ${K}`)
  return { q: q!, k: k! }
}

function concatenateRule(inputs: readonly TensorSpec[], { axis }: OpAttributes["concatenate"]): TensorSpec[] {
  const first = inputs[0]
  if (first === undefined) throw new ShapeError("concatenate: expected one tensor or more, got none")
  requireAxis("concatenate", first, axis)
  const others = (shape: Shape) => shape.filter((_, index) => index !== axis)
  for (const input of inputs)
    if (input.shape.length !== first.shape.length || !sameShape(others(input.shape), others(first.shape)))
      throw new ShapeError(
        `concatenate: shapes must agree but for axis ${axis}, got ${inputs.map((x) => formatShape(x.shape)).join(", ")}`,
      )
  const total = inputs.reduce((sum, input) => sum + input.shape[axis]!, 0)
  return [{ shape: first.shape.map((size, index) => (index === axis ? total : size)), dtype: first.dtype }]
}

export const shapeRules: { readonly [O in Op]: ShapeRule<O> } = {
  input: source,
  state: source,
  constant: () => f32([]),
  data: (_, { values, shape }) => {
    if (values.length !== sizeOf(shape))
      throw new ShapeError(`data: ${formatShape(shape)} needs ${sizeOf(shape)} values, got ${values.length}`)
    return [{ shape: [...shape], dtype: values instanceof Int32Array ? "i32" : "f32" }]
  },
  random: ([seed], { shape }, op) => {
    requireDType(op, seed!, "i32", "seed")
    requireShape(op, seed!, [], "seed")
    return f32(shape)
  },
  toFloat: ([x], _, op) => {
    requireDType(op, x!, "i32", "x")
    return f32(x!.shape)
  },
  negate: elementwise,
  exp: elementwise,
  log: elementwise,
  sqrt: elementwise,
  tanh: elementwise,
  sigmoid: elementwise,
  erf: elementwise,
  absolute: elementwise,
  add: elementwise,
  subtract: elementwise,
  multiply: elementwise,
  divide: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  greater: elementwise,
  select: elementwise,
  reshape: ([x], { shape }) => {
    if (sizeOf(x!.shape) !== sizeOf(shape))
      throw new ShapeError(
        `reshape: ${formatShape(x!.shape)} has ${sizeOf(x!.shape)} elements, ${formatShape(shape)} has ${sizeOf(shape)}`,
      )
    return [{ shape: [...shape], dtype: x!.dtype }]
  },
  transpose: ([x], { permutation }, op) => {
    requireDType(op, x!, "f32", "x")
    const sorted = [...permutation].sort((a, b) => a - b)
    if (
      !sameShape(
        sorted,
        x!.shape.map((_, axis) => axis),
      )
    )
      throw new ShapeError(
        `transpose: permutation must name each axis of ${formatShape(x!.shape)} once, got ${formatShape(permutation)}`,
      )
    return f32(permutation.map((axis) => x!.shape[axis]!))
  },
  broadcast: ([x], { shape }) => {
    if (!sameShape(broadcastShapes(x!.shape, shape), shape))
      throw new ShapeError(`broadcast: ${formatShape(x!.shape)} does not stretch to ${formatShape(shape)}`)
    return [{ shape: [...shape], dtype: x!.dtype }]
  },
  slice: ([x], { axis, start, end }, op) => {
    requireDType(op, x!, "f32", "x")
    requireAxis(op, x!, axis)
    if (!(start >= 0 && start <= end && end <= x!.shape[axis]!))
      throw new ShapeError(
        `slice: ${start}..${end} does not lie in 0..${x!.shape[axis]!} (axis ${axis} of ${formatShape(x!.shape)})`,
      )
    return f32(x!.shape.map((size, index) => (index === axis ? end - start : size)))
  },
  pad: ([x], { axis, before, after }, op) => {
    requireDType(op, x!, "f32", "x")
    requireAxis(op, x!, axis)
    if (before < 0 || after < 0) throw new ShapeError(`pad: sizes must not be negative, got ${before} and ${after}`)
    return f32(x!.shape.map((size, index) => (index === axis ? before + size + after : size)))
  },
  concatenate: concatenateRule,
  sum: reduction,
  max: reduction,
  matmul: matmulRule,
  gather: ([table, ids], _, op) => {
    requireDType(op, table!, "f32", "table")
    requireRank(op, table!, 2, "table [V, C]")
    requireDType(op, ids!, "i32", "ids")
    return f32([...ids!.shape, table!.shape[1]!])
  },
  packedLinear: ([x, panels], { outputs }, op) => {
    requireDType(op, x!, "f32", "x")
    const K = panelDepth(op, panels!, outputs)
    const [k, ...leading] = x!.shape.toReversed()
    if (k !== K)
      throw new ShapeError(`packedLinear: inner sizes must agree, got ${formatShape(x!.shape)} · [${outputs}, ${K}]ᵀ`)
    return f32([...leading.reverse(), outputs])
  },
  packedGather: ([panels, ids], { rows }, op) => {
    requireDType(op, ids!, "i32", "ids")
    return f32([...ids!.shape, panelDepth(op, panels!, rows)])
  },
  scatterAdd: ([ids, x], { rows }, op) => {
    requireDType(op, ids!, "i32", "ids")
    requireDType(op, x!, "f32", "x")
    const C = x!.shape.at(-1) ?? 1
    requireShape(op, x!, [...ids!.shape, C], "x")
    return f32([rows, C])
  },
  rope: ([x, cos, sin, position], _, op) => {
    requireRank(op, x!, 4, "x [B, T, H, D]")
    const [B, T, , D] = x!.shape as [number, number, number, number]
    if (D % 2 !== 0) throw new ShapeError(`rope: head dimension must be even, got ${D}`)
    requireRank(op, cos!, 2, "cos [P, D/2]")
    requireShape(op, cos!, [cos!.shape[0]!, D / 2], "cos")
    requireShape(op, sin!, cos!.shape, "sin")
    requireShape(op, position!, [B], "position")
    if (T > cos!.shape[0]!)
      throw new ShapeError(`rope: ${T} positions need a table of ${T} rows, got ${cos!.shape[0]!}`)
    return f32(x!.shape)
  },
  attention: (inputs) => {
    const { q } = attentionShapes(inputs)
    const [B, T, H] = q.shape as [number, number, number, number]
    return [...f32(q.shape), ...f32([B, H, T])]
  },
  attentionGrad: (inputs) => {
    const { q, k } = attentionShapes(inputs)
    return [...f32(q.shape), ...f32(k.shape), ...f32(k.shape)]
  },
  cacheWrite: ([cache, x, position], _, op) => {
    requireRank(op, cache!, 4, "cache [B, S, K, D]")
    const [B, , K, D] = cache!.shape as [number, number, number, number]
    requireShape(op, x!, [B, x!.shape[1]!, K, D], "x")
    requireShape(op, position!, [B], "position")
    return f32(cache!.shape)
  },
  crossEntropy: ([logits, targets], _, op) => {
    requireRank(op, logits!, 2, "logits [N, V]")
    const [N] = requireTargets(op, logits!, targets!)
    return [...f32([N]), ...f32([N, 2])]
  },
  crossEntropyGrad: ([logits]) => f32(logits!.shape),
  linearCrossEntropy: ([x, weight, targets], _, op) => {
    requireRank(op, x!, 2, "x [N, C]")
    requireRank(op, weight!, 2, "weight [V, C]")
    requireShape(op, weight!, [weight!.shape[0]!, x!.shape[1]!], "weight")
    return f32(requireTargets(op, x!, targets!))
  },
  linearCrossEntropyGrad: (inputs, attributes, op) => {
    const nats = shapeRules.linearCrossEntropy(inputs, attributes, op)
    requireShape(op, inputs[3]!, nats[0]!.shape, "row weights")
    return [...f32(inputs[0]!.shape), ...f32(inputs[1]!.shape), ...nats, ...f32([])]
  },
}

/** The shape of targets, one for each row of `x`. */
function requireTargets(op: string, { shape: [N] }: TensorSpec, targets: TensorSpec): [number] {
  requireDType(op, targets, "i32", "targets")
  requireShape(op, targets, [N!], "targets")
  return [N!]
}

/** Refuses attributes that no table can check, at the door of the room. */
export function requireFinite(value: number, what: string): void {
  if (!Number.isFinite(value)) throw new ConfigError(`${what} must be finite, got ${value}`)
}
