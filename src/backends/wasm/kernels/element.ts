// Kernels made from element programs: sweeps that store one or more results per element, and reductions of a result over
// rows (the reduced axis is innermost) or over columns (it is not). One expression, emitted wherever its operands change:
// once a call, once a row, once a step of the reduction, or for every four elements.
import {
  type AttachedReduction,
  collapse,
  type ElementProgram,
  type Instruction,
  type Step,
  stretchedStrides,
  type Tensor,
} from "../../../tensor/index.ts"
import type { FunctionBuilder, FunctionHandle, Local, ModuleBuilder } from "../assembler.ts"
import { emitErf, emitExp, emitLog, emitSigmoid, emitTanh } from "../vector-math.ts"
import { emitMin } from "./lane-slice.ts"

const LANE_BYTES = 16
/** Elements of a flat sweep are shared out in cache lines, so that no two lanes write the same one. */
const ELEMENTS_PER_SHARE = 16
/** A long sum of few results is cut into chunks of this many terms, whatever the number of lanes: the bits stay the same. */
export const CHUNK = 1024
const FEW_ROWS = 8
/** Columns reduced side by side: four vectors. */
const STRIP = 16

/** Where an operand is read, from outside in. The number of loops differs by kernel; the levels do not. */
const LEVEL = { call: 0, row: 1, term: 2, element: 3 } as const

/** One axis of rows, one reduced, one innermost; each leaf's strides in elements. */
interface Frame {
  readonly rowSizes: readonly number[]
  readonly terms: number
  readonly columns: number
  readonly leaves: readonly {
    readonly rowStrides: readonly number[]
    readonly termStride: number
    readonly columnStride: number
  }[]
}

export interface ElementOptions {
  readonly fma: boolean
}

type ElementStep = Step & { kind: "elementwise" | "reduction" }
type ReductionStep = Step & { kind: "reduction" }

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

/** Results of chunks of 1024 terms: `rows` times `chunks` numbers that become `rows`. */
export interface PartialSum {
  readonly rows: number
  readonly chunks: number
  readonly reduce: "sum" | "max"
}

/** The partial results a kernel leaves, their places in the buffer that all lanes share, and what each becomes. */
export function partialSums(step: ElementStep): (PartialSum & { readonly offset: number; readonly result: Tensor })[] {
  const frame = frameOf(step)
  const chunks = Math.ceil(frame.columns / CHUNK)
  if (step.kind === "elementwise")
    return step.reductions.map(({ reduce, writes }, i) => ({
      rows: 1,
      chunks,
      reduce,
      offset: 4 * chunks * i,
      result: writes,
    }))
  if (!isChunked(step, frame)) return []
  return [{ rows: product(frame.rowSizes), chunks, reduce: step.reduce, offset: 0, result: step.writes[0]! }]
}

/** Bytes of the partial results that all lanes share; 0 for kernels that need none. */
export const partialBytes = (step: ElementStep): number =>
  partialSums(step).reduce((bytes, { rows, chunks }) => bytes + 4 * rows * chunks, 0)

const isRowReduction = (step: ReductionStep): boolean =>
  step.lastAxis === step.body.shape.length - 1 || product(step.body.shape.slice(step.lastAxis + 1)) === 1
const isChunked = (step: ElementStep, frame: Frame): boolean =>
  step.kind === "reduction" && isRowReduction(step) && product(frame.rowSizes) < FEW_ROWS && frame.columns > 2 * CHUNK

const frames = new WeakMap<ElementStep, Frame>()

/** Asked for by the key, the memory plan and the code of a step. */
function frameOf(step: ElementStep): Frame {
  const frame = frames.get(step) ?? computeFrame(step)
  frames.set(step, frame)
  return frame
}

