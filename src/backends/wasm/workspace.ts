// One WebAssembly memory and the programs that run in it. Layout, from address 0: the lanes' control block, then states and
// fixed data as programs name them, an arena all programs share, and scratch for each lane.

import { platform } from "#platform"
import { DeviceError, formatBytes, invariant, sizeOf } from "../../core/index.ts"
import { flopsOf, isOp, type Program, type Tensor } from "../../tensor/index.ts"
import type { Executable, Feed, Results, Workspace } from "../backend.ts"
import { feedValues } from "../feed.ts"
import { addressOf, assemble, type Places, type PlannedProgram, planProgram } from "./compile.ts"
import { CONTROL_BYTES, type LanePool, type LoadedModule } from "./lanes.ts"
import { bytesOf, createAllocator, hasOwnPlace } from "./layout.ts"
import { type WasmMemory, webAssembly } from "./webassembly.ts"

const PAGE_BYTES = 65536
/** A 32-bit memory ends at 4 GiB; one page less keeps every address and length in 32 bits. */
const MAX_PAGES = 65535

interface WorkspaceOptions {
  readonly pool: LanePool
  readonly fma: boolean
  readonly shared: boolean
  readonly allowV8Flags: boolean
}

export function createWasmWorkspace(options: WorkspaceOptions): Workspace {
  let memory: WasmMemory | undefined = openMemory(options.shared)
  const live = (): WasmMemory => {
    if (memory === undefined) throw new DeviceError("the workspace is closed")
    return memory
  }
  const allocator = createAllocator(CONTROL_BYTES, (end) => growTo(live(), end))
  const own = new Map<Tensor, number>()
  const shared = { arena: 0, arenaBytes: 0, scratch: 0, scratchBytes: 0 }
  const loaded: LoadedModule[] = []
  const view = (tensor: Tensor, address: number) => viewOf(live(), tensor, address)

  const placeOf = (tensor: Tensor): number => {
    const known = own.get(tensor)
    if (known !== undefined) return known
    const address = allocator.allocate(bytesOf(tensor))
    own.set(tensor, address)
    if (isOp(tensor.node, "data")) view(tensor, address).set(tensor.node.attributes.values)
    if (isOp(tensor.node, "constant")) view(tensor, address).set([tensor.node.attributes.value])
    return address
  }
  /** Programs compiled later may need more room than the first; a larger block replaces the old one for them. */
  const place = (planned: readonly PlannedProgram[]): Places => {
    for (const { program } of planned)
      for (const node of program.nodes) for (const x of node.outputs) if (hasOwnPlace(x)) placeOf(x)
    const arenaBytes = Math.max(0, ...planned.map(({ layout }) => layout.bytes))
    const scratchBytesPerLane = Math.max(0, ...planned.map((one) => one.scratchBytesPerLane))
    const scratchBytes = scratchBytesPerLane * options.pool.count
    if (arenaBytes > shared.arenaBytes) Object.assign(shared, { arena: allocator.allocate(arenaBytes), arenaBytes })
    if (scratchBytes > shared.scratchBytes)
      Object.assign(shared, { scratch: allocator.allocate(scratchBytes), scratchBytes })
    return { own: placeOf, arena: shared.arena, scratch: shared.scratch, scratchBytesPerLane }
  }

  const compile: Workspace["compile"] = async (programs) => {
    const planned = (Object.entries(programs) as [string, Program][]).map(([name, program]) =>
      planProgram(name, program, options.fma),
    )
    const places = place(planned)
    const limits = { min: 1, max: MAX_PAGES, shared: options.shared }
    const module = compileModule(assemble(planned, places, { fma: options.fma, memory: limits }), options.allowV8Flags)
    const handle = await options.pool.load(live(), module)
    loaded.push(handle)
    return Object.fromEntries(
      planned.map((one) => [one.name, createExecutable(one, places, handle, options.pool, view)]),
    ) as never
  }

  return {
    compile,
    write(state, values) {
      invariant(
        values.length === sizeOf(state.shape),
        `state needs ${sizeOf(state.shape)} values, got ${values.length}`,
      )
      view(state, placeOf(state)).set(values)
    },
    read: (state) => Float32Array.from(view(state, placeOf(state))),
    get plannedBytes() {
      return allocator.used
    },
    close() {
      for (const handle of loaded) handle.unload()
      memory = undefined
    },
  }
}

function openMemory(shared: boolean): WasmMemory {
  return new webAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared })
}

function growTo(memory: WasmMemory, bytes: number): void {
  const missing = Math.ceil(bytes / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES
  if (missing <= 0) return
  const { totalBytes } = platform.memory()
  const hint = "a smaller model, batch or context needs less"
  if (bytes > MAX_PAGES * PAGE_BYTES)
    throw new DeviceError(
      `the plan needs ${formatBytes(bytes)}, more than the 4.29 GB a WebAssembly memory can hold`,
      hint,
    )
  if (totalBytes > 0 && bytes > totalBytes)
    throw new DeviceError(`the plan needs ${formatBytes(bytes)}, this machine has ${formatBytes(totalBytes)}`, hint)
  try {
    memory.grow(missing)
  } catch (cause) {
    throw new DeviceError(`the plan needs ${formatBytes(bytes)} and the engine refuses to give it`, hint, { cause })
  }
}

function viewOf(memory: WasmMemory, tensor: Tensor, address: number): Float32Array | Int32Array {
  const length = sizeOf(tensor.shape)
  return tensor.dtype === "i32"
    ? new Int32Array(memory.buffer, address, length)
    : new Float32Array(memory.buffer, address, length)
}

/** With permission, V8 skips its baseline compiler: the first step is as fast as the hundredth. */
function compileModule(bytes: Uint8Array, allowV8Flags: boolean) {
  const set = (flags: readonly string[]) => allowV8Flags && flags.every((flag) => platform.setEngineFlag(flag))
  const changed = set(["--no-liftoff", "--no-wasm-lazy-compilation"])
  try {
    return new webAssembly.Module(bytes)
  } finally {
    if (changed) set(["--liftoff", "--wasm-lazy-compilation"])
  }
}

function createExecutable(
  planned: PlannedProgram,
  places: Places,
  handle: LoadedModule,
  pool: LanePool,
  view: (tensor: Tensor, address: number) => Float32Array | Int32Array,
): Executable {
  const { program } = planned
  const at = (tensor: Tensor) => view(tensor, addressOf(tensor, planned, places))
  const begin = (feed: Feed) => {
    for (const [tensor, values] of feedValues(program, feed)) at(tensor).set(values)
  }
  const results = (): Results =>
    Object.fromEntries(Object.entries(program.outputs).map(([name, tensor]) => [name, Float32Array.from(at(tensor))]))
  return {
    program,
    flops: flopsOf(program),
    async run(feed = {}) {
      begin(feed)
      await pool.run(handle, planned.name)
      return results()
    },
  }
}
