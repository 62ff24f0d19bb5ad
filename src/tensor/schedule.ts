// From a program to the steps a backend runs. Elementwise nodes disappear into the step that needs them: each step that
// remains reads whole tensors, computes one small straight-line program per element, and stores or reduces its results.
// What is stored and what is computed again is decided here, once, for every backend.
import { type Shape, sameShape, sizeOf } from "../core/index.ts"
import { type ElementwiseOp, isElementwise, type Op } from "./ops.ts"
import type { Program } from "./program.ts"
import { isOp, type Node, storageOf, type Tensor } from "./tensor.ts"

/** One instruction of an element program; operands are positions of earlier instructions. */
export type Instruction =
  | { readonly kind: "load"; readonly leaf: number }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "random"; readonly seed: number; readonly stream: number }
  | { readonly kind: "apply"; readonly op: Exclude<ElementwiseOp, "random">; readonly operands: readonly number[] }

/** What happens at each index of `shape`. Leaves are stored tensors, stretched to `shape` as broadcasting does. */
export interface ElementProgram {
  readonly shape: Shape
  readonly leaves: readonly Tensor[]
  readonly instructions: readonly Instruction[]
  /** Positions of the values that are stored or reduced. */
  readonly results: readonly number[]
}

/** A sum or maximum over all elements that a sweep makes on its way. */
export interface AttachedReduction {
  readonly reduce: "sum" | "max"
  readonly writes: Tensor
}

export type Step =
  | {
      readonly kind: "elementwise"
      /** Results: first what is stored, then what is reduced. */
      readonly body: ElementProgram
      readonly writes: readonly Tensor[]
      readonly reductions: readonly AttachedReduction[]
    }
  | {
      readonly kind: "reduction"
      readonly body: ElementProgram
      readonly reduce: "sum" | "max"
      readonly firstAxis: number
      readonly lastAxis: number
      readonly writes: readonly Tensor[]
    }
  | { readonly kind: "op"; readonly node: Node; readonly writes: readonly Tensor[] }

/** A value used twice is computed again rather than stored while its expression has at most this many operations. */
const LARGEST_REPEATED_EXPRESSION = 8
/** Expressions longer than this are cut: a kernel has only so many registers. */
const LARGEST_EXPRESSION = 48
/** Results one sweep may store; AdamW stores three. */
const LARGEST_SWEEP = 6
const COSTLY: ReadonlySet<Op> = new Set<Op>(["exp", "log", "tanh", "sigmoid", "erf"])

/** Shorter sums are not worth a sweep that is cut into chunks. */
const LEAST_ATTACHED_SIZE = 4096
/** Expressions of a sweep with its reductions; those share most of what they read. */
const LARGEST_ATTACHED_EXPRESSION = 80

/** The tensors a step makes. */
export const resultsOf = (step: Step): readonly Tensor[] =>
  step.kind === "elementwise" ? [...step.writes, ...step.reductions.map(({ writes }) => writes)] : step.writes

/** The tensors a step reads, as stored. */
export function readsOf(step: Step): readonly Tensor[] {
  return (step.kind === "op" ? step.node.inputs : step.body.leaves).map(storageOf)
}

const SOURCES: ReadonlySet<Op> = new Set<Op>(["input", "state", "constant", "data"])
const isFusable = (node: Node): boolean => isElementwise(node.op) || node.op === "broadcast"
const isReduction = (node: Node): node is Node<"sum"> | Node<"max"> => node.op === "sum" || node.op === "max"

/** The steps of `program`, in an order that respects every dependency. */
export function schedule(program: Program): Step[] {
  const stored = chooseStored(program)
  const steps: Step[] = []
  for (const node of program.nodes) {
    if (SOURCES.has(node.op) || node.op === "reshape") continue
    if (isReduction(node)) steps.push(reductionStep(node, stored))
    else if (!isFusable(node)) steps.push({ kind: "op", node, writes: node.outputs })
    else if (stored.has(node.outputs[0]!)) steps.push(elementwiseStep([node.outputs[0]!], stored))
  }
  return attachReductions(mergeSweeps(steps, stored), stored)
}

/** Decides which results of elementwise nodes get bytes of their own; all others are computed where they are used. */
function chooseStored(program: Program): Set<Tensor> {
  const users = usersOf(program)
  const kept = new Set([...Object.values(program.outputs), ...program.updates.map(({ value }) => value)].map(storageOf))
  const stored = new Set<Tensor>()
  const length = new Map<Tensor, number>()
  for (const node of program.nodes) {
    if (!isFusable(node)) continue
    const result = node.outputs[0]!
    const own = 1 + node.inputs.reduce((sum, x) => sum + (stored.has(x) ? 0 : (length.get(x) ?? 0)), 0)
    length.set(result, own)
    const using = users.get(result) ?? []
    const mayReduce = () => using.every((user) => !isReduction(user) || fitsReduction(user, stored))
    if (kept.has(result) || mustStore(result, using, own) || !mayReduce()) stored.add(result)
  }
  return stored
}