function computeFrame(step: ElementStep): Frame {
  const { shape, leaves } = step.body
  const strides = leaves.map((leaf) => stretchedStrides(leaf.shape, shape))
  const part = (from: number, to: number) =>
    collapse(
      shape.slice(from, to),
      strides.map((own) => own.slice(from, to)),
    )
  const single = (of: { sizes: number[]; strides: number[][] }) => ({
    size: of.sizes[0] ?? 1,
    strides: of.strides.map((own) => own[0] ?? 0),
  })
  if (step.kind === "elementwise") {
    const all = part(0, shape.length)
    const columns = { size: all.sizes.at(-1) ?? 1, strides: all.strides.map((own) => own.at(-1) ?? 0) }
    return {
      rowSizes: all.sizes.slice(0, -1),
      terms: 1,
      columns: columns.size,
      leaves: leaves.map((_, i) => ({
        rowStrides: all.strides[i]!.slice(0, -1),
        termStride: 0,
        columnStride: columns.strides[i]!,
      })),
    }
  }
  const rows = part(0, step.firstAxis)
  const reduced = single(part(step.firstAxis, step.lastAxis + 1))
  const inner = single(part(step.lastAxis + 1, shape.length))
  const [terms, columns] = isRowReduction(step) ? [inner, reduced] : [reduced, inner]
  return {
    rowSizes: rows.sizes,
    terms: terms.size,
    columns: columns.size,
    leaves: leaves.map((_, i) => ({
      rowStrides: rows.strides[i]!,
      termStride: terms.strides[i]!,
      columnStride: columns.strides[i]!,
    })),
  }
}

/** Names a kernel by everything its code depends on. */
export function elementKey(step: ElementStep): string {
  const { instructions, results, leaves } = step.body
  const reduced =
    step.kind === "reduction" ? [step.reduce, isRowReduction(step)] : step.reductions.map(({ reduce }) => reduce)
  const negativeZeros = instructions.flatMap((x, at) => (x.kind === "constant" && Object.is(x.value, -0) ? [at] : [])) // 0 in JSON
  return JSON.stringify([
    frameOf(step),
    leaves.map((leaf) => leaf.dtype),
    instructions,
    results,
    reduced,
    negativeZeros,
  ])
}

/**
 * The kernel of a step: parameters are the addresses of its leaves, of its results, of the partial sums, then lane and lanes.
 */
export function emitElement(module: ModuleBuilder, step: ElementStep, options: ElementOptions): FunctionHandle {
  const frame = frameOf(step)
  const count = step.body.leaves.length + step.writes.length + 3
  return module.function(
    step.kind,
    Array.from({ length: count }, () => "i32" as const),
    [],
    false,
    (f, ...params) => {
      const context = createContext(f, step, frame, params, options)
      if (step.kind === "elementwise") emitSweep(context, step.reductions)
      else if (isChunked(step, frame)) emitChunkedReduction(context, step)
      else if (isRowReduction(step)) emitRowReduction(context, step)
      else emitColumnReduction(context, step)
    },
  )
}

interface Context {
  readonly f: FunctionBuilder
  readonly frame: Frame
  readonly body: ElementProgram
  readonly options: ElementOptions
  readonly outputs: readonly Local[]
  readonly partials: Local
  readonly lane: Local
  readonly lanes: Local
  /** Address of each leaf at the current row (and term, while columns are reduced). */
  readonly base: readonly Local[]
  /** Byte offset of the elements at hand from `base`. */
  readonly offset: Local
  /** Addresses of the elements at hand, by leaf: see `emitPlace`. */
  readonly place: readonly Local[]
  /** Row at hand. */
  readonly row: Local
  readonly values: Local[]
  readonly level: readonly number[]
  readonly dtypes: readonly string[]
  readonly leafAddress: readonly Local[]
}

function createContext(
  f: FunctionBuilder,
  step: ElementStep,
  frame: Frame,
  params: readonly Local[],
  options: ElementOptions,
): Context {
  const { leaves, instructions } = step.body
  const [partials, lane, lanes] = params.slice(-3) as [Local, Local, Local]
  return {
    f,
    frame,
    body: step.body,
    options,
    partials,
    lane,
    lanes,
    leafAddress: params.slice(0, leaves.length),
    outputs: params.slice(leaves.length, leaves.length + step.writes.length),
    base: f.locals("i32", leaves.length),
    offset: f.local("i32"),
    place: f.locals("i32", leaves.length),
    row: f.local("i32"),
    values: f.locals("v128", instructions.length),
    level: levelsOf(instructions, frame),
    dtypes: leaves.map((leaf) => leaf.dtype),
  }
}

/** How deep in the loops each value must be computed: as deep as the deepest of its operands. */
function levelsOf(instructions: readonly Instruction[], frame: Frame): number[] {
  const levels: number[] = []
  for (const instruction of instructions) levels.push(levelOf(instruction, frame, levels))
  return levels
}

