// A run is a folder anyone can read: recipe.json, events.jsonl, tokenizer.json, the data as it was split, checkpoints/. Here
// it is claimed by one process at a time and cleaned of what a killed process left half written.

import type { FileSystem } from "#platform"
import { ConfigError, DataError, FormatError } from "../core/index.ts"
import { checkpointPath, checkpointSteps, readCheckpointState } from "./checkpoint.ts"
import type { Recipe } from "./recipe.ts"
import { validateRecipe } from "./validate-recipe.ts"

export interface RunFolder {
  readonly files: FileSystem
  readonly dir: string
  /** Path of something in the folder. */
  path(...parts: string[]): string
  release(): Promise<void>
}

const RECIPE_FILE = "recipe.json"

/** Names of unfinished writes: `.anything.tmp`. */
const isLeftover = (name: string): boolean => name.startsWith(".") && name.endsWith(".tmp")

/**
 * Claims `dir` (made if absent) until `release`; what an interrupted write left behind is removed.
 *
 * @throws DataError  if another living process uses it
 */
export async function openRunFolder(files: FileSystem, dir: string): Promise<RunFolder> {
  await files.makeDirectory(dir)
  const lock = await files.lock(files.join(dir, ".lock"))
  if ("heldBy" in lock)
    throw new DataError(
      `the run folder ${dir} is in use by process ${lock.heldBy}`,
      `wait for it, stop it, or choose another folder`,
    )
  await removeLeftovers(files, dir)
  await removeLeftovers(files, files.join(dir, "checkpoints"))
  return { files, dir, path: (...parts) => files.join(dir, ...parts), release: lock.release }
}

async function removeLeftovers(files: FileSystem, dir: string): Promise<void> {
  if (!(await files.exists(dir))) return
  for (const name of await files.list(dir)) if (isLeftover(name)) await files.remove(files.join(dir, name))
}

/** @throws DataError  if the folder already holds a run: nothing is overwritten */
export async function requireNoRun({ files, dir, path }: RunFolder): Promise<void> {
  if (await files.exists(path(RECIPE_FILE)))
    throw new DataError(`the folder ${dir} already holds a run`, "resume it, or choose another folder")
}

/** The last thing written before the first step: a folder with a recipe is a run. */
export async function writeRecipe({ files, path }: RunFolder, recipe: Recipe): Promise<void> {
  await files.writeAtomic(path(RECIPE_FILE), `${JSON.stringify(recipe, undefined, 2)}\n`)
}

/**
 * The recipe of a run folder.
 *
 * @throws DataError    if there is no run in `dir`
 * @throws FormatError  if recipe.json is no JSON
 * @throws ConfigError  if it is of a newer version or cannot be used
 */
export async function readRecipe(files: FileSystem, dir: string): Promise<Recipe> {
  const path = files.join(dir, RECIPE_FILE)
  if (!(await files.exists(path)))
    throw new DataError(`there is no run in ${dir}: recipe.json is missing`, "name the folder that train made")
  let json: unknown
  try {
    json = JSON.parse(await files.readText(path))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new FormatError(`${path} is damaged: it is no JSON`, { hint: "restore it, or train anew", cause })
  }
  return validateRecipe(json)
}

export interface RunInspection {
  readonly recipe: Recipe
  /** Of the newest checkpoint whose state can be read; 0 without one. */
  readonly step: number
  readonly finished: boolean
  /** What the run was computed on, to be asked of `openDevice` again before `resume`; undefined before its first checkpoint. */
  readonly device?: { readonly kind: string; readonly lanes: number; readonly choices: Choices }
}
type Choices = { readonly [name: string]: string | number | boolean }

/** What a run folder holds, without claiming it or reading a parameter; undefined if there is no run in `dir`. */
export async function inspectRun(files: FileSystem, dir: string): Promise<RunInspection | undefined> {
  if (!(await files.exists(files.join(dir, RECIPE_FILE)))) return undefined
  const recipe = await readRecipe(files, dir)
  for (const step of (await checkpointSteps(files, dir)).reverse()) {
    const state = await readCheckpointState(files, checkpointPath(files, dir, step)).catch(newerOnly)
    if (state)
      return {
        recipe,
        step: state.step,
        finished: state.step >= recipe.steps && state.heldOut !== undefined,
        device: state.device,
      }
  }
  return { recipe, step: 0, finished: false }
}

/** A damaged checkpoint is passed over; one of a newer version is not. */
function newerOnly(error: unknown): undefined {
  if (error instanceof ConfigError) throw error
}
