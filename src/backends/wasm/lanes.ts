// The lanes: workers that run the same exported function on one shared memory. The calling thread only starts a step and
// is woken when the last lane has finished; it never blocks. Idle lanes sleep in the futex and keep no process alive.
import { platform } from "#platform"
import { DeviceError } from "../../core/index.ts"
import type { Blas, PlatformWorker } from "../../platform/platform.ts"
import { COMMAND, type FromLane, LANE_SOURCE, type ToLane, WORD, WORDS } from "./lane-worker.ts"
import { type WasmInstance, type WasmMemory, type WasmModule, webAssembly } from "./webassembly.ts"

export { CONTROL_BYTES, emitBarrier } from "./barrier.ts"

/** A module instantiated in every lane. */
export interface LoadedModule {
  /** Exported functions, in the module's order; each takes `(lane, lanes)`. */
  readonly functions: readonly string[]
  /** Lets the lanes forget the module and its memory. */
  unload(): void
}

/** Lanes that share the work of a step. One pool may serve several memories; its steps run one after the other. */
export interface LanePool {
  readonly count: number
  /** Instantiates a module that imports `env.memory`, and `env.sgemm` if a BLAS is given, in every lane. */
  load(memory: WasmMemory, module: WasmModule, blas?: Blas): Promise<LoadedModule>
  /**
   * Calls an exported function, by name or by index, as `(lane, lanes)` on every lane; settles when all have returned.
   *
   * @throws DeviceError  if a lane trapped; the pool is then broken and every later call throws the same
   */
  run(module: LoadedModule, step: string | number): Promise<void>
  close(): Promise<void>
}

/** The calling thread as the only lane. */
export interface LocalLane extends LanePool {
  /** Runs the step now, on this thread. */
  runSync(module: LoadedModule, step: string | number): void
}

/**
 * Closed workspaces may leave this much behind in the lanes. A lane sleeps in the futex and never collects garbage, so that
 * what it was told to forget stays until it ends: past this, new lanes take the place of the old (some 50 ms).
 */
const FORGOTTEN_BYTES_LIMIT = 64 * 2 ** 20

/** What a module needs to be loaded in lanes that start later. */
interface Loading {
  readonly id: number
  readonly module: WasmModule
  readonly memory: WasmMemory
  readonly names: readonly string[]
  readonly bindBlas: string | undefined
}

/**
 * Starts `count` workers. It does not wait until they listen: `load` does, and throws if one cannot be started.
 *
 * @throws DeviceError  if memory cannot be shared
 */
export function openLanes(count: number): LanePool {
  if (typeof SharedArrayBuffer === "undefined")
    throw new DeviceError("lanes need shared memory, which is switched off here", "open the device with a local lane")
  const loaded = new Map<LoadedModule, Loading>()
  let modules = 0
  let forgottenBytes = 0
  let team: Promise<Team> | undefined = startTeam(count)
  team.catch(() => {}) // told to whoever loads
  let ended: Promise<void> = Promise.resolve()
  /** The lanes at work; new ones, once the old have ended and with all that is loaded, if they were let go. */
  const current = (): Promise<Team> => {
    team ??= ended.then(() => startTeam(count, [...loaded.values()]))
    team.catch(() => {}) // told to whoever asked
    return team
  }
  const letGo = (old: Promise<Team>): void => {
    ended = old.then((lanes) => lanes.close())
    team = undefined
    forgottenBytes = 0
  }
  const forget = async ({ id, memory }: Loading): Promise<void> => {
    const old = team
    if (old === undefined) return
    const isLast = ![...loaded.values()].some((other) => other.memory === memory)
    if (isLast) forgottenBytes += memory.buffer.byteLength
    const lanes = await old
    if (lanes.ended || team !== old) return
    if (forgottenBytes > FORGOTTEN_BYTES_LIMIT) letGo(old)
    else await lanes.tell((_, sequence) => ({ kind: "unload", sequence, id }))
  }
  const load = async (memory: WasmMemory, module: WasmModule, blas?: Blas): Promise<LoadedModule> => {
    const loading = { id: modules++, module, memory, names: functionsOf(module), bindBlas: blas?.bindSource }
    await tellToLoad(await current(), loading)
    const handle: LoadedModule = {
      functions: loading.names,
      unload() {
        if (loaded.delete(handle)) forget(loading).catch(() => {}) // a broken team forgot it anyway
      },
    }
    loaded.set(handle, loading)
    return handle
  }
  const run = async (module: LoadedModule, step: string | number): Promise<void> => {
    const index = stepIndex(module, step)
    const loading = loaded.get(module)
    if (loading === undefined) throw new DeviceError("this module is not loaded in these lanes")
    await (await current()).run(loading.id, index)
  }
  const close = async (): Promise<void> => {
    team ??= Promise.reject<Team>(new DeviceError("the lanes are closed"))
    await team.then(
      (lanes) => lanes.close(),
      () => ended,
    )
  }
  return { count, load, run, close }
}

async function startTeam(count: number, loaded: readonly Loading[] = []): Promise<Team> {
  const team = new Team(count)
  const { control, wakeByMessage } = team
  await team.tell((lane, sequence) => ({ kind: "open", sequence, control, lane, lanes: count, wakeByMessage }))
  for (const loading of loaded) await tellToLoad(team, loading)
  return team
}

const tellToLoad = (team: Team, loading: Loading): Promise<void> =>
  team.tell((_, sequence) => ({ kind: "load", sequence, ...loading }))

