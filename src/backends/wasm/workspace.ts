// One WebAssembly memory and the programs that run in it. Layout, from address 0: the lanes' control block, then states and
// fixed data as programs name them, an arena all programs share, and scratch for each lane.

import { decodeF16 } from "../../core/index.ts"
import type { Blas } from "../../platform/platform.ts"
import { flopsOf, isOp, type Program, type Tensor } from "../../tensor/index.ts"
import type { Choices, Executable, Feed, Results, StepTime, Workspace } from "../backend.ts"
import { feedValues, requireState, stateValues } from "../feed.ts"
import type { BlasChooser } from "./blas-choice.ts"
import { assemble } from "./compile.ts"
import { compileInBackground } from "./compile-module.ts"
import type { Build } from "./kernels/index.ts"
import { type Product, productName } from "./kernels/matmul-shape.ts"
import { CONTROL_BYTES, type LanePool, type LoadedModule } from "./lanes.ts"
import { bytesOf, createAllocator, ownTensorsOf } from "./layout.ts"
import { MAX_PAGES, type Memory, openMemory } from "./memory.ts"
import { addressOf, type Places, type PlannedProgram, planProgram } from "./planned-program.ts"
import type { Charge } from "./profile.ts"

interface WorkspaceOptions {
  readonly pool: LanePool
  readonly build: Build
  readonly shared: boolean
  readonly allowV8Flags: boolean
  readonly profile: boolean
  readonly chooser: BlasChooser | undefined
  /** What another workspace chose by measuring, to be taken over. */
  readonly recorded: Choices | undefined
}

/** What the executables of a workspace have in common. */
interface Runtime {
  readonly memory: Memory
  readonly pool: LanePool
  /** Runs share the arena: each waits for the one before. */
  readonly inTurn: <T>(run: () => Promise<T>) => Promise<T>
}

export function createWasmWorkspace(options: WorkspaceOptions): Workspace {
  const { pool, build, shared, allowV8Flags, profile } = options
  const memory = openMemory(shared)
  const runtime: Runtime = { memory, pool, inTurn: createTurns() }
  const places = createPlaces(memory, pool.count, profile)
  const loaded: LoadedModule[] = []
  let closed = false
  const unload = () => {
    for (const handle of loaded.splice(0)) handle.unload()
  }
  const products = createProductChoices(options)
  const viewOf = (state: Tensor) => (requireState(state), memory.view(state, places.own(state)))

  const compile: Workspace["compile"] = async (programs) => {
    const entries = Object.entries(programs) as [string, Program][]
    const planned = entries.map(([name, program]) => planProgram(name, program, build))
    const shares = places.share(planned)
    const { blas, viaBlas } = await products.choose(planned)
    const { bytes, charges } = assemble(planned, shares, { build, viaBlas, memory: { min: 1, max: MAX_PAGES, shared } })
    const module = await compileInBackground(bytes, allowV8Flags)
    const handle = await pool.load(memory.live(), module, blas)
    loaded.push(handle)
    if (closed) unload()
    memory.live() // throws where it was closed meanwhile
    return Object.fromEntries(
      planned.map((one) => [one.name, createExecutable(one, shares, charges.get(one)!, handle, runtime)]),
    ) as never
  }
  return {
    compile,
    write: (state, values, at) => viewOf(state).set(stateValues(state, values, at), at),
    read: (state) => floatsOf(viewOf(state)),
    get choices() {
      return products.choices
    },
    get plannedBytes() {
      return places.used
    },
    close() {
      closed = true
      unload()
      memory.close()
    },
  }
}

/** Which products of a workspace go through a BLAS: measured, or as recorded. */
function createProductChoices({ chooser, recorded }: WorkspaceOptions) {
  let choices: Choices = {}
  const used = new Set<string>()
  const recordedNames = new Set(String(recorded?.["blasProducts"] ?? "").split(" "))
  const namesFor = async (products: readonly Product[]): Promise<ReadonlySet<string>> =>
    recorded
      ? new Set(products.map(productName).filter((name) => recordedNames.has(name)))
      : (chooser?.choose(products) ?? new Set())
  const choose = async (planned: readonly PlannedProgram[]): Promise<{ blas?: Blas; viaBlas: ReadonlySet<string> }> => {
    const viaBlas = await namesFor(planned.flatMap(({ products }) => products))
    const blas = viaBlas.size > 0 ? chooser?.find() : undefined
    if (blas === undefined) return { viaBlas: new Set() }
    for (const name of viaBlas) used.add(name)
    choices = { blas: blas.name, blasProducts: [...used].sort().join(" ") }
    return { blas, viaBlas }
  }
  return {
    choose,
    get choices() {
      return choices
    },
  }
}

