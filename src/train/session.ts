// What a run needs before its first step: folder, data, tokenizer, compiled programs, first parameters or those of a
// checkpoint. Everything that can be refused is refused here, before recipe.json makes the folder a run.

import { type FileSystem, platform } from "#platform"
import type { Workspace } from "../backends/index.ts"
import { ConfigError, DataError, DeviceError, formatBytes } from "../core/index.ts"
import {
  createBatches,
  type DataInput,
  evaluationWindows,
  files as filesSource,
  openData,
  type PreparedData,
  prepareData,
  type StoredData,
} from "../data/index.ts"
import { type DecoderConfig, toHuggingFaceConfig, validateConfig } from "../models/index.ts"
import { loadTokenizer, type Tokenizer, tokenizerSha256 } from "../tokenizer/index.ts"
import { type Checkpoint, type DamagedCheckpoint, latestCheckpoint, setAside } from "./checkpoint.ts"
import type { WarningEvent } from "./events.ts"
import { type Journal, openJournal, silentJournal } from "./journal.ts"
import { countParameters, decoderDefinition, defaultLoss, initialParameters, type ModelDefinition } from "./model.ts"
import type { ResumeOptions, RunOptions, TrainOptions } from "./options.ts"
import { buildPrograms, type TrainingPrograms } from "./programs.ts"
import type { Recipe } from "./recipe.ts"
import { optimizerOf, scheduleOf } from "./recipe-optimizer.ts"
import { tokenizerOf } from "./recipe-tokenizer.ts"
import { openRunFolder, type RunFolder, readRecipe, requireNoRun, writeRecipe } from "./run-folder.ts"
import { createTrainer, type Trainer } from "./trainer.ts"
import { validateRecipe } from "./validate-recipe.ts"

export interface Session {
  readonly recipe: Recipe
  readonly options: RunOptions
  readonly config: DecoderConfig
  readonly tokenizer: Tokenizer
  readonly tokenizerSha256: string
  readonly data: StoredData
  readonly trainer: Trainer
  readonly batches: ReturnType<typeof createBatches>
  readonly parameterCounts: { readonly total: number; readonly nonEmbedding: number; readonly matmul: number }
  readonly plannedBytes: number
  /** What the run is computed on: choices of the device, and those measured when the programs were compiled. */
  readonly device: Checkpoint["state"]["device"]
  readonly folder: RunFolder | undefined
  readonly journal: Journal
  /** Where the run was taken up. */
  readonly resumed: Checkpoint | undefined
  readonly warnings: readonly WarningEvent[]
  /** Frees memory, writes the journal out, gives the folder back. */
  close(): Promise<void>
}

/** Bytes a parameter takes while training: itself, its gradient, two moments. */
const BYTES_PER_PARAMETER = 16
const DATA_FOLDER = "data"
const TOKENIZER_FILE = "tokenizer.json"

/** Where a run folder keeps its split, held-out text and token shards: the folder for `openData`. */
export const dataFolderOf = (files: FileSystem, dir: string): string => files.join(dir, DATA_FOLDER)

export async function openNewRun(given: Recipe, options: TrainOptions): Promise<Session> {
  const recipe = validateRecipe(options.seed === undefined ? given : { ...given, seed: options.seed })
  const { dir } = options
  if (dir === undefined) return openSession(recipe, options, await dataFor(recipe, options, undefined), {})
  const files = filesOf(options)
  const isNew = !(await files.exists(dir))
  const folder = await openRunFolder(files, dir)
  try {
    await requireNoRun(folder)
    const data = await dataFor(recipe, options, dataFolderOf(files, dir))
    await files.writeAtomic(folder.path(TOKENIZER_FILE), data.tokenizer.toJson())
    const session = await openSession(recipe, options, data, { folder })
    await writeRecipe(folder, recipe)
    return session
  } catch (error) {
    await folder.release()
    if (isNew) await files.remove(dir) // nothing of a run is in it yet
    throw error
  }
}

export async function openOldRun(dir: string, options: ResumeOptions): Promise<Session> {
  const files = filesOf(options)
  const recipe = await readRecipe(files, dir)
  const folder = await openRunFolder(files, dir)
  try {
    const latest = await latestCheckpoint(files, dir)
    const data = await storedData(folder, options)
    const warnings = latest ? damages(latest) : []
    for (const { step } of latest?.damaged ?? []) await setAside(files, dir, step)
    return await openSession(recipe, options, data, { folder, resumed: latest?.checkpoint, warnings })
  } catch (error) {
    await folder.release()
    throw error
  }
}

