// From the steps of programs to one WebAssembly module: a function per kernel shape, and per program one exported list of
// calls, with barriers where lanes touch each other's results. Addresses are constants of the list; kernels of equal shape
// share their code.
import {
  createModule,
  type FunctionBuilder,
  type FunctionHandle,
  type Local,
  type MemoryOptions,
  type ModuleBuilder,
} from "./assembler.ts"
import { barriersBefore, type Call, callsOf } from "./call-list.ts"
import type { Build } from "./kernels/index.ts"
import { importSgemm } from "./kernels/matmul-blas.ts"
import { emitBarrier } from "./lanes.ts"
import type { Places, PlannedProgram } from "./planned-program.ts"
import type { Charge } from "./profile.ts"

/** How a module is built. */
export interface BuildOptions {
  readonly build: Build
  readonly memory: MemoryOptions
  /** Names of the products that go through a BLAS; the module imports it if there are any. */
  readonly viaBlas: ReadonlySet<string>
}

/** A module, and what the time of each call of its programs is put down to. */
export interface Assembled {
  readonly bytes: Uint8Array
  readonly charges: ReadonlyMap<PlannedProgram, readonly Charge[]>
}

/** Assembles one module with an exported function `(lane, lanes)` per program. */
export function assemble(programs: readonly PlannedProgram[], places: Places, options: BuildOptions): Assembled {
  const { build, memory, viaBlas } = options
  const module = createModule({ memory })
  const now = places.clocks === undefined ? undefined : module.importFunction("env", "now", [], ["f64"])
  if (viaBlas.size > 0) importSgemm(module)
  const barrier = emitBarrier(module)
  const charges = new Map<PlannedProgram, Charge[]>()
  for (const planned of programs) {
    const clock = now && { now, readings: places.clocks!.get(planned)! }
    const calls = callsOf(module, planned, places, { ...build, viaBlas })
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
