// Batches of token windows in a shuffled order that depends on the seed alone. The state is a few numbers: resuming from it
// gives what never stopping would have given.
import { ConfigError, DataError, randomStream } from "../core/index.ts"
import { permutation } from "./permutation.ts"
import type { TokenSource } from "./token-source.ts"

/** A target that is not to be predicted. */
export const IGNORED_TARGET = -1

export interface Batch {
  /** `[B, T]`, row after row. */
  readonly inputs: Int32Array
  /** `[B, T]`: the token after each input; -1 is ignored. */
  readonly targets: Int32Array
  /** Epoch of its first window, from 0; in mode `random` whole passes' worth of tokens. */
  readonly epoch: number
  /** Windows served before this batch: of this epoch in mode `windows`, in all in mode `random`. */
  readonly position: number
}

export interface BatchOptions {
  readonly batchSize: number
  readonly sequenceLength: number
  readonly seed: number
  /**
   * `windows` (default): the text in windows without overlap, shuffled anew each epoch with a new phase, each token predicted
   * exactly once per epoch. `random`: windows at uniformly random offsets, as nanoGPT draws them.
   */
  readonly mode?: "windows" | "random"
}

/** Where the next batch begins; plain JSON. */
export interface BatchState {
  readonly mode: "windows" | "random"
  readonly batchSize: number
  readonly sequenceLength: number
  readonly seed: number
  readonly tokens: number
  readonly epoch: number
  readonly index: number
}

export interface Batches {
  next(): Promise<Batch>
  state(): BatchState
  /** @throws ConfigError  if the state is of other batches */
  restore(state: BatchState): void
  /** Batches until every token was predicted about once. */
  readonly batchesPerEpoch: number
}

/** Targets `[start + 1, start + count]` predicted from inputs `[start, start + count)`. */
interface Window {
  readonly start: number
  readonly count: number
}

interface Cursor {
  readonly epoch: number
  readonly index: number
}

/**
 * Order of windows without overlap. Epoch e begins with a window of `phase(e)` targets, so that window borders move from
 * epoch to epoch; that one and the last may be short, and are filled up with ignored targets.
 */
function windowOrder(targets: number, T: number, seed: number) {
  let current: { epoch: number; phase: number; size: number; order: (index: number) => number } | undefined
  const epochPlan = (epoch: number) => {
    if (current?.epoch === epoch) return current
    const phase = randomStream(seed, "phase", epoch).below(T)
    const size = (phase > 0 ? 1 : 0) + Math.ceil((targets - phase) / T)
    current = { epoch, phase, size, order: permutation(size, seed, "windows", epoch) }
    return current
  }
  const windowAt = ({ epoch, index }: Cursor): Window => {
    const { phase, order } = epochPlan(epoch)
    const place = order(index)
    const start = phase > 0 ? Math.max(0, phase + (place - 1) * T) : place * T
    const end = phase > 0 && place === 0 ? phase : start + T
    return { start, count: Math.min(end, targets) - start }
  }
  const after = ({ epoch, index }: Cursor): Cursor =>
    index + 1 < epochPlan(epoch).size ? { epoch, index: index + 1 } : { epoch: epoch + 1, index: 0 }
  return { windowAt, after }
}

/** Windows at random offsets; the one at `index` depends on nothing but seed and index. */
function randomOrder(targets: number, T: number, seed: number) {
  const windowAt = ({ index }: Cursor): Window => ({
    start: randomStream(seed, "offset", index).below(targets - T + 1),
    count: T,
  })
  const after = ({ index }: Cursor): Cursor => ({ epoch: Math.floor(((index + 1) * T) / targets), index: index + 1 })
  return { windowAt, after }
}

/** A batch on its way; `waits` if its tokens come from disk. */
interface Made {
  readonly batch: Promise<Batch>
  readonly end: Cursor
  readonly waits: boolean
}

/** Writes one window into row `row`, ignored targets and token 0 where it is short. */
function fillRow(row: number, T: number, tokens: Int32Array, inputs: Int32Array, targets: Int32Array): void {
  const count = tokens.length - 1
  inputs.set(tokens.subarray(0, count), row * T)
  targets.set(tokens.subarray(1), row * T)
  targets.fill(IGNORED_TARGET, row * T + count, (row + 1) * T)
}

