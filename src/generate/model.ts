// A model that can run: config, parameters in a memory of their own, tokenizer. `createModel` makes one from numbers,
// `loadModel` from a run folder or a checkpoint.

import { type FileSystem, platform } from "#platform"
import { type Device, openWasmDevice, type Workspace } from "../backends/index.ts"
import { ConfigError, DataError, FormatError, formatShape, sameShape, sizeOf } from "../core/index.ts"
import { decodeSafetensors } from "../formats/index.ts"
import { type DecoderConfig, decoderParameters, fromHuggingFaceConfig, packedParameterStates } from "../models/index.ts"
import { type Weight, writeWeight } from "../nn/index.ts"
import { loadTokenizer, type Tokenizer, tokenizerSha256 } from "../tokenizer/index.ts"

/** A model in a memory of its own, ready to run. */
export interface Model {
  readonly config: DecoderConfig
  readonly tokenizer: Tokenizer
  readonly device: Device
  readonly workspace: Workspace
  /** States holding the parameters, by Hugging Face name; those that are multiplied with are packed. */
  readonly parameters: { readonly [name: string]: Weight }
  /** Where it came from, for messages. */
  readonly source: string
  /** Frees the memory, and the device if the model opened it. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a model is made of, as plain data. */
export interface ModelParts {
  readonly config: DecoderConfig
  readonly tokenizer: Tokenizer
  readonly parameters: { readonly [name: string]: Float32Array }
  readonly source?: string
}

/** Where a model runs. */
export interface ModelOptions {
  /** Default: a device of the model's own, closed with it. */
  readonly device?: Device
  /**
   * How weights are stored: as trained, or rounded to 11 bits in half the bytes. One token costs one walk through the weights,
   * so f16 is faster too. Default f32.
   */
  readonly weights?: "f32" | "f16"
}

/**
 * A model from its parts; the parameters are copied into the device's memory, in the order in which products read them.
 *
 * @throws ConfigError  if a parameter is missing or has another size than the config asks for, or the tokenizer has more
 *                      tokens than the model
 * @throws DataError    if a weight is not finite in f16, and that was asked for
 * @throws DeviceError  if the device has no memory for them
 */
export async function createModel(parts: ModelParts, options: ModelOptions = {}): Promise<Model> {
  const { config, tokenizer, source = "memory" } = parts
  if (tokenizer.vocabSize > config.vocabSize)
    throw new ConfigError(
      `the tokenizer has ${tokenizer.vocabSize} tokens, the model ${config.vocabSize}`,
      "take the tokenizer the model was trained with",
    )
  checkParameters(parts)
  const parameters = packedParameterStates(config, options.weights ?? "f32")
  const device = options.device ?? (await openWasmDevice())
  const workspace = device.createWorkspace()
  const close = async () => {
    workspace.close()
    if (options.device === undefined) await device.close()
  }
  try {
    for (const [name, weight] of Object.entries(parameters)) writeWeight(workspace, weight, parts.parameters[name]!)
  } catch (error) {
    await close()
    throw error
  }
  return { config, tokenizer, device, workspace, parameters, source, close, [Symbol.asyncDispose]: close }
}

function checkParameters({ config, parameters }: ModelParts): void {
  for (const [name, { shape }] of Object.entries(decoderParameters(config))) {
    const values = parameters[name]
    if (values?.length === sizeOf(shape)) continue
    throw new ConfigError(
      `parameter ${name} must be ${formatShape(shape)}, got ${values === undefined ? "none" : `${values.length} numbers`}`,
      "config and parameters do not belong together",
    )
  }
}

/** Which model of a run is loaded, and where it runs. */
export interface LoadOptions extends ModelOptions {
  /** Which checkpoint of a run: the one with the lowest held-out loss (default), or the last. */
  readonly checkpoint?: "best" | "last"
}

/**
 * Loads a run folder, or one checkpoint folder of a run.
 *
 * @throws DataError    if there is no model at `path`
 * @throws FormatError  if a file of it is damaged
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<Model> {
  return createModel(await readModel(path, options), options)
}

/** The parts of a model on disk, before any device is opened. */
export async function readModel(path: string, options: Pick<LoadOptions, "checkpoint"> = {}): Promise<ModelParts> {
  const { files } = platform
  if (files === undefined)
    throw new DataError("there is no file system here", "use createModel with parameters you have fetched")
  const checkpoint = await findCheckpoint(files, path, options.checkpoint ?? "best")
  const config = fromHuggingFaceConfig(await readJson(files, files.join(checkpoint, "config.json")))
  const { tensors } = decodeSafetensors(await files.readBytes(files.join(checkpoint, "model.safetensors")))
  const parameters: { [name: string]: Float32Array } = {}
  for (const [name, { shape }] of Object.entries(decoderParameters(config))) {
    const tensor = tensors[name]
    if (tensor === undefined || !sameShape(tensor.shape, shape))
      throw new FormatError(
        `${checkpoint}: parameter ${name} must be ${formatShape(shape)}, got ${tensor === undefined ? "none" : formatShape(tensor.shape)}`,
      )
    parameters[name] = tensor.toFloat32()
  }
  const tokenizer = await findTokenizer(files, checkpoint)
  await requireTrainedWith(files, checkpoint, tokenizer)
  return { config, parameters, tokenizer, source: checkpoint }
}

/**
 * The folder with model.safetensors that `path` means: itself, or the wanted checkpoint of a run.
 *
 * @throws DataError  if there is none
 */
export async function findCheckpoint(files: FileSystem, path: string, wanted: "best" | "last"): Promise<string> {
  if (await files.exists(files.join(path, "model.safetensors"))) return path
  const folder = files.join(path, "checkpoints")
  const names = (await files.exists(folder))
    ? (await files.list(folder)).filter((name) => /^step-\d+$/.test(name)).sort(byStep)
    : []
  const last = names.at(-1)
  if (last === undefined) {
    const there = await files.exists(path)
    throw new DataError(
      there ? `${path} holds no checkpoint` : `there is no model at ${path}`,
      "a MODEL is a run folder (runs/NAME) or a checkpoint (runs/NAME/checkpoints/step-000500)",
    )
  }
  const best = wanted === "best" ? await bestOf(files, folder, names) : undefined
  return files.join(folder, best ?? last)
}

const stepOf = (name: string): number => Number(name.slice("step-".length))
const byStep = (a: string, b: string): number => stepOf(a) - stepOf(b)

/** The newest state.json names the best step; damaged ones are passed over, an older one may know. */
async function bestOf(files: FileSystem, folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of [...names].reverse()) {
    const state = await readJson(files, files.join(folder, name, "state.json")).catch(() => undefined)
    const step = (state as { best?: { step?: unknown } } | undefined)?.best?.step
    if (typeof step !== "number") continue
    return names.find((other) => stepOf(other) === step)
  }
  return undefined
}

