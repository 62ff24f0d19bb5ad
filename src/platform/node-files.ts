/// <reference types="node" />
// Files on Node: every failure passes through `explainFileError`, every whole-file write is atomic and flushed.
import { constants } from "node:fs"
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { explainFileError } from "./file-errors.ts"
import { takeLock } from "./node-lock.ts"
import type { FileHandle, FileSystem } from "./platform.ts"

/** Bytes a chunk of a streamed file: large enough that system calls do not count, small beside any corpus. */
const CHUNK_BYTES = 256 * 1024
const OPEN_FLAGS = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
  append: constants.O_RDWR | constants.O_CREAT,
}

let serial = 0

async function explained<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explainFileError(error, action, path)
  }
}

type NodeHandle = Awaited<ReturnType<typeof open>>

async function readFully(handle: NodeHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled === length ? bytes : bytes.slice(0, filled)
}

async function writeFully(handle: NodeHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length)
    written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten
}

function wrapHandle(handle: NodeHandle, path: string): FileHandle {
  return {
    read: (position, length) => explained("read", path, () => readFully(handle, position, length)),
    write: (bytes, position) => explained("write", path, () => writeFully(handle, bytes, position)),
    sync: () => explained("write", path, () => handle.sync()),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  }
}

async function* streamFile(path: string): AsyncGenerator<Uint8Array> {
  const handle = await explained("read", path, () => open(path, OPEN_FLAGS.read))
  try {
    for (let position = 0; ; ) {
      const bytes = await explained("read", path, () => readFully(handle, position, CHUNK_BYTES))
      if (bytes.length > 0) yield bytes
      if (bytes.length < CHUNK_BYTES) return
      position += bytes.length
    }
  } finally {
    await handle.close()
  }
}

/** Flushes a folder, so that a rename in it survives a power cut; Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return
  const handle = await open(path, OPEN_FLAGS.read)
  try {
    await handle.sync()
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes((error as { code?: string }).code ?? "")) throw error // network folders
  } finally {
    await handle.close()
  }
}

async function writeAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${serial++}.tmp`)
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
  try {
    const handle = await open(temporary, "wx")
    try {
      await writeFully(handle, bytes, 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    throw explainFileError(error, "write", path)
  }
}

async function renameSynced(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncDirectory(dirname(to))
  if (resolve(dirname(from)) !== resolve(dirname(to))) await syncDirectory(dirname(from))
}

async function statOrUndefined(path: string): Promise<Awaited<ReturnType<FileSystem["stat"]>>> {
  try {
    const found = await stat(path)
    const kind = found.isFile() ? "file" : found.isDirectory() ? "directory" : "other"
    return { kind, bytes: found.size, modifiedMs: found.mtimeMs }
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return undefined
    throw explainFileError(error, "read", path)
  }
}

/** Patterns that name no extension themselves (`data/*`, `data/**`) take only the wanted ones. */
const isOpenEnded = (pattern: string): boolean => /[*}\])]$/.test(pattern) && !/\.[^/*]+$/.test(pattern)
const ANY_DEPTH = "**/*"

async function globOne(pattern: string, extensions: readonly string[] | undefined): Promise<string[]> {
  const found = await statOrUndefined(pattern)
  if (found && found.kind !== "directory") return [resolve(pattern)]
  const { glob } = await import("tinyglobby")
  const posix = process.platform === "win32" ? pattern.replaceAll("\\", "/") : pattern
  const matches = found
    ? await glob(ANY_DEPTH, { cwd: pattern, absolute: true, ignore: ["**/node_modules/**"], expandDirectories: false })
    : await glob(posix, { absolute: true, expandDirectories: false })
  const wanted = extensions?.map((extension) => extension.toLowerCase())
  if (!wanted || !(found || isOpenEnded(pattern))) return matches
  return matches.filter((path) => wanted.some((extension) => path.toLowerCase().endsWith(extension)))
}

async function globAll(
  patterns: readonly string[],
  options: { extensions?: readonly string[] } = {},
): Promise<string[]> {
  const paths = new Set<string>()
  for (const pattern of patterns)
    for (const path of await explained("read", pattern, () => globOne(pattern, options.extensions)))
      paths.add(resolve(path))
  return [...paths].sort()
}

export const nodeFiles: FileSystem = {
  open: async (path, mode) => wrapHandle(await explained(mode, path, () => open(path, OPEN_FLAGS[mode])), path),
  readBytes: (path) => explained("read", path, async () => new Uint8Array(await readFile(path))),
  readText: (path) => explained("read", path, () => readFile(path, "utf8")),
  stream: streamFile,
  writeAtomic,
  append: (path, text) => explained("write", path, () => appendFile(path, text)),
  exists: async (path) => (await statOrUndefined(path)) !== undefined,
  stat: statOrUndefined,
  list: (path) => explained("read", path, async () => (await readdir(path)).sort()),
  glob: globAll,
  makeDirectory: (path) => explained("create", path, async () => void (await mkdir(path, { recursive: true }))),
  rename: (from, to) => explained("rename", from, () => renameSynced(from, to)),
  remove: (path) => explained("remove", path, () => rm(path, { recursive: true, force: true })),
  lock: (path) => explained("lock", path, async () => takeLock(path)),
  join,
  basename,
  dirname,
}