/** One lane on the calling thread: no worker, no barrier, and the memory need not be shared. */
export function openLocalLane(): LocalLane {
  const instances = new Map<LoadedModule, WasmInstance>()
  const runSync = (module: LoadedModule, step: string | number): void => {
    const instance = instances.get(module)
    if (instance === undefined) throw new DeviceError("this module is not loaded in this lane")
    const run = instance.exports[module.functions[stepIndex(module, step)]]
    try {
      run(0, 1)
    } catch (cause) {
      throw new DeviceError(`lane 0 of 1 stopped: ${cause}`, undefined, { cause })
    }
  }
  return {
    count: 1,
    async load(memory, module, blas) {
      const handle = { functions: functionsOf(module), unload: () => void instances.delete(handle) }
      instances.set(handle, instantiate(module, memory, blas))
      return handle
    },
    run: async (module, step) => runSync(module, step),
    runSync,
    close: async () => instances.clear(),
  }
}

/** On this thread; the module may import `env.memory`, `env.now`, and `env.sgemm` if a BLAS is given. */
export const instantiate = (module: WasmModule, memory: WasmMemory, blas?: Blas): WasmInstance =>
  new webAssembly.Instance(module, {
    env: { memory, now: platform.now, ...(blas ? { sgemm: blas.bind(memory) } : {}) },
  })

const functionsOf = (module: WasmModule): string[] =>
  webAssembly.Module.exports(module).flatMap(({ name, kind }) => (kind === "function" ? [name] : []))

function stepIndex(module: LoadedModule, step: string | number): number {
  const index = typeof step === "number" ? step : module.functions.indexOf(step)
  if (module.functions[index] === undefined)
    throw new DeviceError(`expected a step among ${module.functions.join(", ")}, got ${step}`)
  return index
}

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: boolean; value: Promise<string> | string }
/** Newer than our type library, and missing in some browsers: there the last lane posts a message. */
const asyncWait = (): WaitAsync | undefined => (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync

/** The workers and the words they listen to. Orders go out one at a time. */
class Team {
  readonly control = new SharedArrayBuffer(4 * WORDS)
  readonly wakeByMessage = asyncWait() === undefined
  readonly #words = new Int32Array(this.control)
  readonly #workers: readonly PlatformWorker[]
  #queue: Promise<unknown> = Promise.resolve()
  /** Why later orders are refused: closed, or broken. */
  #closed: DeviceError | undefined
  #broken: DeviceError | undefined
  /** The order in flight: how many answers are missing, and its two ends. */
  #pending: { missing: number; resolve: () => void; reject: (error: Error) => void } | undefined

  constructor(count: number) {
    this.#workers = Array.from({ length: count }, () => platform.startWorker(LANE_SOURCE))
    this.#workers.forEach((worker, lane) => {
      worker.onMessage((message) => this.#receive(message as FromLane))
      worker.onError((error) => this.#break(`lane ${lane} of ${count} died: ${error.message}`))
      worker.unref()
    })
  }

  get ended(): boolean {
    return this.#closed !== undefined || this.#broken !== undefined
  }

  /** Sends every lane out of its sleep to read a message, and waits for all answers. */
  tell(message: (lane: number, sequence: number) => ToLane): Promise<void> {
    return this.#inTurn((resolve, reject) => {
      this.#pending = { missing: this.#workers.length, resolve, reject }
      const sequence = Atomics.load(this.#words, WORD.sequence) + 1
      this.#workers.forEach((worker, lane) => worker.post(message(lane, sequence)))
      this.#order(COMMAND.message)
    })
  }

  /** Runs a step on all lanes. */
  run(module: number, step: number): Promise<void> {
    return this.#inTurn((resolve, reject) => {
      this.#pending = { missing: 1, resolve, reject }
      const words = this.#words
      words[WORD.module] = module
      words[WORD.step] = step
      Atomics.store(words, WORD.done, 0)
      const finished = this.wakeByMessage ? undefined : asyncWait()?.(words, WORD.finished, words[WORD.finished])
      this.#order(COMMAND.run)
      if (finished?.async) (finished.value as Promise<string>).then(() => resolve(), reject)
    })
  }

  /** Ends all lanes after the orders given so far. */
  async close(): Promise<void> {
    this.#closed ??= new DeviceError("the lanes are closed")
    await this.#queue
    await this.#terminate()
  }

  /** Orders wait for one another; while one is in flight the process stays alive. */
  async #inTurn(start: (resolve: () => void, reject: (error: Error) => void) => void): Promise<void> {
    if (this.#closed) throw this.#closed
    const turn = this.#queue.then(async () => {
      if (this.#broken) throw this.#broken
      this.#workers[0].ref()
      try {
        await new Promise<void>(start)
      } finally {
        this.#pending = undefined
        this.#workers[0].unref()
      }
    })
    this.#queue = turn.catch(() => {})
    return turn
  }

  #order(command: number): void {
    Atomics.store(this.#words, WORD.command, command)
    Atomics.add(this.#words, WORD.sequence, 1)
    Atomics.notify(this.#words, WORD.sequence)
  }

  #receive(message: FromLane): void {
    if (message.kind === "failed")
      return this.#break(`lane ${message.lane} of ${this.#workers.length} stopped: ${message.message}`)
    const pending = this.#pending
    if (pending !== undefined && --pending.missing === 0) pending.resolve()
  }

  /** The others may wait in a barrier for the lane that failed: only ending them frees them. */
  #break(message: string): void {
    if (this.#broken) return
    this.#broken = new DeviceError(message, "open the device again")
    void this.#terminate()
    this.#pending?.reject(this.#broken)
  }

  async #terminate(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}
