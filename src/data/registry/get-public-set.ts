// A public set on this machine: found where it lies, or fetched, made and verified. Whatever goes wrong, a file under the
// set's name is the set or is not ours: it is written whole, after its hash was checked, and never over another file.
import { type FileSystem, platform } from "#platform"
import { ConfigError, concatBytes, DataError, DeviceError, FormatError } from "../../core/index.ts"
import { decodeUtf8 } from "../read-text.ts"
import { type DownloadOptions, download, downloadVerified, type Fetch } from "./download.ts"
import { nearestName } from "./nearest-name.ts"
import { type PublicSet, publicSets, sourceUrl } from "./public-sets.ts"
import type { Recipe, SourceText } from "./recipes.ts"
import { readTar } from "./tar.ts"

export interface PublicSetProgress {
  readonly name: string
  readonly bytes: number
  /** Of an archive, whose packing varies, about. */
  readonly totalBytes: number
}

export interface GetPublicSetOptions {
  /** The folder of data; default {@link publicSetFolder}. */
  readonly folder?: string | undefined
  /** Default the platform's own. */
  readonly fetch?: Fetch
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PublicSetProgress) => void
  /** A connection that gives nothing for so long is given up; default 30. */
  readonly stallSeconds?: number
}

export interface LocalSet {
  readonly set: PublicSet
  readonly path: string
  /** It was fetched just now. */
  readonly isNew: boolean
}

/** Compressed archives; the largest of the registry has 7 MB. */
const MAX_ARCHIVE_BYTES = 256 * 2 ** 20
/** The same unpacked: a small archive may unpack to any size. */
const MAX_UNPACKED_BYTES = 1024 * 2 ** 20

/**
 * Where public sets lie: `$KINGLET_DATA`, or `data` in Kinglet's cache folder.
 *
 * @throws ConfigError  where the system knows no such folder
 */
export function publicSetFolder(): string {
  const given = platform.environment("KINGLET_DATA")
  if (given !== undefined && given !== "") return given
  const cache = platform.cacheFolder()
  if (cache === undefined)
    throw new ConfigError("there is no folder for data: this system names none", "name one: KINGLET_DATA=FOLDER")
  return filesHere().join(cache, "data")
}

function filesHere(): FileSystem {
  if (platform.files) return platform.files
  throw new DeviceError("public sets are kept in files, and a browser has none", "fetch the set's address yourself")
}

/**
 * A set by its name.
 *
 * @throws ConfigError  if there is none, with the nearest name
 */
export function publicSet(name: string): PublicSet {
  const set = publicSets.find((each) => each.name === name)
  if (set !== undefined) return set
  const names = publicSets.map((each) => each.name)
  const nearest = nearestName(name, names)
  throw new ConfigError(
    `there is no public set "${name}"`,
    nearest === undefined ? `the sets are ${names.join(", ")}` : `did you mean ${nearest}?`,
  )
}

/**
 * The path of a set that is here, verified by its hash; undefined if it is not. Nothing is fetched.
 *
 * @throws ConfigError  if there is no such set
 * @throws DataError    if another file has its name
 */
export async function findPublicSet(name: string, folder?: string): Promise<string | undefined> {
  const files = filesHere()
  const set = publicSet(name)
  const path = files.join(folder ?? publicSetFolder(), ...set.file.split("/"))
  if (!(await files.exists(path))) return undefined
  const found = await contentOf(path, files)
  if (found.sha256 === set.sha256) return path
  throw new DataError(
    `${path} is not the public set ${name}: ${found.words}, expected ${set.bytes} bytes with ${set.sha256}`,
    "move it away or delete it, or choose another folder",
  )
}

/** SHA-256 of a file's text, unpacked where it is packed. */
async function contentOf(path: string, files: FileSystem): Promise<{ sha256?: string; words: string }> {
  const hash = platform.createSha256()
  const packed = files.stream(path)
  let bytes = 0
  try {
    for await (const chunk of path.endsWith(".gz") ? platform.gunzip(packed) : packed) {
      hash.update(chunk)
      bytes += chunk.length
    }
  } catch (error) {
    if (error instanceof FormatError) return { words: error.message }
    throw error
  }
  const sha256 = hash.digest()
  return { sha256, words: `its text has ${bytes} bytes with the SHA-256 ${sha256}` }
}

