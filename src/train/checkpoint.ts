// Checkpoints: a folder with model.safetensors, optimizer.safetensors, config.json and state.json, which names the size and
// the SHA-256 of the others. It is written under a temporary name, flushed and renamed, so it is there whole or not at all.

import { type FileSystem, platform } from "#platform"
import { ConfigError, DataError, FormatError, KINGLET_VERSION, type Shape } from "../core/index.ts"
import type { BatchState } from "../data/index.ts"
import { decodeFloats, safetensorsHeader } from "../formats/index.ts"

export const CHECKPOINT_FORMAT = 1

export interface HeldOut {
  readonly nats: number
  readonly bitsPerByte: number
}

export interface CheckpointState {
  readonly format: number
  /** Version of the package that wrote it. */
  readonly kinglet: string
  readonly step: number
  readonly seed: number
  /** Tokens trained on so far. */
  readonly tokens: number
  /** Seconds of training, all sittings together. */
  readonly seconds: number
  /** Of exactly these parameters, where they were evaluated. */
  readonly heldOut?: HeldOut
  readonly best?: HeldOut & { readonly step: number }
  /** Where the next batch begins. */
  readonly batches: BatchState
  /** Losses of the last steps, newest last. */
  readonly recentLosses: readonly number[]
  readonly device: {
    readonly kind: string
    readonly lanes: number
    readonly choices: { readonly [name: string]: string | number | boolean }
  }
  /** SHA-256 of the tokenizer.json the model was trained with; checkpoints of older versions do not say. */
  readonly tokenizerSha256?: string
  readonly files: { readonly [name: string]: { readonly bytes: number; readonly sha256: string } }
}

export interface StoredTensor {
  readonly shape: Shape
  /** Numbers at the time of the call. */
  read(): Float32Array
}

export interface CheckpointContents {
  readonly state: Omit<CheckpointState, "format" | "kinglet" | "files">
  /** config.json, in Hugging Face's keys. */
  readonly config: object
  readonly parameters: { readonly [name: string]: StoredTensor }
  readonly optimizer: { readonly [name: string]: StoredTensor }
}

export interface Checkpoint {
  readonly path: string
  readonly state: CheckpointState
  readonly config: unknown
  readonly parameters: { readonly [name: string]: Float32Array }
  readonly optimizer: { readonly [name: string]: Float32Array }
}

const MODEL = "model.safetensors"
const OPTIMIZER = "optimizer.safetensors"
const CONFIG = "config.json"
const STATE = "state.json"
/** Bytes hashed and written between two turns of the event loop: a few milliseconds of SHA-256. */
const CHUNK_BYTES = 1 << 20
const TEMPORARY = ".tmp"

export const checkpointName = (step: number): string => `step-${String(step).padStart(6, "0")}`
const checkpointsOf = (files: FileSystem, dir: string): string => files.join(dir, "checkpoints")
export const checkpointPath = (files: FileSystem, dir: string, step: number): string =>
  files.join(checkpointsOf(files, dir), checkpointName(step))

// Saving

/**
 * Writes a checkpoint into `dir/checkpoints`, whole or not at all.
 *
 * @throws DataError    if a parameter is NaN or infinite: such a checkpoint would replace a good one
 * @throws DeviceError  if the disk is full; what was there before is untouched
 */
export async function saveCheckpoint(
  files: FileSystem,
  dir: string,
  contents: CheckpointContents,
): Promise<{ path: string; bytes: number }> {
  const name = checkpointName(contents.state.step)
  const temporary = files.join(checkpointsOf(files, dir), `.${name}${TEMPORARY}`)
  const path = files.join(checkpointsOf(files, dir), name)
  try {
    await files.remove(temporary)
    await files.makeDirectory(temporary)
    const written = await writeFiles(files, temporary, contents)
    await files.remove(path)
    await files.rename(temporary, path)
    return { path, bytes: Object.values(written).reduce((sum, file) => sum + file.bytes, 0) }
  } catch (error) {
    await files.remove(temporary).catch(() => {})
    throw error
  }
}