function levelOf(instruction: Instruction, frame: Frame, levels: readonly number[]): number {
  if (instruction.kind === "constant") return LEVEL.call
  if (instruction.kind === "random") return LEVEL.element
  if (instruction.kind === "apply") return Math.max(...instruction.operands.map((at) => levels[at]!))
  const { rowStrides, termStride, columnStride } = frame.leaves[instruction.leaf]!
  if (columnStride !== 0) return LEVEL.element
  if (termStride !== 0) return LEVEL.term
  return rowStrides.some((stride) => stride !== 0) ? LEVEL.row : LEVEL.call
}

/** Says where the elements at `offset` are: neighboring vectors must share one address, or V8 does not see that they are. */
function emitPlace({ f, frame, base, offset, place }: Context): void {
  for (const [leaf, { columnStride }] of frame.leaves.entries())
    if (columnStride !== 0) f.address(base[leaf]!, offset), f.local.set(place[leaf]!)
}

/** Computes every value that belongs to `level`; at the deepest, `shift` bytes from the place last said. */
function emitLevel(context: Context, level: number, shift = 0): void {
  for (const [at, instruction] of context.body.instructions.entries()) {
    if (context.level[at] !== level) continue
    emitInstruction(context, instruction, level === LEVEL.element, shift)
    context.f.local.set(context.values[at]!)
  }
}

function emitInstruction(context: Context, instruction: Instruction, perElement: boolean, shift: number): void {
  const { f, values } = context
  if (instruction.kind === "constant") f.f32x4.const(instruction.value)
  else if (instruction.kind === "load") emitLoad(context, instruction.leaf, perElement, shift)
  else if (instruction.kind === "random") emitRandom(context, instruction, shift)
  else
    emitApply(
      f,
      instruction.op,
      instruction.operands.map((at) => values[at]!),
      context.options.fma,
    )
}

function emitLoad(context: Context, leaf: number, perElement: boolean, shift: number): void {
  const { f, base, place } = context
  if (!perElement) return (f.local.get(base[leaf]!), f.v128.load32Splat())
  f.local.get(place[leaf]!), f.v128.load(shift, 2)
}

/** Four rounds of splitmix32 side by side over the element's index; see `counterUniform` of the reference. */
function emitRandom(context: Context, instruction: Instruction & { kind: "random" }, shift: number): void {
  const { f, frame, row, offset, values } = context
  f.scope(() => {
    const z = f.local("v128")
    f.i32x4.const(instruction.stream | 0)
    emitMix(f, z)
    f.local.get(values[instruction.seed]!), f.v128.xor()
    emitMix(f, z)
    f.scaled(row, frame.columns)
    f.local.get(offset), f.i32.const(2), f.i32.shrU(), f.i32.add(), f.i32.const(shift / 4), f.i32.add()
    f.i32x4.splat(), f.i32x4.const(0, 1, 2, 3), f.i32x4.add(), f.v128.xor()
    emitMix(f, z)
    f.i32.const(8), f.i32x4.shrU(), f.f32x4.convertI32x4U(), f.f32x4.const(1 / 16777216), f.f32x4.mul()
  })
}

/** `mix32` of core, on the value on the stack. */
function emitMix(f: FunctionBuilder, z: Local): void {
  const scatter = (bits: number, factor?: number) => {
    f.local.tee(z), f.local.get(z), f.i32.const(bits), f.i32x4.shrU(), f.v128.xor()
    if (factor !== undefined) f.i32x4.const(factor | 0), f.i32x4.mul()
  }
  f.i32x4.const(0x9e3779b9 | 0), f.i32x4.add()
  scatter(16, 0x85ebca6b)
  scatter(13, 0xc2b2ae35)
  scatter(16)
}

type Apply = Extract<Instruction, { kind: "apply" }>["op"]