/** Beside the checkpoint, or in the run folder two floors up. */
async function findTokenizer(files: FileSystem, checkpoint: string): Promise<Tokenizer> {
  for (const folder of [checkpoint, files.dirname(files.dirname(checkpoint))]) {
    const path = files.join(folder, "tokenizer.json")
    if (await files.exists(path)) return loadTokenizer(await files.readText(path))
  }
  throw new DataError(
    `no tokenizer.json beside ${checkpoint} or in its run folder`,
    "copy the run's tokenizer.json into the checkpoint's folder",
  )
}

/** A tokenizer of the right size and other tokens would give wrong numbers without a word. */
async function requireTrainedWith(files: FileSystem, checkpoint: string, tokenizer: Tokenizer): Promise<void> {
  const state = await readJson(files, files.join(checkpoint, "state.json")).catch(() => undefined)
  const trainedWith = (state as { tokenizerSha256?: unknown } | undefined)?.tokenizerSha256
  if (trainedWith === undefined || trainedWith === (await tokenizerSha256(tokenizer))) return
  throw new DataError(
    `the tokenizer.json of ${checkpoint} is not the one this model was trained with`,
    "restore the run's own tokenizer.json",
  )
}

async function readJson(files: FileSystem, path: string): Promise<unknown> {
  if (!(await files.exists(path))) throw new DataError(`${path} is missing`)
  try {
    return JSON.parse(await files.readText(path))
  } catch (cause) {
    throw new FormatError(`${path} is not JSON`, { cause })
  }
}