/** state.json comes last, by `writeAtomic`, which also flushes the folder's own entries. */
async function writeFiles(
  files: FileSystem,
  folder: string,
  contents: CheckpointContents,
): Promise<CheckpointState["files"]> {
  const config = new TextEncoder().encode(`${JSON.stringify(contents.config, undefined, 2)}\n`)
  await files.writeAtomic(files.join(folder, CONFIG), config)
  const written = {
    [MODEL]: await writeTensors(files, files.join(folder, MODEL), contents.parameters),
    [OPTIMIZER]: await writeTensors(files, files.join(folder, OPTIMIZER), contents.optimizer),
    [CONFIG]: { bytes: config.length, sha256: await platform.sha256(config) },
  }
  const state: CheckpointState = {
    format: CHECKPOINT_FORMAT,
    kinglet: KINGLET_VERSION,
    ...contents.state,
    files: written,
  }
  await files.writeAtomic(files.join(folder, STATE), JSON.stringify(state, undefined, 2)) // no newline: every truncation shows
  return written
}

async function writeTensors(
  files: FileSystem,
  path: string,
  tensors: CheckpointContents["parameters"],
): Promise<{ bytes: number; sha256: string }> {
  const hash = platform.createSha256()
  const handle = await files.open(path, "write")
  let position = 0
  const write = async (bytes: Uint8Array): Promise<void> => {
    hash.update(bytes)
    await handle.write(bytes, position)
    position += bytes.length
  }
  try {
    await write(headerOf(tensors))
    for (const [name, tensor] of Object.entries(tensors))
      for (const chunk of chunksOf(tensor.read())) await write(bytesOf(requireFinite(name, chunk)))
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { bytes: position, sha256: hash.digest() }
}

function headerOf(tensors: CheckpointContents["parameters"]): Uint8Array {
  const shapes = Object.entries(tensors).map(([name, { shape }]) => [name, { dtype: "f32", shape }] as const)
  return safetensorsHeader(Object.fromEntries(shapes), { format: "pt" })
}

function* chunksOf(values: Float32Array): Generator<Float32Array> {
  const length = CHUNK_BYTES / 4
  for (let start = 0; start < values.length; start += length) yield values.subarray(start, start + length)
}

/** Every engine we run on is little-endian, as the format is. */
const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

function requireFinite(name: string, values: Float32Array): Float32Array {
  for (const value of values)
    if (!Number.isFinite(value))
      throw new DataError(
        `${name} holds ${value}, which no checkpoint may; the one before it is kept`,
        LOWER_LEARNING_RATE,
      )
  return values
}

export const LOWER_LEARNING_RATE =
  "lower optimizer.learningRate (a third is a good next try), raise schedule.warmupSteps, or set optimizer.clipNorm to 1"

// Loading

/**
 * A checkpoint, checked byte by byte before any of it is used.
 *
 * @throws FormatError  if a file is missing, cut off or changed
 * @throws ConfigError  if it was written by a newer kinglet
 */
export async function loadCheckpoint(files: FileSystem, path: string): Promise<Checkpoint> {
  const state = await readCheckpointState(files, path)
  const contents: { [name: string]: Uint8Array } = {}
  for (const name of [MODEL, OPTIMIZER, CONFIG]) contents[name] = await readChecked(files, path, name, state)
  return {
    path,
    state,
    config: JSON.parse(new TextDecoder().decode(contents[CONFIG])),
    parameters: decodeFloats(contents[MODEL]!),
    optimizer: decodeFloats(contents[OPTIMIZER]!),
  }
}

/** state.json alone, with its version and fields checked. */
export async function readCheckpointState(files: FileSystem, path: string): Promise<CheckpointState> {
  const state = parseState(await readFile(files, path, STATE), files.join(path, STATE))
  if (state.format > CHECKPOINT_FORMAT)
    throw new ConfigError(
      `the checkpoint ${path} has format ${state.format} (kinglet ${state.kinglet}), and this kinglet ${KINGLET_VERSION} reads up to ${CHECKPOINT_FORMAT}`,
      "it was written by a newer kinglet: update with npm install kinglet@latest",
    )
  return state
}

function parseState(bytes: Uint8Array, path: string): CheckpointState {
  const damaged = (why: string, cause?: unknown) =>
    new FormatError(`${path} is damaged: ${why}`, { hint: "use the checkpoint before it", cause })
  let state: CheckpointState
  try {
    state = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as CheckpointState
  } catch (cause) {
    throw damaged("it is no JSON", cause)
  }
  if (typeof state !== "object" || state === null || !Number.isInteger(state.format))
    throw damaged("it names no format")
  if (state.format > CHECKPOINT_FORMAT) return state
  const sound =
    Number.isInteger(state.step) && typeof state.files === "object" && state.files !== null && state.device?.choices
  if (!sound || !Array.isArray(state.recentLosses)) throw damaged("step, files, device or recentLosses is missing")
  return state
}

async function readFile(files: FileSystem, path: string, name: string): Promise<Uint8Array> {
  if (!(await files.exists(files.join(path, name))))
    throw new FormatError(`the checkpoint ${path} is incomplete: ${name} is missing`, {
      hint: "use the checkpoint before it",
    })
  return files.readBytes(files.join(path, name))
}

async function readChecked(files: FileSystem, path: string, name: string, state: CheckpointState): Promise<Uint8Array> {
  const bytes = await readFile(files, path, name)
  const wanted = state.files[name]
  const hint = "the file was cut off or changed: use the checkpoint before it"
  if (bytes.length !== wanted?.bytes)
    throw new FormatError(`${files.join(path, name)} must have ${wanted?.bytes} bytes, got ${bytes.length}`, { hint })
  if ((await sha256(bytes)) !== wanted.sha256)
    throw new FormatError(`${files.join(path, name)} is damaged: its SHA-256 differs from the one in ${STATE}`, {
      hint,
    })
  return bytes
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = platform.createSha256()
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    hash.update(bytes.subarray(start, start + CHUNK_BYTES))
    await platform.yieldToEventLoop()
  }
  return hash.digest()
}