function emitApply(f: FunctionBuilder, op: Apply, operands: readonly Local[], fma: boolean): void {
  const [a, b, c] = operands as [Local, Local, Local]
  const both = () => (f.local.get(a), f.local.get(b))
  const rows: { readonly [O in Apply]: () => void } = {
    toFloat: () => (f.local.get(a), f.f32x4.convertI32x4S()),
    negate: () => (f.local.get(a), f.f32x4.neg()),
    sqrt: () => (f.local.get(a), f.f32x4.sqrt()),
    absolute: () => (f.local.get(a), f.f32x4.abs()),
    exp: () => emitExp(f, a, fma),
    log: () => emitLog(f, a, fma),
    tanh: () => emitTanh(f, a, fma),
    sigmoid: () => emitSigmoid(f, a, fma),
    erf: () => emitErf(f, a, fma),
    add: () => (both(), f.f32x4.add()),
    subtract: () => (both(), f.f32x4.sub()),
    multiply: () => (both(), f.f32x4.mul()),
    divide: () => (both(), f.f32x4.div()),
    maximum: () => (both(), f.f32x4.max()),
    minimum: () => (both(), f.f32x4.min()),
    greater: () => (both(), f.f32x4.gt(), f.f32x4.const(1), f.v128.and()),
    select: () => (f.local.get(b), f.local.get(c), f.local.get(a), f.f32x4.const(0), f.f32x4.ne(), f.v128.bitselect()),
  }
  rows[op]()
}

/** Sets `from` and `to` to this lane's share of `units`, times `scale`. */
function emitShare(context: Context, units: number, scale: number, from: Local, to: Local): void {
  const { f, lane, lanes } = context
  const bound = (target: Local, next: number) => {
    f.address(lane, next), f.i32.const(units), f.i32.mul(), f.local.get(lanes), f.i32.divU()
    f.i32.const(scale), f.i32.mul(), f.local.set(target)
  }
  bound(from, 0)
  bound(to, 1)
}

/** Points every leaf at the start of `row`. */
function emitRowBases(context: Context): void {
  const { f, frame, row, base, leafAddress } = context
  for (const [leaf, { rowStrides }] of frame.leaves.entries()) {
    f.local.get(leafAddress[leaf]!)
    let below = product(frame.rowSizes)
    for (const [axis, stride] of rowStrides.entries()) {
      below /= frame.rowSizes[axis]!
      if (stride === 0) continue
      f.local.get(row)
      if (below > 1) f.i32.const(below), f.i32.divU()
      if (axis > 0) f.i32.const(frame.rowSizes[axis]!), f.i32.remU()
      f.i32.const(4 * stride), f.i32.mul(), f.i32.add()
    }
    f.local.set(base[leaf]!)
  }
}

/** Stores the first `count` floats of `value` at the address on the stack of `address`. */
function emitStore(f: FunctionBuilder, address: () => void, value: Local, count: number, shift = 0): void {
  if (count >= 4) return (address(), f.local.get(value), f.v128.store(shift, 2))
  for (let lane = 0; lane < count; lane++) address(), f.local.get(value), f.v128.store32Lane(lane, shift + 4 * lane)
}

function emitSweep(context: Context, reductions: readonly AttachedReduction[]): void {
  const { f, frame, row } = context
  const rows = product(frame.rowSizes)
  const out = f.locals("i32", context.outputs.length)
  const [from, to] = f.locals("i32", 2) as [Local, Local]
  f.assign(row, 0)
  emitRowBases(context)
  emitLevel(context, LEVEL.call)
  if (rows === 1) {
    emitLevel(context, LEVEL.row)
    for (const [i, local] of out.entries()) f.assign(local, context.outputs[i]!)
    if (reductions.length > 0) return emitChunkedSweep(context, out, reductions)
    emitShare(context, Math.ceil(frame.columns / ELEMENTS_PER_SHARE), 4 * ELEMENTS_PER_SHARE, from, to)
    return emitSweepOfRow(context, out, from, to)
  }
  emitShare(context, rows, 1, from, to)
  f.forRange(row, from, to, 1, () => {
    emitRowBases(context)
    emitLevel(context, LEVEL.row)
    for (const [i, local] of out.entries())
      f.address(context.outputs[i]!, () => f.scaled(row, 4 * frame.columns)), f.local.set(local)
    emitSweepOfRow(context, out, 0, 4 * frame.columns)
  })
}

