// From the steps of programs to one WebAssembly module: a function per kernel shape, and per program one exported list of
// calls with a barrier after each. Addresses are constants of the list; kernels of equal shape share their code.
import { DeviceError, sizeOf } from "../../core/index.ts"
import {
  alignUp,
  type Node,
  type Op,
  type Program,
  type Step,
  schedule,
  storageOf,
  type Tensor,
} from "../../tensor/index.ts"
import { createModule, type FunctionHandle, type MemoryOptions, type ModuleBuilder } from "./assembler.ts"
import { elementKey, emitElement, partialBytes } from "./kernels/element.ts"
import { type Kernel, type KernelOptions, kernels } from "./kernels/index.ts"
import { emitBarrier } from "./lanes.ts"
import { type ArenaLayout, layoutArena } from "./layout.ts"

/** A program with everything decided but the addresses. */
export interface PlannedProgram {
  readonly name: string
  readonly program: Program
  readonly steps: readonly Step[]
  readonly layout: ArenaLayout
  /** Scratch each lane needs for the hungriest kernel. */
  readonly scratchBytesPerLane: number
}

const inPlaceOf = (step: Step, layout: ArenaLayout): boolean => step.writes.some((tensor) => layout.inPlace.has(tensor))

/** The kernel of one step that is no element program. */
function kernelOf(step: Step & { kind: "op" }, options: KernelOptions): Kernel {
  const rule = (kernels as { readonly [O in Op]?: (node: Node, options: KernelOptions) => Kernel })[step.node.op]
  if (rule !== undefined) return rule(step.node, options)
  const hint = 'use openDevice({ kind: "reference" })'
  throw new DeviceError(`the wasm backend has no kernel for ${step.node.op}`, hint)
}

/** Schedules and lays out a program; throws for an operation the backend lacks. */
export function planProgram(name: string, program: Program, fma: boolean): PlannedProgram {
  const steps = schedule(program)
  const layout = layoutArena(program, steps, (step) => (step.kind === "op" ? 0 : partialBytes(step)))
  const scratch = steps.map((step) =>
    step.kind === "op" ? (kernelOf(step, { fma, inPlace: inPlaceOf(step, layout) }).scratchBytes ?? 0) : 0,
  )
  return { name, program, steps, layout, scratchBytesPerLane: alignUp(Math.max(0, ...scratch)) }
}

/** Where things lie, once the memory has been shared out. */
export interface Places {
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

/** Assembles one module with an exported function `(lane, lanes)` per program. */
export function assemble(
  programs: readonly PlannedProgram[],
  places: Places,
  options: { fma: boolean; memory: MemoryOptions },
): Uint8Array {
  const module = createModule({ memory: options.memory })
  const barrier = emitBarrier(module)
  for (const planned of programs) emitProgram(module, planned, places, barrier, options.fma)
  return module.bytes()
}

interface Call {
  readonly target: FunctionHandle
  readonly addresses: readonly number[]
  /** Element kernels take a buffer all lanes share; the others a scratch of the lane's own. */
  readonly ownScratch: boolean
}

function emitProgram(
  module: ModuleBuilder,
  planned: PlannedProgram,
  places: Places,
  barrier: FunctionHandle,
  fma: boolean,
): void {
  const calls = [
    ...planned.steps.map((step) => callOf(module, step, planned, places, barrier, fma)),
    ...copies(module, planned, places),
  ]
  module.function(planned.name, ["i32", "i32"], [], true, (f, lane, lanes) => {
    const scratch = f.local("i32")
    f.address(places.scratch, () => f.scaled(lane!, places.scratchBytesPerLane)), f.local.set(scratch)
    for (const { target, addresses, ownScratch } of calls) {
      for (const address of addresses) f.i32.const(address)
      if (ownScratch) f.local.get(scratch)
      f.local.get(lane!), f.local.get(lanes!), f.call(target)
      f.local.get(lanes!), f.call(barrier)
    }
  })
}

function callOf(
  module: ModuleBuilder,
  step: Step,
  planned: PlannedProgram,
  places: Places,
  barrier: FunctionHandle,
  fma: boolean,
): Call {
  const address = (tensor: Tensor) => addressOf(tensor, planned, places)
  if (step.kind !== "op") {
    const target = module.once(elementKey(step), () => emitElement(module, step, { fma, barrier }))
    const shared = places.arena + (planned.layout.extras.get(step) ?? 0)
    return {
      target,
      addresses: [...step.body.leaves.map(address), ...step.writes.map(address), shared],
      ownScratch: false,
    }
  }
  const { node } = step
  const inPlace = inPlaceOf(step, planned.layout)
  const target = module.once(opKey(node, inPlace), () => kernelOf(step, { fma, inPlace }).emit(module))
  return { target, addresses: [...node.inputs, ...node.outputs].map(address), ownScratch: true }
}

/** Kernels of one operation differ by shapes and attributes alone. */
function opKey({ op, attributes, inputs, outputs }: Node, inPlace: boolean): string {
  return JSON.stringify([
    op,
    attributes,
    inputs.map(({ dtype, shape }) => [dtype, ...shape]),
    outputs.map((x) => x.shape),
    inPlace,
  ])
}

/** Updates that could not be computed in place are copied into their states at the end. */
function copies(module: ModuleBuilder, planned: PlannedProgram, places: Places): Call[] {
  return planned.program.updates.flatMap(({ state, value }) => {
    if (planned.layout.inPlace.get(value) === state) return []
    const bytes = 4 * sizeOf(state.shape)
    const target = module.once(`copy ${bytes}`, () => emitCopy(module, bytes))
    return [{ target, addresses: [addressOf(value, planned, places), places.own(state)], ownScratch: false }]
  })
}

function emitCopy(module: ModuleBuilder, bytes: number): FunctionHandle {
  return module.function("copy", ["i32", "i32", "i32", "i32"], [], false, (f, from, to, lane) => {
    f.local.get(lane!), f.i32.eqz()
    f.if(() => (f.local.get(to!), f.local.get(from!), f.i32.const(bytes), f.memory.copy()))
  })
}
