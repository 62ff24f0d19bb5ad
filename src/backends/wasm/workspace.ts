// One WebAssembly memory and the programs that run in it. Layout, from address 0: the lanes' control block, then states and
// fixed data as programs name them, an arena all programs share, and scratch for each lane.

import { platform } from "#platform"
import { decodeF16 } from "../../core/index.ts"
import { flopsOf, isOp, type Program, type Tensor } from "../../tensor/index.ts"
import type { Executable, Feed, Results, Workspace } from "../backend.ts"
import { feedValues, requireState, stateValues } from "../feed.ts"
import { addressOf, assemble, type Places, type PlannedProgram, planProgram } from "./compile.ts"
import { CONTROL_BYTES, type LanePool, type LoadedModule } from "./lanes.ts"
import { bytesOf, createAllocator, ownTensorsOf } from "./layout.ts"
import { MAX_PAGES, type Memory, openMemory } from "./memory.ts"
import { webAssembly } from "./webassembly.ts"

interface WorkspaceOptions {
  readonly pool: LanePool
  readonly fma: boolean
  readonly shared: boolean
  readonly allowV8Flags: boolean
}

/** What the executables of a workspace have in common. */
interface Runtime {
  readonly memory: Memory
  readonly pool: LanePool
  /** Runs share the arena: each waits for the one before. */
  readonly inTurn: <T>(run: () => Promise<T>) => Promise<T>
}

export function createWasmWorkspace({ pool, fma, shared, allowV8Flags }: WorkspaceOptions): Workspace {
  const memory = openMemory(shared)
  const runtime: Runtime = { memory, pool, inTurn: createTurns() }
  const places = createPlaces(memory, pool.count)
  const loaded: LoadedModule[] = []
  const viewOf = (state: Tensor) => (requireState(state), memory.view(state, places.own(state)))

  const compile: Workspace["compile"] = async (programs) => {
    const entries = Object.entries(programs) as [string, Program][]
    const planned = entries.map(([name, program]) => planProgram(name, program, fma))
    const shares = places.share(planned)
    const bytes = assemble(planned, shares, { fma, memory: { min: 1, max: MAX_PAGES, shared } })
    const handle = await pool.load(memory.live(), compileModule(bytes, allowV8Flags))
    loaded.push(handle)
    return Object.fromEntries(planned.map((one) => [one.name, createExecutable(one, shares, handle, runtime)])) as never
  }
  return {
    compile,
    write: (state, values, at) => viewOf(state).set(stateValues(state, values, at), at),
    read: (state) => floatsOf(viewOf(state)),
    get plannedBytes() {
      return places.used
    },
    close() {
      for (const handle of loaded.splice(0)) handle.unload()
      memory.close()
    },
  }
}

/** Where everything of a workspace lies; places are given once and never taken back. */
function createPlaces(memory: Memory, lanes: number) {
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

/** With permission, V8 skips its baseline compiler: the first step is as fast as the hundredth. */
function compileModule(bytes: Uint8Array, allowV8Flags: boolean) {
  const flags = allowV8Flags ? ["liftoff", "wasm-lazy-compilation"] : []
  const changed = flags.filter((flag) => platform.setEngineFlag(`--no-${flag}`))
  try {
    return new webAssembly.Module(bytes)
  } finally {
    for (const flag of changed) platform.setEngineFlag(`--${flag}`)
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
  handle: LoadedModule,
  { memory, pool, inTurn }: Runtime,
): Executable {
  const { program, name } = planned
  const view = (tensor: Tensor) => memory.view(tensor, addressOf(tensor, planned, places))
  const results = (): Results =>
    Object.fromEntries(Object.entries(program.outputs).map(([key, tensor]) => [key, floatsOf(view(tensor))]))
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
        return results()
      })
    },
  }
}