/** A sweep that reduces on its way: chunks are shared out, and each leaves its result in `partials`. */
function emitChunkedSweep(context: Context, out: readonly Local[], reductions: readonly AttachedReduction[]): void {
  const { f, frame, partials } = context
  const chunks = Math.ceil(frame.columns / CHUNK)
  const [first, last, chunk, from, to] = f.locals("i32", 5) as [Local, Local, Local, Local, Local]
  const totals = reductions.map(({ reduce }) => ({ reduce, halves: f.locals("v128", 2) }))
  emitShare(context, chunks, 1, first, last)
  f.forRange(chunk, first, last, 1, () => {
    for (const { reduce, halves } of totals)
      for (const half of halves) f.f32x4.const(identity({ reduce })), f.local.set(half)
    f.assign(from, () => f.scaled(chunk, 4 * CHUNK))
    f.assign(to, () => emitMin(f, () => f.address(from, 4 * CHUNK), 4 * frame.columns))
    emitSweepOfRow(context, out, from, to, totals)
    for (const [i, { reduce, halves }] of totals.entries()) {
      const [total, second] = halves as [Local, Local]
      f.local.get(total), f.local.get(second)
      emitCombine(f, { reduce })
      f.local.set(total)
      emitAcross(f, { reduce }, total)
      emitStore(f, () => f.address(partials, 4 * chunks * i, () => f.scaled(chunk, 4)), total, 1)
    }
  })
}

/** Where a sweep gathers what it reduces: one vector for every other four elements. */
interface Totals {
  readonly reduce: "sum" | "max"
  readonly halves: readonly Local[]
}

/** Elements between the byte offsets `from` and `to` of a row; what is left over 4 is stored one by one. */
function emitSweepOfRow(
  context: Context,
  out: readonly Local[],
  from: Local | 0,
  to: Local | number,
  totals: readonly Totals[] = [],
): void {
  const { f, frame, offset, body, values } = context
  const tail = frame.columns % 4
  const full = 4 * (frame.columns - tail)
  const targets = f.locals("i32", out.length)
  const place = () => {
    emitPlace(context)
    for (const [i, target] of targets.entries()) f.address(out[i]!, offset), f.local.set(target)
  }
  const results = body.results.slice(0, out.length).map((at) => values[at]!)
  const reduced = body.results.slice(out.length).map((at) => values[at]!)
  /** Takes what `count` of the four elements at hand give. */
  const gather = (half: 0 | 1, count: number) => {
    for (const [i, { reduce, halves }] of totals.entries()) {
      f.local.get(reduced[i]!)
      if (count < 4) {
        const mask = [0, 1, 2, 3].map((lane) => (lane < count ? -1 : 0)) as [number, number, number, number]
        f.f32x4.const(identity({ reduce })), f.i32x4.const(...mask), f.v128.bitselect()
      }
      f.local.get(halves[half]!)
      emitCombine(f, { reduce })
      f.local.set(halves[half]!)
    }
  }
  const first = f.locals("v128", results.length)
  const store = (count: number) => {
    place()
    emitLevel(context, LEVEL.element)
    for (const [i, target] of targets.entries()) emitStore(f, () => f.local.get(target), results[i]!, count)
    gather(0, count)
  }
  // both are computed before either is stored: V8 pairs vectors only where no load stands between their stores
  const storePair = () => {
    place()
    emitLevel(context, LEVEL.element)
    for (const [i, value] of first.entries()) f.assign(value, results[i]!)
    gather(0, 4)
    emitLevel(context, LEVEL.element, LANE_BYTES)
    gather(1, 4)
    for (const [i, target] of targets.entries()) {
      f.local.get(target), f.local.get(first[i]!), f.v128.store()
      f.local.get(target), f.local.get(results[i]!), f.v128.store(LANE_BYTES)
    }
    f.forget([...first, ...values.filter((_, at) => context.level[at] === LEVEL.element)])
  }
  const vectors = (from: Local | 0, end: Local | number) => {
    f.scope(() => {
      const pairs = f.local("i32")
      f.push(from), f.push(end), f.push(from), f.i32.sub(), f.i32.const(-2 * LANE_BYTES), f.i32.and(), f.i32.add()
      f.local.set(pairs)
      f.forRange(offset, from, pairs, 2 * LANE_BYTES, storePair)
      if (full % (2 * LANE_BYTES) !== 0) f.forRange(offset, pairs, end, LANE_BYTES, () => store(4))
    })
  }
  if (typeof to === "number") vectors(0, full)
  else {
    f.scope(() => {
      const end = f.local("i32")
      f.assign(end, () => emitMin(f, to, full))
      vectors(from as Local, end)
    })
  }
  if (tail === 0) return
  f.assign(offset, full)
  if (typeof to === "number") return store(tail)
  // The tail belongs to the lane whose share reaches past the full vectors.
  f.local.get(to),
    f.i32.const(full),
    f.i32.gtS(),
    f.local.get(from as Local),
    f.i32.const(full),
    f.i32.leS(),
    f.i32.and()
  f.if(() => store(tail))
}