// Which there are, which to keep

/** Steps of the checkpoints in a run folder, oldest first; unfinished ones do not count. */
export async function checkpointSteps(files: FileSystem, dir: string): Promise<number[]> {
  const folder = checkpointsOf(files, dir)
  if (!(await files.exists(folder))) return []
  const steps = (await files.list(folder)).flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? []).map(Number)
  return steps.sort((a, b) => a - b)
}

export interface DamagedCheckpoint {
  readonly step: number
  readonly error: FormatError
}

/**
 * The newest checkpoint that is whole, and what was passed over; undefined if the folder has none at all.
 *
 * @throws FormatError  if there are checkpoints and all of them are damaged
 */
export async function latestCheckpoint(
  files: FileSystem,
  dir: string,
): Promise<{ checkpoint: Checkpoint; damaged: DamagedCheckpoint[] } | undefined> {
  const damaged: DamagedCheckpoint[] = []
  for (const step of (await checkpointSteps(files, dir)).reverse())
    try {
      return { checkpoint: await loadCheckpoint(files, checkpointPath(files, dir, step)), damaged }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      damaged.push({ step, error })
    }
  if (damaged.length > 0) throw damaged[0]!.error
  return undefined
}

/** Renames a damaged checkpoint, so that it counts no more and can still be looked at. */
export async function setAside(files: FileSystem, dir: string, step: number): Promise<void> {
  const aside = files.join(checkpointsOf(files, dir), `damaged-${checkpointName(step)}`)
  await files.remove(aside)
  await files.rename(checkpointPath(files, dir, step), aside)
}

/** Removes all checkpoints but the newest two and `keepStep`; each is renamed first, so that none is ever half there. */
export async function pruneCheckpoints(files: FileSystem, dir: string, keepStep: number | undefined): Promise<void> {
  const steps = await checkpointSteps(files, dir)
  for (const step of steps.slice(0, -2)) {
    if (step === keepStep) continue
    const leaving = files.join(checkpointsOf(files, dir), `.${checkpointName(step)}.old${TEMPORARY}`)
    await files.rename(checkpointPath(files, dir, step), leaving)
    await files.remove(leaving)
  }
}
