// The interface of every backend. A device owns lanes; a workspace owns one memory, in which states live and programs run;
// an executable is one compiled program. The file defines the contract only: `open-device.ts` picks the implementation.
import type { Program, Tensor } from "../tensor/index.ts"

/** `wasm` is the default, `reference` the specification. */
export type DeviceKind = "wasm" | "reference"

/** What a run is fed: one number for a scalar, an array for the rest. */
export type Feed = { readonly [name: string]: number | ArrayLike<number> }
/** What a run gives back; the arrays are copies. */
export type Results = { readonly [name: string]: Float32Array }

/** Choices that decide the bits of results. */
export type Choices = { readonly [name: string]: string | number | boolean }

/** Where programs run. */
export interface Device {
  readonly kind: DeviceKind
  /** How many workers share each step; 1 may mean the calling thread itself. */
  readonly lanes: number
  /** What was chosen when it was opened and decides the bits of the results; stored with a run. */
  readonly choices: Choices
  /** What was chosen by measuring this machine and changes no bit of any result. */
  readonly tuning: { readonly [name: string]: string | number }
  /** @param recorded  choices of a run to be continued: what was measured then is taken over instead of measured again */
  createWorkspace(recorded?: Choices): Workspace
  /** Ends the workers. A device that is never closed does not keep the process alive. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** One memory, the states in it, and the programs that share them. */
export interface Workspace {
  /**
   * Plans and compiles programs that share this workspace's states (a state is shared when the tensor is the same). Programs
   * compiled in one call also share one arena for activations, because they never run at the same time.
   *
   * @throws DeviceError  if the memory they need is not to be had; nothing has been run then
   */
  compile<Name extends string>(
    programs: { readonly [N in Name]: Program },
  ): Promise<{ readonly [N in Name]: Executable }>
  /**
   * Sets a state, between runs, or the part of it that begins at element `at`. States are zero until written.
   *
   * @throws ConfigError  if `state` is no state
   * @throws DataError    if the number of values is wrong, or one of them does not fit the state's dtype
   */
  write(state: Tensor, values: ArrayLike<number>, at?: number): void
  /** A copy of a state's numbers, between runs. */
  read(state: Tensor): Float32Array
  /** Exact bytes of everything planned so far: states, activations, scratch. */
  readonly plannedBytes: number
  /** What was chosen by measuring when programs were compiled, beside {@link Device.choices}. */
  readonly choices: Choices
  /** Gives the memory back. A run under way, and every later call, ends with a DeviceError. */
  close(): void
}

/** What one call inside a compiled program took. */
export interface StepTime {
  /**
   * What it computes, then shapes. The first word is an operation, or `sweep`, `update` (a sweep that writes states: an
   * optimizer's), `sum`, `max`, `partial`, `copy`.
   */
  readonly name: string
  /** By structure; 0 for what the field does not count. */
  readonly flops: number
  /** Of the tensors it reads and writes, each once. */
  readonly bytes: number
  /** Wall clock of one run, the wait for the slowest lane included. */
  readonly seconds: number
}

/** A compiled program. */
export interface Executable {
  readonly program: Program
  /** FLOPs of one run, by structure. */
  readonly flops: number
  /**
   * Runs the program once. Runs of one workspace happen one after the other, in the order of the calls; `feed` is copied
   * at once.
   *
   * @throws DataError    if the feed is not what the program's inputs ask for
   * @throws DeviceError  if the workspace or the device is closed, or a lane has stopped
   */
  run(feed?: Feed): Promise<Results>
  /** What each call took on average over the runs since the last time this was asked; only on a device opened to tell. */
  profile?(): readonly StepTime[]
}
