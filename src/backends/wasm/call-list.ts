// What a lane does in one run of a program: a list of calls with constant addresses, and the barriers that some of them need.
// Neighbors that do not touch each other's results run without one in between: all norms, all parameters of an optimizer.
import { sizeOf } from "../../core/index.ts"
import { readsOf, type Step, type Tensor } from "../../tensor/index.ts"
import type { FunctionHandle, ModuleBuilder } from "./assembler.ts"
import { elementKey, emitElement, emitPartials, partialBytes, partialSums } from "./kernels/element.ts"
import { type KernelOptions, type Span, seriesOf } from "./kernels/index.ts"
import { emitMove } from "./kernels/move.ts"
import { addressOf, copiedUpdates, type Places, type PlannedProgram } from "./planned-program.ts"
import { type Charge, COPY, chargeOf, PARTIALS, tensorBytes } from "./profile.ts"

/** Bytes from `start` to before `end`. */
interface Region {
  readonly start: number
  readonly end: number
}

export interface Call {
  readonly target: FunctionHandle
  readonly addresses: readonly number[]
  /** Takes the address of the lane's own scratch after the others. */
  readonly ownScratch: boolean
  readonly reads: readonly Region[]
  readonly writes: readonly Region[]
  /** What its time is put down to. */
  readonly charge: Charge
}

/** What holds for all kernels of a module. */
type Options = Omit<KernelOptions, "inPlace">

/** All calls of a run, in order. */
export function callsOf(module: ModuleBuilder, planned: PlannedProgram, places: Places, options: Options): Call[] {
  const calls: Call[] = []
  /** Sums of partial results, put off until one of them is read: together they need one barrier. */
  let pending: Call[] = []
  const flush = () => (calls.push(...pending), (pending = []))
  for (const step of planned.steps) {
    const { now, later } = callsOfStep(module, step, planned, places, options)
    const clash = ({ writes }: Call) => now.some((call) => meet(writes, call.reads) || meet(writes, call.writes))
    if (pending.some(clash)) flush()
    calls.push(...now)
    pending.push(...later)
  }
  flush()
  return [...calls, ...copies(module, planned, places)]
}

/** Which calls must wait until all lanes have finished the calls before. */
export function barriersBefore(calls: readonly Call[]): boolean[] {
  let [read, written]: [Region[], Region[]] = [[], []]
  return calls.map(({ reads, writes }) => {
    const waits = meet(reads, written) || meet(writes, written) || meet(writes, read)
    if (waits) [read, written] = [[], []]
    read.push(...reads)
    written.push(...writes)
    return waits
  })
}

const meet = (a: readonly Region[], b: readonly Region[]): boolean =>
  a.some((x) => b.some((y) => x.start < y.end && y.start < x.end))

/** Calls to be made at once, and one that may wait until its result is read. */
interface StepCalls {
  readonly now: readonly Call[]
  readonly later: readonly Call[]
}

function callsOfStep(
  module: ModuleBuilder,
  step: Step,
  planned: PlannedProgram,
  places: Places,
  options: Options,
): StepCalls {
  const address = (tensor: Tensor) => addressOf(tensor, planned, places)
  const extra = places.arena + (planned.layout.extras.get(step) ?? 0)
  if (step.kind === "op") {
    const inPlace = step.writes.some((tensor) => planned.layout.inPlace.has(tensor))
    return { now: callsOfSeries(module, step, { address, block: extra }, { ...options, inPlace }), later: [] }
  }
  const region = (tensor: Tensor) => regionAt(address(tensor), tensorBytes(tensor))
  const [reads, writes] = [readsOf(step).map(region), step.writes.map(region)]
  const target = module.once(elementKey(step), () => emitElement(module, step, options))
  const addresses = [...step.body.leaves.map(address), ...step.writes.map(address), extra]
  const inPlace = step.writes.some((tensor) => planned.layout.inPlace.has(tensor))
  const first = { target, addresses, ownScratch: false, reads, writes, charge: chargeOf(step, inPlace) }
  const sums = partialSums(step)
  if (sums.length === 0) return { now: [first], later: [] }
  const between = regionAt(extra, partialBytes(step))
  const stored = step.kind === "elementwise" ? writes : []
  const later = sums.map(({ offset, result, ...shape }): Call => {
    const target = module.once(`partials ${JSON.stringify(shape)}`, () => emitPartials(module, shape))
    const addresses = [extra + offset, address(result)]
    return { target, addresses, ownScratch: false, reads: [between], writes: [region(result)], charge: PARTIALS }
  })
  return { now: [{ ...first, writes: [...stored, between] }], later }
}

/** The calls of an operation; the first is charged with all of it. */
function callsOfSeries(
  module: ModuleBuilder,
  step: Step & { kind: "op" },
  at: { address: (tensor: Tensor) => number; block: number },
  options: KernelOptions,
): Call[] {
  const { node } = step
  const tensors = [...node.inputs, ...node.outputs]
  const charge = chargeOf(step, options.inPlace)
  return seriesOf(node, options).parts.map((part, i) => {
    const region = ({ of, start, bytes }: Span) =>
      regionAt((of === "block" ? at.block : at.address(tensors[of]!)) + start, bytes)
    const [reads, writes] = [part.reads.map(region), part.writes.map(region)]
    return {
      target: part.emit(module),
      addresses: [...reads, ...writes].map(({ start }) => start),
      ownScratch: true,
      reads,
      writes,
      charge: i === 0 ? charge : { ...charge, flops: 0, bytes: 0 },
    }
  })
}

const regionAt = (start: number, bytes: number): Region => ({ start, end: start + bytes })

function copies(module: ModuleBuilder, planned: PlannedProgram, places: Places): Call[] {
  return copiedUpdates(planned).map(({ state, value }) => {
    const size = sizeOf(state.shape)
    const move = { shape: [size], inputStrides: [1], outputStrides: [1], inputOffset: 0, outputOffset: 0 }
    const target = module.once(`copy ${size}`, () => emitMove(module, move))
    const addresses = [addressOf(value, planned, places), places.own(state)] as const
    const [reads, writes] = addresses.map((address) => [regionAt(address, 4 * size)]) as [Region[], Region[]]
    return { target, addresses, ownScratch: true, reads, writes, charge: { ...COPY, bytes: 8 * size } }
  })
}
