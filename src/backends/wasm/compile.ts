// From the steps of programs to one WebAssembly module: a function per kernel shape, and per program one exported list of
// calls with a barrier after each. Addresses are constants of the list; kernels of equal shape share their code.
import { alignUp, type Program, type Step, schedule, storageOf, type Tensor, type Update } from "../../tensor/index.ts"
import {
  createModule,
  type FunctionBuilder,
  type FunctionHandle,
  type Local,
  type MemoryOptions,
  type ModuleBuilder,
} from "./assembler.ts"
import { barriersBefore, type Call, callsOf, kernelOf } from "./call-list.ts"
import { partialBytes } from "./kernels/element.ts"
import type { Build } from "./kernels/index.ts"
import { emitBarrier } from "./lanes.ts"
import { type ArenaLayout, layoutArena } from "./layout.ts"
import type { Charge } from "./profile.ts"

/** A program with everything decided but the addresses. */
export interface PlannedProgram {
  readonly name: string
  readonly program: Program
  readonly steps: readonly Step[]
  readonly layout: ArenaLayout
  /** Scratch each lane needs for the hungriest kernel. */
  readonly scratchBytesPerLane: number
}

/** Schedules and lays out a program; throws for an operation the backend lacks. */
export function planProgram(name: string, program: Program, build: Build): PlannedProgram {
  const steps = schedule(program)
  const layout = layoutArena(program, steps, (step) => (step.kind === "op" ? 0 : partialBytes(step)))
  const scratch = steps.map((step) =>
    step.kind === "op" ? (kernelOf(step, { ...build, inPlace: false }).scratchBytes ?? 0) : 0,
  )
  return { name, program, steps, layout, scratchBytesPerLane: alignUp(Math.max(0, ...scratch)) }
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

/** A module, and what the time of each call of its programs is put down to. */
export interface Assembled {
  readonly bytes: Uint8Array
  readonly charges: ReadonlyMap<PlannedProgram, readonly Charge[]>
}

/** Assembles one module with an exported function `(lane, lanes)` per program. */
export function assemble(
  programs: readonly PlannedProgram[],
  places: Places,
  options: { build: Build; memory: MemoryOptions },
): Assembled {
  const module = createModule({ memory: options.memory })
  const now = places.clocks === undefined ? undefined : module.importFunction("env", "now", [], ["f64"])
  const barrier = emitBarrier(module)
  const charges = new Map<PlannedProgram, Charge[]>()
  for (const planned of programs) {
    const clock = now && { now, readings: places.clocks!.get(planned)! }
    const calls = callsOf(module, planned, places, options.build)
    charges.set(
      planned,
      calls.map(({ charge }) => charge),
    )
    emitProgram(module, planned.name, calls, places, barrier, clock)
  }
  return { bytes: module.bytes(), charges }
}

/** Adds what each call took, its barrier included, to one f64 a call. */
interface Clock {
  readonly now: FunctionHandle
  readonly readings: number
}

/** The exported list of calls. Where calls are timed each is followed by a barrier, so that it pays for its own slowest lane. */
function emitProgram(
  module: ModuleBuilder,
  name: string,
  calls: readonly Call[],
  places: Places,
  barrier: FunctionHandle,
  clock: Clock | undefined,
): void {
  const waits = clock === undefined ? barriersBefore(calls) : calls.map(() => false)
  module.function(name, ["i32", "i32"], [], true, (f, lane, lanes) => {
    const scratch = f.local("i32")
    const meet = () => (f.local.get(lanes!), f.call(barrier))
    f.address(places.scratch, () => f.scaled(lane!, places.scratchBytesPerLane)), f.local.set(scratch)
    const lap = clock && emitStopwatch(f, lane!, clock)
    for (const [index, { target, addresses, ownScratch }] of calls.entries()) {
      if (waits[index]) meet()
      for (const address of addresses) f.i32.const(address)
      if (ownScratch) f.local.get(scratch)
      f.local.get(lane!), f.local.get(lanes!), f.call(target)
      if (lap) meet(), lap(index)
    }
  })
}

/** Starts a stopwatch in lane 0; what is returned adds the time since the last lap to the reading of a call. */
function emitStopwatch(f: FunctionBuilder, lane: Local, { now, readings }: Clock): (call: number) => void {
  const [last, time] = f.locals("f64", 2)
  const inFirstLane = (body: () => void) => (f.local.get(lane), f.i32.eqz(), f.if(body))
  inFirstLane(() => (f.call(now), f.local.set(last)))
  return (call) =>
    inFirstLane(() => {
      f.call(now), f.local.set(time)
      f.i32.const(readings + 8 * call), f.i32.const(readings + 8 * call), f.f64.load()
      f.local.get(time), f.local.get(last), f.f64.sub(), f.f64.add(), f.f64.store()
      f.local.get(time), f.local.set(last)
    })
}

/** Updates that could not be computed in place: copied into their states at the end. */
export const copiedUpdates = ({ program, layout }: PlannedProgram): readonly Update[] =>
  program.updates.filter(({ state, value }) => layout.inPlace.get(value) !== state)
