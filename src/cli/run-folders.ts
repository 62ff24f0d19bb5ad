// Which folder a run gets: runs/NAME, named after its text; an unfinished run of the same command is taken up, nothing is
// overwritten.

import type { FileSystem } from "#platform"
import { inspectRun, type RunInspection } from "../train/index.ts"
import { digestIn } from "./request.ts"

export interface ChosenFolder {
  readonly dir: string
  /** The run there, to be taken up. */
  readonly unfinished?: RunInspection
}

const RUNS = "runs"

/** A name that every file system takes. */
export function folderName(name: string): string {
  const plain = name
    .normalize("NFKC")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
  return plain.slice(0, 64) || "text"
}

/** The first of runs/NAME, runs/NAME-2, … that is free or holds the unfinished run of the same request. */
export async function chooseFolder(files: FileSystem, name: string, digest: string | undefined): Promise<ChosenFolder> {
  for (let number = 1; ; number++) {
    const dir = files.join(RUNS, number === 1 ? folderName(name) : `${folderName(name)}-${number}`)
    const chosen = await takeFolder(files, dir, digest)
    if (chosen) return chosen
  }
}

/** `dir` if it is free or holds the unfinished run of the same request. */
export async function takeFolder(
  files: FileSystem,
  dir: string,
  digest: string | undefined,
): Promise<ChosenFolder | undefined> {
  const found = await inspectRun(files, dir)
  if (!found) return (await isFree(files, dir)) ? { dir } : undefined
  const same = digest !== undefined && digestIn(found.recipe) === digest
  return same && !found.finished ? { dir, unfinished: found } : undefined
}

/** Absent, or left by a preparation that did not come to a recipe. */
async function isFree(files: FileSystem, dir: string): Promise<boolean> {
  const kind = (await files.stat(dir))?.kind
  if (kind === undefined) return true
  if (kind !== "directory") return false
  const names = await files.list(dir)
  return names.every((name) => name.startsWith(".") || name === "data" || name === "tokenizer.json")
}