/**
 * A public set as a file: the one that is here, else fetched from its origin, made, verified and kept.
 *
 * A set that is here with the right hash needs no network. Several processes may ask for the same set at a time.
 *
 * @throws ConfigError  for an unknown name
 * @throws DataError    where the origin cannot be reached, answers with an error or sends other bytes; where another file is
 *                      in its place
 * @throws DeviceError  in a browser; where the disk is full
 * @throws the signal's reason  if it is aborted
 */
export async function getPublicSet(name: string, options: GetPublicSetOptions = {}): Promise<LocalSet> {
  const files = filesHere()
  const set = publicSet(name)
  const folder = options.folder ?? publicSetFolder()
  const here = await findPublicSet(name, folder)
  if (here !== undefined) return { set, path: here, isNew: false }
  const path = files.join(folder, ...set.file.split("/"))
  await files.makeDirectory(files.dirname(path)) // before the download: a folder that cannot be made is told at once
  const text = await makeSet(set, options)
  options.signal?.throwIfAborted()
  await files.writeAtomic(path, path.endsWith(".gz") ? await platform.gzip(text) : text)
  return { set, path, isNew: true }
}

/** The verified text of a set. */
async function makeSet(set: PublicSet, options: GetPublicSetOptions): Promise<Uint8Array> {
  const { recipeOf } = await import("./recipes.ts")
  const recipe = recipeOf(set.name)
  const encoder = new TextEncoder()
  const parts: Uint8Array[] = []
  let index = 0
  for await (const source of sourcesOf(set, recipe, options)) {
    parts.push(encoder.encode(recipe.textOf(source, index++)))
    await platform.yieldToEventLoop()
  }
  const text = concatBytes(parts)
  const sha256 = await platform.sha256(text)
  if (sha256 === set.sha256) return text
  throw new DataError(
    `what ${set.origin} gives for ${set.name} has the SHA-256 ${sha256}, expected ${set.sha256}`,
    "the origin may have changed; try again later, or use a newer Kinglet",
  )
}

async function* sourcesOf(set: PublicSet, recipe: Recipe, options: GetPublicSetOptions): AsyncGenerator<SourceText> {
  const settings = downloadSettings(set, options)
  const { sources } = recipe
  if (typeof sources === "function") return yield* archiveSources(set, sources, settings)
  for (const source of sources) {
    const url = sourceUrl(set, source.path)
    const body = await downloadVerified(url, source, { ...settings, sha256: platform.sha256 })
    yield { path: source.path, text: decodeUtf8(body, url) }
  }
}

function downloadSettings(set: PublicSet, options: GetPublicSetOptions): Omit<DownloadOptions, "maxBytes"> {
  let bytes = 0
  const onBytes = (more: number): void => {
    bytes += more
    const totalBytes = Math.max(bytes, set.downloadBytes)
    options.onProgress?.({ name: set.name, bytes, totalBytes })
  }
  const { fetch = globalThis.fetch, signal, stallSeconds } = options
  return { fetch, signal, stallSeconds, onBytes }
}

/** The wanted files of the set's archive in the order of their paths, which the archive does not promise. */
async function* archiveSources(
  set: PublicSet,
  wants: (path: string) => boolean,
  settings: Omit<DownloadOptions, "maxBytes">,
): AsyncGenerator<SourceText> {
  const url = sourceUrl(set)
  const unpacked = platform.gunzip(download(url, { ...settings, maxBytes: MAX_ARCHIVE_BYTES }))
  const found: SourceText[] = []
  try {
    for await (const { path, bytes } of readTar(limited(unpacked, url), wants))
      found.push({ path, text: decodeUtf8(bytes, path) })
  } catch (error) {
    throw error instanceof FormatError ? new DataError(`${url}: ${error.message}`, error.hint ?? "try again") : error
  }
  yield* found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function* limited(chunks: AsyncIterable<Uint8Array>, url: string): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > MAX_UNPACKED_BYTES)
      throw new DataError(`${url} unpacks to more than ${MAX_UNPACKED_BYTES} bytes, expected a small archive`)
    yield chunk
  }
}
