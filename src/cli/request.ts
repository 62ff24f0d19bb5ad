// What a command asked for, as far as it decides the result. Its digest is kept in the recipe, so that the same command finds
// its unfinished run again, whatever a probe of the machine would derive this time.

import type { FileSystem } from "#platform"
import { platform } from "#platform"
import { TEXT_EXTENSIONS } from "../data/index.ts"
import type { Explained, Recipe } from "../train/index.ts"

export interface Request {
  /** Files, folders and globs; "inline" for a text that is named only. */
  readonly paths: readonly string[] | "inline"
  readonly name: string
  readonly validPaths?: readonly string[] | undefined
  readonly budgetSeconds?: number | undefined
  readonly steps?: number | undefined
  readonly size?: number | undefined
  readonly preset?: string | undefined
  /** The run this is to be the control of. */
  readonly vanilla?: string | undefined
  readonly settings: readonly (readonly [key: string, value: string])[]
  readonly seed: number
  readonly strict: boolean
}

const KEY = "request"

/** Sixteen hexadecimal digits over the request and the names and sizes of its files; undefined for standard input. */
export async function digestOf(request: Request, files: FileSystem): Promise<string | undefined> {
  const paths = [...(request.paths === "inline" ? [] : request.paths), ...(request.validPaths ?? [])]
  if (paths.includes("-")) return undefined
  const found = paths.length === 0 ? [] : await files.glob(paths, { extensions: TEXT_EXTENSIONS })
  const sizes = await Promise.all(found.map(async (path) => `${path}:${(await files.stat(path))?.bytes}`))
  const { paths: _, validPaths, ...rest } = request
  const text = JSON.stringify([rest, validPaths?.length ?? 0, sizes])
  return (await platform.sha256(new TextEncoder().encode(text))).slice(0, 16)
}

/** The recipe with the digest of the request that led to it. */
export function withDigest(recipe: Recipe, digest: string | undefined): Recipe {
  if (digest === undefined) return recipe
  const kept: Explained = {
    value: digest,
    because: "the same command takes up the same run",
    source: "digest of the command",
  }
  return { ...recipe, explained: { ...recipe.explained, [KEY]: kept } }
}

export const digestIn = ({ explained }: Recipe): unknown => explained?.[KEY]?.value

/** The reasons that people want to read. */
export const reasonsOf = ({ explained = {} }: Recipe): [key: string, reason: Explained][] =>
  Object.entries(explained).filter(([key]) => key !== KEY)