/** The windows as `[B, T]` arrays; rows beyond them are ignored. At once if the tokens are in memory. */
export function gatherWindows(tokens: TokenSource, windows: readonly Window[], B: number, T: number) {
  const inputs = new Int32Array(B * T)
  const targets = new Int32Array(B * T).fill(IGNORED_TARGET)
  const parts = windows.map(({ start, count }) => tokens.read(start, count + 1))
  const fill = (rows: readonly Int32Array[]) => {
    for (const [row, part] of rows.entries()) fillRow(row, T, part, inputs, targets)
    return { inputs, targets }
  }
  if (parts.every((part) => part instanceof Int32Array)) return fill(parts as Int32Array[])
  return Promise.all(parts.map(async (part) => part)).then(fill)
}

function checkSizes(tokens: TokenSource, { batchSize, sequenceLength }: BatchOptions): void {
  for (const [name, value] of Object.entries({ batchSize, sequenceLength }))
    if (!Number.isInteger(value) || value < 1) throw new ConfigError(`${name} must be a positive integer, got ${value}`)
  if (tokens.length < sequenceLength + 1)
    throw new DataError(
      `the training text is shorter than one context: expected at least ${sequenceLength + 1} tokens, got ${tokens.length}`,
      "give more text or a shorter sequenceLength",
    )
}

/**
 * Deterministic shuffled batches without end.
 *
 * Every batch is full: where an epoch's windows do not fill the last one, it runs on into the next epoch, so that each step
 * weighs the same and no computation is spent on padding. One batch is fetched ahead where tokens lie on disk.
 *
 * @throws DataError  if the text is shorter than one window
 */
export function createBatches(tokens: TokenSource, options: BatchOptions): Batches {
  const { batchSize: B, sequenceLength: T, seed, mode = "windows" } = options
  checkSizes(tokens, options)
  const targets = tokens.length - 1
  const { windowAt, after } = mode === "windows" ? windowOrder(targets, T, seed) : randomOrder(targets, T, seed)
  let cursor: Cursor = { epoch: 0, index: 0 }
  let ahead: Made | undefined
  const make = (from: Cursor): Made => {
    const windows: Window[] = []
    let end = from
    for (; windows.length < B; end = after(end)) windows.push(windowAt(end))
    const gathered = gatherWindows(tokens, windows, B, T)
    const batch = Promise.resolve(gathered).then((arrays) => ({ ...arrays, epoch: from.epoch, position: from.index }))
    batch.catch(() => {}) // told when the batch is asked for
    return { batch, end, waits: gathered instanceof Promise }
  }
  const next = (): Promise<Batch> => {
    const { batch, end, waits } = ahead ?? make(cursor)
    cursor = end
    ahead = waits ? make(end) : undefined
    return batch
  }
  const identity = { mode, batchSize: B, sequenceLength: T, seed, tokens: tokens.length }
  const restore = (state: BatchState): void => {
    for (const [key, value] of Object.entries(identity))
      if (state[key as keyof BatchState] !== value)
        throw new ConfigError(
          `batches cannot be resumed: ${key} was ${state[key as keyof BatchState]} and is ${value}`,
          "resume with the run's own recipe and data",
        )
    cursor = { epoch: state.epoch, index: state.index }
    ahead = undefined
  }
  return { next, state: () => ({ ...identity, ...cursor }), restore, batchesPerEpoch: Math.ceil(targets / (B * T)) }
}

/** Windows without overlap in order, for evaluation. */
export interface EvaluationWindows
  extends AsyncIterable<{ readonly inputs: Int32Array; readonly targets: Int32Array }> {
  /** How many batches there are. */
  readonly batches: number
  /** How many targets there are: all tokens but the first. */
  readonly targets: number
}

/**
 * Batches that predict every token but the first exactly once, each from the tokens before it in its own window of T.
 *
 * The last window, and the last batch, are filled up with ignored targets.
 *
 * @throws DataError  if there are fewer than two tokens
 */
export function evaluationWindows(tokens: TokenSource, T: number, B: number): EvaluationWindows {
  if (tokens.length < 2)
    throw new DataError(
      `the held-out text must hold at least 2 tokens, got ${tokens.length}`,
      "give more text or a larger validFraction",
    )
  const targets = tokens.length - 1
  const windows = Math.ceil(targets / T)
  const batches = Math.ceil(windows / B)
  const windowsOf = (batch: number): Window[] =>
    Array.from({ length: Math.min(B, windows - batch * B) }, (_, row) => {
      const start = (batch * B + row) * T
      return { start, count: Math.min(T, targets - start) }
    })
  return {
    batches,
    targets,
    async *[Symbol.asyncIterator]() {
      for (let batch = 0; batch < batches; batch++) yield await gatherWindows(tokens, windowsOf(batch), B, T)
    },
  }
}
