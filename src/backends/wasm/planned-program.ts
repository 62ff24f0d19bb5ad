// A program with everything decided but the addresses: its steps, their places in the arena, the scratch they need.
import {
  alignUp,
  type Program,
  resultsOf,
  type Step,
  schedule,
  storageOf,
  type Tensor,
  type Update,
} from "../../tensor/index.ts"
import { partialBytes } from "./kernels/element.ts"
import { type Build, type Series, seriesOf } from "./kernels/index.ts"
import type { Product } from "./kernels/matmul-shape.ts"
import { type ArenaLayout, layoutArena } from "./layout.ts"

/** A program with everything decided but the addresses. */
export interface PlannedProgram {
  readonly name: string
  readonly program: Program
  readonly steps: readonly Step[]
  readonly layout: ArenaLayout
  /** Scratch each lane needs for the hungriest kernel. */
  readonly scratchBytesPerLane: number
  /** The matrix products among its calls. */
  readonly products: readonly Product[]
  /** No run makes more calls: those of its operations, one for each sum or sweep and what it reduces, one for each update. */
  readonly mostCalls: number
}

/** Schedules and lays out a program; throws for an operation the backend lacks. */
export function planProgram(name: string, program: Program, build: Build): PlannedProgram {
  const steps = schedule(program)
  const ofStep = (step: Step): Series =>
    step.kind === "op"
      ? seriesOf(step.node, { ...build, inPlace: false })
      : { blockBytes: partialBytes(step), parts: [] }
  const series = new Map(steps.map((step) => [step, ofStep(step)]))
  const layout = layoutArena(program, steps, (step) => series.get(step)!.blockBytes)
  const parts = [...series.values()].flatMap(({ parts }) => parts)
  return {
    name,
    program,
    steps,
    layout,
    scratchBytesPerLane: alignUp(Math.max(0, ...parts.map(({ scratchBytes = 0 }) => scratchBytes))),
    products: parts.flatMap(({ product }) => product ?? []),
    mostCalls: parts.length + program.updates.length + steps.reduce((sum, step) => sum + resultsOf(step).length + 1, 0),
  }
}

/** Where things lie, once the memory has been shared out. */
export interface Places {
  /** Address of a program's clock readings, one f64 a call; only where calls are timed. */
  readonly clocks?: ReadonlyMap<PlannedProgram, number>
  /** Address of a state or of fixed data. */
  readonly own: (tensor: Tensor) => number
  readonly arena: number
  readonly scratch: number
  readonly scratchBytesPerLane: number
}

/** Address of any tensor of a program. */
export function addressOf(tensor: Tensor, { layout }: PlannedProgram, places: Places): number {
  const stored = storageOf(tensor)
  const offset = layout.offsets.get(stored)
  return offset === undefined ? places.own(layout.inPlace.get(stored) ?? stored) : places.arena + offset
}

/** Updates that could not be computed in place: copied into their states at the end. */
export const copiedUpdates = ({ program, layout }: PlannedProgram): readonly Update[] =>
  program.updates.filter(({ state, value }) => layout.inPlace.get(value) !== state)
