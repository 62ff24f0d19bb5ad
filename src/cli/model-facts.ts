// A model on disk, looked at without loading it: which checkpoint a path means, its size, its hash, and what its run tells.

import { type FileSystem, platform } from "#platform"
import { DataError, FormatError } from "../core/index.ts"
import type { MeasuredModel } from "../evaluate/index.ts"
import { findCheckpoint } from "../generate/index.ts"
import { type DecoderConfig, fromHuggingFaceConfig, parameterCounts } from "../models/index.ts"
import { loadTokenizer } from "../tokenizer/index.ts"
import { checkpointPath, checkpointSteps, dataFolderOf, inspectRun, readCheckpointState } from "../train/index.ts"
import { count } from "./numbers.ts"
import { type TrainingFacts, trainingFacts } from "./training-facts.ts"

export interface ModelFacts {
  /** For tables: the run's folder without what comes before, with its step where a checkpoint was named. */
  readonly name: string
  /** As given. */
  readonly path: string
  /** Folder with model.safetensors. */
  readonly checkpoint: string
  /** The run it belongs to; absent for a model apart from its run. */
  readonly dir?: string
  readonly config: DecoderConfig
  readonly parameters: number
  /** Of model.safetensors. */
  readonly bytes: number
  readonly sha256: string
  readonly step?: number
  readonly training?: TrainingFacts
  /** What must be said: "runs/x is not finished: …". */
  readonly note?: string
}

/**
 * The model that `path` means. Of a run that is not finished it is the last checkpoint, since the best is not known yet.
 *
 * @throws DataError    if there is none, or its tokenizer is another model's
 * @throws FormatError  if config.json is damaged
 */
export async function modelFacts(path: string, wanted: "best" | "last"): Promise<ModelFacts> {
  const files = platform.files!
  const run = await inspectRun(files, path)
  const checkpoint = await findCheckpoint(files, path, run && !run.finished ? "last" : wanted)
  const dir = await runFolderOf(files, path)
  const config = await configOf(files, checkpoint)
  const model = files.join(checkpoint, "model.safetensors")
  if (dir !== undefined) await requireOwnTokenizer(files, [checkpoint, dir], config)
  const training = dir === undefined ? undefined : await trainingOf(files, dir, run ? undefined : checkpoint)
  const step = stepIn(files.basename(checkpoint))
  return {
    name: files.basename(dir ?? checkpoint) + (run || step === undefined || dir === undefined ? "" : ` at ${step}`),
    path,
    checkpoint,
    ...(dir === undefined ? {} : { dir }),
    config,
    parameters: parameterCounts(config).total,
    bytes: (await files.stat(model))?.bytes ?? 0,
    sha256: await hashFile(files, model),
    ...(step === undefined ? {} : { step }),
    ...(training ? { training } : {}),
    ...(run && !run.finished ? { note: unfinished(path, run.step, run.recipe.steps) } : {}),
  }
}

const unfinished = (path: string, step: number, steps: number): string =>
  `${path} is not finished: its last checkpoint is measured, step ${count(step)} of ${count(steps)}`

/** The run a model belongs to: `path` itself, or two floors up. */
export async function runFolderOf(files: FileSystem, path: string): Promise<string | undefined> {
  for (const dir of [path, files.dirname(files.dirname(path))])
    if (await files.exists(files.join(dataFolderOf(files, dir), "summary.json"))) return dir
  return undefined
}

/** What was spent up to `checkpoint`; for a whole run up to its newest, whichever of its checkpoints is the best. */
async function trainingOf(
  files: FileSystem,
  dir: string,
  checkpoint: string | undefined,
): Promise<TrainingFacts | undefined> {
  if (!(await inspectRun(files, dir))) return undefined
  const newest = (await checkpointSteps(files, dir)).at(-1)!
  const folder = checkpoint ?? checkpointPath(files, dir, newest)
  return trainingFacts(files, dir, await readCheckpointState(files, folder))
}

async function configOf(files: FileSystem, checkpoint: string): Promise<DecoderConfig> {
  const path = files.join(checkpoint, "config.json")
  try {
    return fromHuggingFaceConfig(JSON.parse(await files.readText(path)))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new FormatError(`${path} is damaged: it is no JSON`, { hint: "use another checkpoint", cause })
  }
}

/** A run's model has exactly the tokens of its tokenizer. @throws DataError  if these are another's */
async function requireOwnTokenizer(
  files: FileSystem,
  folders: readonly string[],
  { vocabSize }: DecoderConfig,
): Promise<void> {
  for (const folder of folders) {
    const path = files.join(folder, "tokenizer.json")
    if (!(await files.exists(path))) continue
    const tokenizer = loadTokenizer(await files.readText(path))
    if (tokenizer.vocabSize === vocabSize) return
    throw new DataError(
      `${path} is not the tokenizer of this model: expected ${count(vocabSize)} tokens, got ${count(tokenizer.vocabSize)}`,
      "put back the tokenizer.json that the run was trained with",
    )
  }
}

const stepIn = (name: string): number | undefined => {
  const digits = /^step-(\d+)$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

async function hashFile(files: FileSystem, path: string): Promise<string> {
  const hash = platform.createSha256()
  for await (const chunk of files.stream(path)) hash.update(chunk)
  return hash.digest()
}

/** The model as findings name it. */
export const measuredModel = (facts: ModelFacts, weights: "f32" | "f16"): MeasuredModel => ({
  source: facts.checkpoint,
  ...(facts.step === undefined ? {} : { step: facts.step }),
  ...(facts.training ? { steps: facts.training.recipe.steps } : {}),
  sha256: facts.sha256,
  parameters: facts.parameters,
  bytes: facts.bytes,
  weights,
})
