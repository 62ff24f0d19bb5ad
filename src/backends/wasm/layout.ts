// Where every tensor of a set of programs lies. States and fixed data get places of their own for the life of the workspace;
// everything else shares one arena, because the programs of a workspace never run at the same time.
import { invariant, sizeOf } from "../../core/index.ts"
import {
  alignUp,
  type Lifetime,
  type Program,
  planArena,
  readsOf,
  type Step,
  storageOf,
  type Tensor,
} from "../../tensor/index.ts"

/** Vector loads may touch this many bytes past the end of a buffer. */
const READ_PAST_END = 16

export const bytesOf = (tensor: Tensor): number => 4 * sizeOf(tensor.shape) + READ_PAST_END

/** The temporaries of one program: offsets in the arena by tensor, and one extra buffer per step that asked for it. */
export interface ArenaLayout {
  readonly offsets: ReadonlyMap<Tensor, number>
  /** Offset of each step's own shared buffer, if it asked for one. */
  readonly extras: ReadonlyMap<Step, number>
  /** Updates whose value is computed straight into the bytes of its state; the others are copied at the end of a run. */
  readonly inPlace: ReadonlyMap<Tensor, Tensor>
  readonly bytes: number
}

const OWN_PLACE: ReadonlySet<string> = new Set(["state", "data", "constant"])
export const hasOwnPlace = (tensor: Tensor): boolean => OWN_PLACE.has(tensor.node.op)

/** Lays out the temporaries of `program`; `extraBytes` are the shared buffers steps need besides their tensors. */
export function layoutArena(program: Program, steps: readonly Step[], extraBytes: (step: Step) => number): ArenaLayout {
  const inPlace = chooseInPlace(program, steps)
  const lives = lifetimesOf(program, steps, inPlace)
  const extraSteps = steps.filter((step) => extraBytes(step) > 0)
  const extraLives = extraSteps.map(
    (step): Lifetime => ({ bytes: extraBytes(step), first: steps.indexOf(step), last: steps.indexOf(step) }),
  )
  const { offsets, bytes } = planArena([...lives.values(), ...extraLives])
  return {
    offsets: new Map([...lives.keys()].map((tensor, i) => [tensor, offsets[i]!])),
    extras: new Map(extraSteps.map((step, i) => [step, offsets[lives.size + i]!])),
    inPlace,
    bytes: alignUp(bytes),
  }
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
    const known = lives.get(tensor)
    lives.set(tensor, {
      bytes: bytesOf(tensor),
      first: Math.min(known?.first ?? at, at),
      last: Math.max(known?.last ?? at, at),
    })
  }
  for (const input of Object.values(program.inputs)) touch(input, 0)
  for (const [at, step] of steps.entries()) for (const tensor of [...step.writes, ...readsOf(step)]) touch(tensor, at)
  for (const tensor of [...Object.values(program.outputs), ...program.updates.map(({ value }) => value)])
    touch(storageOf(tensor), steps.length)
  return lives
}

/**
 * An update may overwrite its state as it is computed if nobody reads the old numbers afterwards, and its own step reads
 * them only at the index it writes.
 */
function chooseInPlace(program: Program, steps: readonly Step[]): Map<Tensor, Tensor> {
  const inPlace = new Map<Tensor, Tensor>()
  for (const { state, value } of program.updates) {
    const at = steps.findIndex((step) => step.writes.includes(value))
    if (at < 0 || inPlace.has(value)) continue
    const readLater = steps.some((step, index) => index > at && readsOf(step).includes(state))
    const isOutput = Object.values(program.outputs).some((output) => storageOf(output) === state)
    if (!readLater && !isOutput && readsSameIndex(steps[at]!, state)) inPlace.set(value, state)
  }
  return inPlace
}

function readsSameIndex(step: Step, state: Tensor): boolean {
  if (step.kind === "op") return step.node.op === "cacheWrite" && storageOf(step.node.inputs[0]!) === state
  if (step.kind === "reduction") return !readsOf(step).includes(state)
  return step.body.leaves.every((leaf) => storageOf(leaf) !== state || sizeOf(leaf.shape) === sizeOf(step.body.shape))
}

/** Hands out places one after the other; never takes them back, as a WebAssembly memory never shrinks. */
export interface Allocator {
  allocate(bytes: number): number
  readonly used: number
}

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