/** Where everything of a workspace lies; places are given once and never taken back. */
function createPlaces(memory: Memory, lanes: number, profile: boolean) {
  const allocator = createAllocator(CONTROL_BYTES, memory.reserve)
  const known = new Map<Tensor, number>()
  const own = (tensor: Tensor): number => {
    const address = known.get(tensor) ?? allocator.allocate(bytesOf(tensor))
    if (known.has(tensor)) return address
    known.set(tensor, address)
    if (isOp(tensor.node, "data")) memory.view(tensor, address).set(tensor.node.attributes.values)
    if (isOp(tensor.node, "constant")) memory.view(tensor, address).set([tensor.node.attributes.value])
    return address
  }
  const [arena, scratch] = [createBlock(allocator), createBlock(allocator)]
  /** Places for programs compiled together; those compiled before keep theirs. */
  const share = (planned: readonly PlannedProgram[]): Places => {
    for (const { program, steps } of planned) for (const tensor of ownTensorsOf(program, steps)) own(tensor)
    const scratchBytesPerLane = Math.max(0, ...planned.map((one) => one.scratchBytesPerLane))
    return {
      own,
      arena: arena(Math.max(0, ...planned.map(({ layout }) => layout.bytes))),
      scratch: scratch(scratchBytesPerLane * lanes),
      scratchBytesPerLane,
      ...(profile ? { clocks: new Map(planned.map((one) => [one, allocator.allocate(clockBytes(one))])) } : {}),
    }
  }
  return {
    own,
    share,
    get used() {
      return allocator.used
    },
  }
}

/** One f64 a call. */
const clockBytes = ({ mostCalls }: PlannedProgram): number => 8 * mostCalls

/** A block used again and again; whoever needs a larger one gets a new one, which then serves all that come later. */
function createBlock(allocator: ReturnType<typeof createAllocator>): (bytes: number) => number {
  const block = { address: 0, bytes: 0 }
  return (bytes) => {
    if (bytes > block.bytes) Object.assign(block, { address: allocator.allocate(bytes), bytes })
    return block.address
  }
}

function createTurns(): Runtime["inTurn"] {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run)
    last = mine.catch(() => undefined)
    return mine
  }
}

const copyOf = ({ dtype }: Tensor, values: ArrayLike<number>): ArrayLike<number> =>
  dtype === "f16" ? values : dtype === "i32" ? new Int32Array(values) : new Float32Array(values)

/** A copy of what a view shows, half floats as numbers. */
const floatsOf = (view: ReturnType<Memory["view"]>): Float32Array =>
  view instanceof Uint16Array ? decodeF16(view) : new Float32Array(view)

function createExecutable(
  planned: PlannedProgram,
  places: Places,
  charges: readonly Charge[],
  handle: LoadedModule,
  { memory, pool, inTurn }: Runtime,
): Executable {
  const { program, name } = planned
  let runs = 0
  const view = (tensor: Tensor) => memory.view(tensor, addressOf(tensor, planned, places))
  const results = (): Results =>
    Object.fromEntries(Object.entries(program.outputs).map(([key, tensor]) => [key, floatsOf(view(tensor))]))
  const profile = (): StepTime[] => {
    const readings = new Float64Array(memory.live().buffer as ArrayBuffer, places.clocks!.get(planned), charges.length)
    const times = charges.map((charge, call) => ({ ...charge, seconds: readings[call]! / 1000 / Math.max(1, runs) }))
    readings.fill(0)
    runs = 0
    return times
  }
  return {
    program,
    flops: flopsOf(program),
    async run(feed: Feed = {}) {
      // The numbers are taken now: a caller who waits for his turn may reuse his arrays.
      const fed = [...feedValues(program, feed)].map(([input, values]) => [input, copyOf(input, values)] as const)
      return inTurn(async () => {
        memory.live()
        for (const [input, values] of fed) view(input).set(values)
        await pool.run(handle, name)
        runs++
        return results()
      })
    },
    ...(places.clocks === undefined ? {} : { profile }),
  }
}