type Reducing = Pick<ReductionStep, "reduce">
const identity = ({ reduce }: Reducing): number => (reduce === "sum" ? 0 : -Infinity)

function emitCombine(f: FunctionBuilder, { reduce }: Reducing): void {
  if (reduce === "sum") f.f32x4.add()
  else f.f32x4.max()
}

/** Reduces the elements between byte offsets into one number, left in lane 0 of `total`; order depends on the range alone. */
function emitReduceRange(
  context: Context,
  step: ReductionStep,
  total: Local,
  from: Local | number,
  to: Local | number,
): void {
  const { f, offset, values, body } = context
  const value = values[body.results[0]!]!
  const second = f.local("v128")
  const middle = f.local("i32")
  const take = (accumulator: Local, shift: number) => {
    emitLevel(context, LEVEL.element, shift)
    f.local.get(accumulator), f.local.get(value)
    emitCombine(f, step)
    f.local.set(accumulator)
  }
  for (const accumulator of [total, second]) f.f32x4.const(identity(step)), f.local.set(accumulator)
  f.assign(offset, from)
  // pairs of vectors while at least 32 bytes remain, then one vector, then what is left of one
  f.push(from), f.push(to), f.push(from), f.i32.sub(), f.i32.const(-32), f.i32.and(), f.i32.add(), f.local.set(middle)
  f.forRange(offset, from, middle, 32, () => (emitPlace(context), take(total, 0), take(second, 16)))
  if (context.frame.columns % 8 !== 0) {
    f.assign(offset, middle), emitPlace(context)
    f.push(to), f.local.get(offset), f.i32.sub(), f.i32.const(16), f.i32.geS()
    f.if(() => (take(total, 0), f.increment(offset, 16), emitPlace(context)))
    f.push(to), f.local.get(offset), f.i32.gtS()
    f.if(() => emitMaskedTail(context, step, second, to))
  }
  f.local.get(total), f.local.get(second)
  emitCombine(f, step)
  f.local.set(total)
  emitAcross(f, step, total)
}

/** Lanes past the end are replaced by the identity. */
function emitMaskedTail(context: Context, step: ReductionStep, accumulator: Local, to: Local | number): void {
  const { f, offset, values, body } = context
  emitLevel(context, LEVEL.element)
  f.local.get(values[body.results[0]!]!), f.f32x4.const(identity(step))
  f.i32x4.const(0, 4, 8, 12), f.push(to), f.local.get(offset), f.i32.sub(), f.i32x4.splat(), f.i32x4.ltS()
  f.v128.bitselect(), f.local.get(accumulator)
  emitCombine(f, step)
  f.local.set(accumulator)
}

/** Combines the four lanes of `total`: (0, 2) and (1, 3), then the two. */
function emitAcross(f: FunctionBuilder, step: Reducing, total: Local): void {
  for (const order of [
    [2, 3, 0, 1],
    [1, 0, 3, 2],
  ] as const) {
    f.local.get(total), f.local.get(total), f.local.get(total), f.i32x4.shuffle(order[0], order[1], order[2], order[3])
    emitCombine(f, step)
    f.local.set(total)
  }
}

function emitRowReduction(context: Context, step: ReductionStep): void {
  const { f, frame, row } = context
  const [from, to] = f.locals("i32", 2) as [Local, Local]
  const total = f.local("v128")
  f.assign(row, 0)
  emitRowBases(context)
  emitLevel(context, LEVEL.call)
  emitShare(context, product(frame.rowSizes), 1, from, to)
  f.forRange(row, from, to, 1, () => {
    emitRowBases(context)
    emitLevel(context, LEVEL.row)
    f.scope(() => emitReduceRange(context, step, total, 0, 4 * frame.columns))
    emitStore(f, () => f.address(context.outputs[0]!, () => f.scaled(row, 4)), total, 1)
  })
}

