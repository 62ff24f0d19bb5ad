// Where every tensor of a set of programs lies. States and fixed data get places of their own for the life of the workspace;
// everything else shares one arena, because the programs of a workspace never run at the same time.
import { BYTES_PER_ELEMENT, invariant, sizeOf } from "../../core/index.ts"
import {
  alignUp,
  type Lifetime,
  type Program,
  planArena,
  readsOf,
  resultsOf,
  type Step,
  storageOf,
  type Tensor,
} from "../../tensor/index.ts"

/** Vector loads may touch this many bytes past the end of a buffer. */
const READ_PAST_END = 16

/** Bytes to set aside for a tensor. */
export const bytesOf = ({ dtype, shape }: Tensor): number => BYTES_PER_ELEMENT[dtype] * sizeOf(shape) + READ_PAST_END

/** The temporaries of one program: offsets in the arena by tensor, and one extra buffer per step that asked for it. */
export interface ArenaLayout {
  readonly offsets: ReadonlyMap<Tensor, number>
  /** Offset of each step's own shared buffer, if it asked for one; it lasts until what the step reduces is first read; that of an operation ends with it. */
  readonly extras: ReadonlyMap<Step, number>
  /** Updates whose value is computed straight into the bytes of its state; the others are copied at the end of a run. */
  readonly inPlace: ReadonlyMap<Tensor, Tensor>
  readonly bytes: number
}

/** States, fixed data and constants live as long as the workspace. */
const OWN_PLACE: ReadonlySet<string> = new Set(["state", "data", "constant"])
export const hasOwnPlace = (tensor: Tensor): boolean => OWN_PLACE.has(tensor.node.op)

/** Lays out the temporaries of `program`; `extraBytes` are the shared buffers steps need besides their tensors. */
export function layoutArena(program: Program, steps: readonly Step[], extraBytes: (step: Step) => number): ArenaLayout {
  const inPlace = chooseInPlace(program, steps)
  const lives = lifetimesOf(program, steps, inPlace)
  const extraLives = new Map<Step, Lifetime>()
  for (const [at, step] of steps.entries())
    if (extraBytes(step) > 0) extraLives.set(step, { bytes: extraBytes(step), first: at, last: firstUse(steps, at) })
  const { offsets, bytes } = planArena([...lives.values(), ...extraLives.values()])
  return {
    offsets: new Map([...lives.keys()].map((tensor, i) => [tensor, offsets[i]!])),
    extras: new Map([...extraLives.keys()].map((step, i) => [step, offsets[lives.size + i]!])),
    inPlace,
    bytes: alignUp(bytes),
  }
}

/** The step that first reads what step `at` reduces: until then its partial results are kept. An operation keeps nothing. */
function firstUse(steps: readonly Step[], at: number): number {
  const step = steps[at]!
  if (step.kind === "op") return at
  const reduced = step.kind === "elementwise" ? step.reductions.map(({ writes }) => writes) : step.writes
  const use = steps.findIndex((user, index) => index > at && readsOf(user).some((tensor) => reduced.includes(tensor)))
  return use < 0 ? steps.length : use
}

/** What is read when a run has ended: outputs, and values that are copied into their states. */
const readAtEnd = (program: Program): Tensor[] =>
  [...Object.values(program.outputs), ...program.updates.map(({ value }) => value)].map(storageOf)

/** Tensors with places of their own that have to lie in memory; constants of element programs are part of the code. */
export function ownTensorsOf(program: Program, steps: readonly Step[]): Set<Tensor> {
  return new Set([...program.states, ...steps.flatMap(readsOf), ...readAtEnd(program)].filter(hasOwnPlace))
}

/** Inputs live from the start, outputs and copied updates to the end, all else from the step that writes it to the last that reads it. */
function lifetimesOf(
  program: Program,
  steps: readonly Step[],
  inPlace: ReadonlyMap<Tensor, Tensor>,
): Map<Tensor, Lifetime> {
  const lives = new Map<Tensor, Lifetime>()
  const touch = (tensor: Tensor, at: number): void => {
    if (hasOwnPlace(tensor) || inPlace.has(tensor)) return
    const { first, last } = lives.get(tensor) ?? { first: at, last: at }
    lives.set(tensor, { bytes: bytesOf(tensor), first: Math.min(first, at), last: Math.max(last, at) })
  }
  for (const input of Object.values(program.inputs)) touch(input, 0)
  for (const [at, step] of steps.entries())
    for (const tensor of [...resultsOf(step), ...readsOf(step)]) touch(tensor, at)
  for (const tensor of readAtEnd(program)) touch(tensor, steps.length)
  return lives
}

/**
 * An update may overwrite its state as it is computed if nobody reads the old numbers afterwards, and its own step reads
 * them only at the index it writes. (A program has one update a state, and no output or value is the updated state itself.)
 */
function chooseInPlace(program: Program, steps: readonly Step[]): Map<Tensor, Tensor> {
  const writtenAt = new Map<Tensor, number>()
  const lastReadAt = new Map<Tensor, number>()
  for (const [at, step] of steps.entries()) {
    for (const tensor of step.writes) writtenAt.set(tensor, at)
    for (const tensor of readsOf(step)) lastReadAt.set(tensor, at)
  }
  const inPlace = new Map<Tensor, Tensor>()
  for (const { state, value } of program.updates) {
    const at = writtenAt.get(value)
    if (at === undefined || inPlace.has(value)) continue
    const isReadLater = (lastReadAt.get(state) ?? -1) > at
    if (!isReadLater && readsSameIndex(steps[at]!, state)) inPlace.set(value, state)
  }
  return inPlace
}

/** Whether a step that writes where `state` lies reads no element of it that it may already have overwritten. */
function readsSameIndex(step: Step, state: Tensor): boolean {
  if (step.kind === "op") {
    const [cache, ...others] = readsOf(step)
    return step.node.op === "cacheWrite" && cache === state && !others.includes(state)
  }
  // An element program has as many indices as the state has elements, so whatever view of it is read, it is read in order.
  return step.kind === "elementwise" || !readsOf(step).includes(state)
}

/** Hands out places one after the other; never takes them back, as a WebAssembly memory never shrinks. */
export interface Allocator {
  allocate(bytes: number): number
  readonly used: number
}

/** `reserve(end)` is asked before each place is given, and throws where there is no more. */
export function createAllocator(start: number, reserve: (end: number) => void): Allocator {
  let used = alignUp(start)
  return {
    allocate(bytes) {
      invariant(bytes >= 0, `cannot allocate ${bytes} bytes`)
      const address = used
      reserve(used + alignUp(bytes))
      used += alignUp(bytes)
      return address
    },
    get used() {
      return used
    },
  }
}