function usersOf(program: Program): Map<Tensor, Node[]> {
  const users = new Map<Tensor, Node[]>()
  for (const node of program.nodes)
    for (const x of node.inputs) {
      const known = users.get(x)
      if (known === undefined) users.set(x, [node])
      else known.push(node)
    }
  return users
}

function mustStore(result: Tensor, users: readonly Node[], expressionLength: number): boolean {
  const foldable = (user: Node): boolean =>
    isReduction(user) || (isFusable(user) && sameShape(user.outputs[0]!.shape, result.shape))
  if (!users.every(foldable)) return true
  if (result.node.op === "random") return false
  if (expressionLength > LARGEST_EXPRESSION) return true
  return users.length > 1 && (COSTLY.has(result.node.op) || expressionLength > LARGEST_REPEATED_EXPRESSION)
}

type Sweep = Extract<Step, { kind: "elementwise" }>
type Reduction = Extract<Step, { kind: "reduction" }>

function elementwiseStep(
  roots: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  reduced: readonly { readonly x: Tensor; readonly as: AttachedReduction }[] = [],
): Sweep {
  const isLoaded = (tensor: Tensor) => stored.has(tensor) && !roots.includes(tensor)
  const body = elementProgram(roots[0]!.shape, [...roots, ...reduced.map(({ x }) => x)], isLoaded)
  return { kind: "elementwise", body, writes: roots, reductions: reduced.map(({ as }) => as) }
}

function reductionStep(node: Node<"sum"> | Node<"max">, stored: ReadonlySet<Tensor>): Step {
  const x = node.inputs[0]!
  const body = elementProgram(x.shape, [x], (tensor) => stored.has(tensor))
  return { kind: "reduction", body, reduce: node.op, ...node.attributes, writes: node.outputs }
}

/**
 * A reduction takes its input's expression with it where, for every operand, the reduced axes are walked in one stride and
 * so are the axes within; else the input is stored first.
 */
function fitsReduction(node: Node<"sum"> | Node<"max">, stored: ReadonlySet<Tensor>): boolean {
  const { shape } = node.inputs[0]!
  const { leaves, instructions } = elementProgram(shape, [node.inputs[0]!], (tensor) => stored.has(tensor))
  const { firstAxis, lastAxis } = node.attributes
  const axes = (from: number, to: number) => {
    const strides = leaves.map((leaf) => stretchedStrides(leaf.shape, shape).slice(from, to))
    return collapse(shape.slice(from, to), strides).sizes.length
  }
  const isRandom = instructions.some(({ kind }) => kind === "random")
  return !isRandom && axes(firstAxis, lastAxis + 1) <= 1 && axes(lastAxis + 1, shape.length) <= 1
}

/** Strides of a contiguous operand stretched to `shape`: 0 along stretched axes. */
export function stretchedStrides(operand: Shape, shape: Shape): number[] {
  const missing = shape.length - operand.length
  let stride = 1
  const strides = shape.map(() => 0)
  for (let axis = operand.length - 1; axis >= 0; axis--) {
    strides[axis + missing] = operand[axis] === 1 ? 0 : stride
    stride *= operand[axis]!
  }
  return strides
}

/** Joins neighboring axes that every operand walks through in one stride; sizes of 1 vanish. */
export function collapse(
  sizes: Shape,
  strides: readonly (readonly number[])[],
): { sizes: number[]; strides: number[][] } {
  const joined: number[] = []
  const joinedStrides: number[][] = strides.map(() => [])
  for (const [axis, size] of sizes.entries()) {
    if (size === 1) continue
    const continues = joined.length > 0 && strides.every((own, i) => own[axis]! * size === joinedStrides[i]!.at(-1))
    if (continues) joined[joined.length - 1]! *= size
    else joined.push(size)
    for (const [i, own] of strides.entries()) {
      if (continues) joinedStrides[i]![joined.length - 1] = own[axis]!
      else joinedStrides[i]!.push(own[axis]!)
    }
  }
  return { sizes: joined, strides: joinedStrides }
}

/** Writes the expressions of `values` as straight-line code; what `isStored` is loaded, all else computed. */
function elementProgram(
  shape: Shape,
  values: readonly Tensor[],
  isStored: (tensor: Tensor) => boolean,
): ElementProgram {
  const leaves: Tensor[] = []
  const instructions: Instruction[] = []
  const positions = new Map<Tensor, number>()
  const leafOf = (tensor: Tensor): number => {
    const at = leaves.findIndex((leaf) => storageOf(leaf) === storageOf(tensor) && sameShape(leaf.shape, tensor.shape))
    return at >= 0 ? at : leaves.push(tensor) - 1
  }
  const write = (tensor: Tensor): number => {
    const { node } = tensor
    const isInlined = isFusable(node) && !isStored(tensor)
    if (isInlined && node.op === "broadcast") return visit(node.inputs[0]!)
    return instructions.push(isInlined ? computing(node, visit) : fetching(tensor, leafOf)) - 1
  }
  const visit = (operand: Tensor): number => {
    const tensor = unviewed(operand)
    const position = positions.get(tensor) ?? write(tensor)
    positions.set(tensor, position)
    return position
  }
  const results = values.map(visit)
  return { shape, leaves, instructions, results }
}