/** Few long rows: chunks are shared out, and their results stand in `partials` until {@link emitPartials} adds them up. */
function emitChunkedReduction(context: Context, step: ReductionStep): void {
  const { f, frame, row, partials } = context
  const rows = product(frame.rowSizes)
  const chunks = Math.ceil(frame.columns / CHUNK)
  const [from, to, unit, start, end] = f.locals("i32", 5) as [Local, Local, Local, Local, Local]
  const total = f.local("v128")
  f.assign(row, 0)
  emitRowBases(context)
  emitLevel(context, LEVEL.call)
  emitShare(context, rows * chunks, 1, from, to)
  f.forRange(unit, from, to, 1, () => {
    f.local.get(unit), f.i32.const(chunks), f.i32.divU(), f.local.set(row)
    emitRowBases(context)
    emitLevel(context, LEVEL.row)
    f.local.get(unit), f.i32.const(chunks), f.i32.remU(), f.i32.const(4 * CHUNK), f.i32.mul(), f.local.set(start)
    f.assign(end, () => emitMin(f, () => f.address(start, 4 * CHUNK), 4 * frame.columns))
    f.scope(() => emitReduceRange(context, step, total, start, end))
    emitStore(f, () => f.address(partials, () => f.scaled(unit, 4)), total, 1)
  })
}

/** `(partials, output, lane, lanes)`: lane 0 combines the partial results of each row in their order. */
export function emitPartials(module: ModuleBuilder, { rows, chunks, reduce }: PartialSum): FunctionHandle {
  return module.function("partials", ["i32", "i32", "i32", "i32"], [], false, (f, partials, output, lane) => {
    const [row, at, end] = f.locals("i32", 3)
    const total = f.local("v128")
    const combineRow = () => {
      f.f32x4.const(identity({ reduce })), f.local.set(total)
      f.assign(at, () => f.address(partials!, () => f.scaled(row, 4 * chunks)))
      f.assign(end, () => f.address(at, 4 * chunks))
      f.forRange(at, at, end, 4, () => {
        f.local.get(at), f.v128.load32Splat(), f.local.get(total)
        emitCombine(f, { reduce })
        f.local.set(total)
      })
      emitStore(f, () => f.address(output!, () => f.scaled(row, 4)), total, 1)
    }
    f.local.get(lane!), f.i32.eqz()
    f.if(() => f.forRange(row, 0, rows, 1, combineRow))
  })
}

/** Strips of columns, each walked down all terms with its sums in registers. */
function emitColumnReduction(context: Context, step: ReductionStep): void {
  const { f, frame, row } = context
  const strips = Math.ceil(frame.columns / STRIP)
  const [from, to, unit, first] = f.locals("i32", 4) as [Local, Local, Local, Local]
  f.assign(row, 0)
  emitRowBases(context)
  emitLevel(context, LEVEL.call)
  emitShare(context, product(frame.rowSizes) * strips, 1, from, to)
  f.forRange(unit, from, to, 1, () => {
    f.local.get(unit), f.i32.const(strips), f.i32.divU(), f.local.set(row)
    f.local.get(unit), f.i32.const(strips), f.i32.remU(), f.i32.const(4 * STRIP), f.i32.mul(), f.local.set(first)
    const rest = frame.columns % STRIP
    const whole = () => emitStrip(context, step, first, STRIP)
    if (rest === 0) return whole()
    f.local.get(first), f.i32.const(4 * (frame.columns - rest)), f.i32.eq()
    f.if(() => emitStrip(context, step, first, rest), whole)
  })
}

function emitStrip(context: Context, step: ReductionStep, first: Local, columns: number): void {
  const { f, frame, row, offset, base, values, body } = context
  f.scope(() => {
    const totals = f.locals("v128", Math.ceil(columns / 4))
    const term = f.local("i32")
    for (const total of totals) f.f32x4.const(identity(step)), f.local.set(total)
    emitRowBases(context)
    emitLevel(context, LEVEL.row)
    f.assign(offset, first)
    f.forRange(term, 0, frame.terms, 1, () => {
      emitLevel(context, LEVEL.term), emitPlace(context)
      for (const [vector, total] of totals.entries()) {
        emitLevel(context, LEVEL.element, LANE_BYTES * vector)
        f.local.get(total), f.local.get(values[body.results[0]!]!)
        emitCombine(f, step)
        f.local.set(total)
      }
      for (const [leaf, { termStride }] of frame.leaves.entries())
        if (termStride !== 0) f.increment(base[leaf]!, 4 * termStride)
    })
    const at = () => f.address(context.outputs[0]!, () => f.scaled(row, 4 * frame.columns), offset)
    for (const [vector, total] of totals.entries())
      emitStore(f, at, total, Math.min(4, columns - 4 * vector), LANE_BYTES * vector)
  })
}