function filesOf(options: RunOptions): FileSystem {
  const files = options.files ?? platform.files
  if (files === undefined) throw new DeviceError("a run folder needs files, which a browser has not", "leave out `dir`")
  return files
}

// Data

type UsableData = StoredData & { readonly tokenizer: Tokenizer }

const isPrepared = (data: unknown): data is PreparedData<Tokenizer> =>
  typeof data === "object" && data !== null && "train" in data && "validDocuments" in data && "tokenizer" in data

async function dataFor(recipe: Recipe, options: TrainOptions, dir: string | undefined): Promise<UsableData> {
  const { data } = options
  if (isPrepared(data)) return data
  return prepareData({
    source: sourceOf(recipe, data),
    ...(recipe.data.validPaths ? { valid: filesSource(...recipe.data.validPaths) } : {}),
    tokenizer: (documents) => tokenizerOf(recipe.tokenizer, documents),
    seed: recipe.seed,
    validFraction: recipe.data.validFraction,
    ...(recipe.data.split === "exact"
      ? { splitAt: { fraction: 1 - recipe.data.validFraction, boundary: "exact" as const } }
      : {}),
    ...(dir === undefined ? {} : { dir }),
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

function sourceOf(recipe: Recipe, data: DataInput | undefined): DataInput {
  if (data !== undefined) return data
  if (recipe.data.paths !== "inline") return filesSource(...recipe.data.paths)
  throw new ConfigError(
    'the recipe\'s data.paths is "inline", and no data was handed in',
    "train(recipe, { device, data })",
  )
}

async function storedData(folder: RunFolder, options: ResumeOptions): Promise<UsableData> {
  const tokenizer = loadTokenizer(await folder.files.readText(folder.path(TOKENIZER_FILE)))
  if (options.data) return options.data
  const dir = folder.path(DATA_FOLDER)
  if (!(await folder.files.exists(dir)))
    throw new DataError(`${folder.dir} keeps no data of its own`, "hand in the prepared data it was trained on")
  return { ...(await openData(dir)), tokenizer }
}

// Resuming

function damages({
  checkpoint,
  damaged,
}: {
  checkpoint: Checkpoint
  damaged: readonly DamagedCheckpoint[]
}): WarningEvent[] {
  return damaged.map(({ error }) => {
    const message = `${error.message}; going on from step ${checkpoint.state.step}`
    return { type: "warning", code: "checkpoint-damaged", message }
  })
}

/** The run was begun with other choices. */
function otherBits(resumed: Checkpoint | undefined, { choices: now }: Session["device"]): WarningEvent[] {
  const before = resumed?.state.device.choices ?? now
  if (before["strict"] === true && now["strict"] === true) return [] // same bits on any machine and lane count
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => before[name] !== now[name])
  if (names.length === 0) return []
  const changes = names.map((name) => `${name} was ${before[name]} and is ${now[name]}`).join(", ")
  const message = `the device computes otherwise than before (${changes}): results may differ in their last bits`
  return [{ type: "warning", code: "bits-may-differ", message }]
}

/** The recipe asks for strict bits, and the caller opened a fast device. */
function strictness({ strict }: Recipe, { device }: RunOptions): WarningEvent[] {
  if (!strict || device.choices["strict"] !== false) return []
  const message = "the recipe is strict and the device is not: open it with openDevice({ strict: true })"
  return [{ type: "warning", code: "not-strict", message }]
}

// Programs and memory

interface Opening {
  readonly folder?: RunFolder
  readonly resumed?: Checkpoint | undefined
  readonly warnings?: readonly WarningEvent[]
}

async function openSession(
  recipe: Recipe,
  options: TrainOptions,
  data: UsableData,
  opening: Opening,
): Promise<Session> {
  const config = validateConfig({ ...recipe.model, vocabSize: data.tokenizer.vocabSize })
  const definition = options.model?.(config) ?? decoderDefinition(config)
  const counts = countParameters(definition, options.model ? undefined : config)
  requireMemory(counts.total * BYTES_PER_PARAMETER, "at least")
  const batches = createBatches(data.train, batchOptions(recipe))
  const workspace = options.device.createWorkspace(opening.resumed?.state.device.choices)
  try {
    const optimizer = options.optimizer ?? optimizerOf(recipe.optimizer)
    const programs = buildPrograms(definition, optimizer, options.loss ?? defaultLoss, sizesOf(recipe))
    const compiling = workspace.compile(programs.programs)
    compiling.catch(() => {}) // told below, if the next line does not fail first
    await platform.yieldToEventLoop() // without a BLAS to measure, the engine's own threads have the module then
    if (!opening.resumed) initialize({ recipe, definition, config, options, workspace, programs })
    const executables = await compiling
    requireMemory(workspace.plannedBytes, "exactly")
    const heldOut = evaluationWindows(data.valid, recipe.sequenceLength, recipe.batchSize)
    const schedule = options.schedule ?? scheduleOf(recipe)
    const trainer = createTrainer({ recipe, workspace, executables, programs, optimizer, schedule, batches, heldOut })
    if (opening.resumed) restore(opening.resumed, trainer, batches)
    const journal = await journalOf(opening.folder)
    const { plannedBytes } = workspace
    const { kind, lanes, choices } = options.device
    const device = { kind, lanes, choices: { ...choices, ...workspace.choices } }
    const close = closing(workspace, journal, isPrepared(options.data) ? undefined : data, opening.folder)
    const { folder, resumed } = opening
    const warnings = [...(opening.warnings ?? []), ...otherBits(resumed, device), ...strictness(recipe, options)]
    const { tokenizer } = data
    return {
      recipe,
      options,
      config,
      tokenizer,
      tokenizerSha256: await tokenizerSha256(tokenizer),
      data,
      trainer,
      batches,
      parameterCounts: counts,
      plannedBytes,
      device,
      folder,
      journal,
      resumed,
      warnings,
      close,
    }
  } catch (error) {
    workspace.close()
    throw error
  }
}

const batchOptions = ({ batchSize, sequenceLength, seed, data }: Recipe) => ({
  batchSize,
  sequenceLength,
  seed,
  mode: data.batchMode,
})

const sizesOf = ({ batchSize, sequenceLength, accumulationSteps, sampling }: Recipe) => ({
  batchSize,
  sequenceLength,
  accumulationSteps,
  samples: sampling.everySteps > 0 && sampling.tokens > 0,
})

/** @throws DeviceError  if this machine has less memory than the run needs */
function requireMemory(bytes: number, how: "at least" | "exactly"): void {
  const { totalBytes } = platform.memory()
  if (bytes > totalBytes)
    throw new DeviceError(
      `training needs ${how} ${formatBytes(bytes)} of memory, and this machine has ${formatBytes(totalBytes)}`,
      "choose a smaller model (--size), batchSize or sequenceLength",
    )
}

interface Starting {
  readonly recipe: Recipe
  readonly definition: ModelDefinition
  readonly config: DecoderConfig
  readonly options: RunOptions
  readonly workspace: Workspace
  readonly programs: TrainingPrograms
}

function restore(resumed: Checkpoint, trainer: Trainer, batches: ReturnType<typeof createBatches>): void {
  trainer.restore(resumed.parameters, resumed.optimizer)
  batches.restore(resumed.state.batches)
}

/** Fresh parameters, written as soon as they have a place. */
function initialize({ recipe, definition, config, options, workspace, programs }: Starting): void {
  const values = initialParameters(definition, options.model ? undefined : config, recipe.seed)
  for (const [name, tensor] of Object.entries(programs.parameters)) workspace.write(tensor, values[name]!)
}

async function journalOf(folder: RunFolder | undefined): Promise<Journal> {
  return folder ? openJournal(folder.files, folder.path("events.jsonl")) : silentJournal
}

/** `data` only if the run opened it itself. */
function closing(workspace: Workspace, journal: Journal, data: UsableData | undefined, folder: RunFolder | undefined) {
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    workspace.close()
    await journal.close().catch(() => {}) // a disk that is full was told when the checkpoint failed
    await Promise.all([data?.train.close(), data?.valid.close()])
    await folder?.release()
  }
  return () => (closed ??= close())
}

/** config.json of a checkpoint. */
export const configJson = (session: Session): object => toHuggingFaceConfig(session.config)