/** A view under the shape of what it views is the same value: it may be at hand already. */
function unviewed(tensor: Tensor): Tensor {
  const storage = storageOf(tensor)
  return sameShape(storage.shape, tensor.shape) ? storage : tensor
}

function fetching(tensor: Tensor, leafOf: (tensor: Tensor) => number): Instruction {
  const { node } = storageOf(tensor)
  return isOp(node, "constant")
    ? { kind: "constant", value: node.attributes.value }
    : { kind: "load", leaf: leafOf(tensor) }
}

function computing(node: Node, visit: (operand: Tensor) => number): Instruction {
  if (isOp(node, "random")) return { kind: "random", seed: visit(node.inputs[0]!), stream: node.attributes.stream }
  return { kind: "apply", op: node.op as Exclude<ElementwiseOp, "random">, operands: node.inputs.map(visit) }
}

/** Neighboring sweeps over the same shape become one, so that shared operands are read once. */
function mergeSweeps(steps: readonly Step[], stored: ReadonlySet<Tensor>): Step[] {
  const merged: Step[] = []
  for (const step of steps) {
    const last = merged.at(-1)
    if (last?.kind === "elementwise" && step.kind === "elementwise" && mayMerge(last, step))
      merged[merged.length - 1] = elementwiseStep([...last.writes, ...step.writes], stored)
    else merged.push(step)
  }
  return merged
}

function mayMerge(first: Step & { kind: "elementwise" }, second: Step & { kind: "elementwise" }): boolean {
  if (!sameShape(first.body.shape, second.body.shape) || sizeOf(first.body.shape) === 1) return false
  if (first.writes.length + second.writes.length > LARGEST_SWEEP) return false
  if (first.body.instructions.length + second.body.instructions.length > LARGEST_EXPRESSION) return false
  // What the second reads of the first's results must be read at the same index: the very tensor, not a view or a stretch.
  return second.body.leaves.every((leaf) => !first.writes.includes(storageOf(leaf)) || first.writes.includes(leaf))
}

/**
 * Sums over all elements of what a sweep reads or makes join that sweep: AdamW moves its weights and tells how far in one pass,
 * and nobody reads the old weights afterwards, so that they may be overwritten.
 */
function attachReductions(steps: readonly Step[], stored: ReadonlySet<Tensor>): Step[] {
  const madeAt = new Map(steps.flatMap((step, at) => step.writes.map((tensor) => [tensor, at] as const)))
  const attached = new Map<number, Reduction[]>()
  const joined = new Set<Step>()
  for (const [at, step] of steps.entries()) {
    if (step.kind !== "reduction" || !isOverAll(step)) continue
    const host = steps.findLastIndex((sweep, i) => i < at && mayHost(sweep, i, step, madeAt))
    const others = attached.get(host) ?? []
    if (host < 0 || !isShort(steps[host] as Sweep, [...others, step], stored)) continue
    attached.set(host, [...others, step])
    joined.add(step)
  }
  return steps.flatMap((step, at) => {
    if (joined.has(step)) return []
    return attached.has(at) ? [withReductions(step as Sweep, attached.get(at)!, stored)] : [step]
  })
}

const isOverAll = ({ body, firstAxis, lastAxis }: Reduction): boolean =>
  firstAxis === 0 && lastAxis === body.shape.length - 1 && sizeOf(body.shape) >= LEAST_ATTACHED_SIZE

/** Whether `sweep`, step `at`, walks the reduction's elements one by one, touches what it reads, and has all of it. */
function mayHost(sweep: Step, at: number, { body }: Reduction, madeAt: ReadonlyMap<Tensor, number>): boolean {
  if (sweep.kind !== "elementwise" || !sameShape(sweep.body.shape, body.shape)) return false
  const isFlat = (leaf: Tensor) => sizeOf(leaf.shape) === 1 || sameShape(leaf.shape, body.shape)
  const isReady = (leaf: Tensor) => (madeAt.get(storageOf(leaf)) ?? -1) < at || sweep.writes.includes(leaf)
  const isShared = (leaf: Tensor) => sweep.writes.includes(leaf) || sweep.body.leaves.includes(leaf)
  return (
    [...body.leaves, ...sweep.body.leaves].every(isFlat) && body.leaves.every(isReady) && body.leaves.some(isShared)
  )
}

const withReductions = ({ writes }: Sweep, reductions: readonly Reduction[], stored: ReadonlySet<Tensor>): Sweep =>
  elementwiseStep(
    writes,
    stored,
    reductions.map(({ reduce, writes: [result] }) => ({
      x: result!.node.inputs[0]!,
      as: { reduce, writes: result! },
    })),
  )

const isShort = (sweep: Sweep, reductions: readonly Reduction[], stored: ReadonlySet<Tensor>): boolean =>
  withReductions(sweep, reductions, stored).body.instructions.length <= LARGEST_ATTACHED_EXPRESSION
