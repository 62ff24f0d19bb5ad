// The lanes: workers that run the same exported function on one shared memory. The calling thread only starts a step and
// is woken when the last lane has finished; it never blocks. Idle lanes sleep in the futex and keep no process alive.
import { platform } from "#platform"
import { DeviceError } from "../../core/index.ts"
import type { PlatformWorker } from "../../platform/platform.ts"
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
  /** Instantiates a module that imports `env.memory` in every lane. */
  load(memory: WasmMemory, module: WasmModule): Promise<LoadedModule>
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
 * Starts `count` workers and waits until they listen.
 *
 * @throws DeviceError  if a worker cannot be started or memory cannot be shared
 */
export async function openLanes(count: number): Promise<LanePool> {
  if (typeof SharedArrayBuffer === "undefined")
    throw new DeviceError("lanes need shared memory, which is switched off here", "open the device with a local lane")
  const team = new Team(count)
  await team.tell((lane, sequence) => ({
    kind: "open",
    sequence,
    control: team.control,
    lane,
    lanes: count,
    wakeByMessage: team.wakeByMessage,
  }))
  const loaded = new Map<LoadedModule, number>()
  let modules = 0
  const load = async (memory: WasmMemory, module: WasmModule): Promise<LoadedModule> => {
    const id = modules++
    const names = functionsOf(module)
    await team.tell((_, sequence) => ({ kind: "load", sequence, id, module, memory, names }))
    const handle: LoadedModule = {
      functions: names,
      unload() {
        if (loaded.delete(handle) && !team.ended)
          team.tell((_, sequence) => ({ kind: "unload", sequence, id })).catch(() => {}) // a broken team forgot it anyway
      },
    }
    loaded.set(handle, id)
    return handle
  }
  const run = async (module: LoadedModule, step: string | number): Promise<void> => {
    const index = stepIndex(module, step)
    const id = loaded.get(module)
    if (id === undefined) throw new DeviceError("this module is not loaded in these lanes")
    await team.run(id, index)
  }
  return { count, load, run, close: () => team.close() }
}

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
    async load(memory, module) {
      const handle = { functions: functionsOf(module), unload: () => void instances.delete(handle) }
      instances.set(handle, new webAssembly.Instance(module, { env: { memory } }))
      return handle
    },
    run: async (module, step) => runSync(module, step),
    runSync,
    close: async () => instances.clear(),
  }
}

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
    return this.#broken !== undefined
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

  /** Ends all lanes after the order in flight. */
  async close(): Promise<void> {
    await this.#queue.catch(() => {})
    this.#broken ??= new DeviceError("the lanes are closed")
    await this.#terminate()
  }

  /** Orders wait for one another; while one is in flight the process stays alive. */
  #inTurn(start: (resolve: () => void, reject: (error: Error) => void) => void): Promise<void> {
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
