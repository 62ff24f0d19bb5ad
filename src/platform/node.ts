/// <reference types="node" />
// The machine under Node: workers, clock, cores and memory (container limits included), compression, standard input.
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { availableParallelism, freemem, homedir, totalmem } from "node:os"
import { isAbsolute, join } from "node:path"
import { pipeline, Readable, Writable } from "node:stream"
import { pipeline as piped } from "node:stream/promises"
import { promisify } from "node:util"
import { setFlagsFromString } from "node:v8"
import { Worker } from "node:worker_threads"
import { constants, createBrotliCompress, createGunzip, gzip } from "node:zlib"
import { DeviceError, FormatError } from "../core/index.ts"
import { findBlas } from "./node-blas.ts"
import { nodeFiles } from "./node-files.ts"
import type { CompressionOptions, Platform, PlatformWorker } from "./platform.ts"
import { nodeTerminal } from "./terminal-node.ts"

export type * from "./platform.ts"

/** Makes a Node worker look like a browser's: one line, so that line numbers in errors stay close to the source's. */
const WORKER_PRELUDE =
  'globalThis.self = globalThis; { const { parentPort } = require("node:worker_threads"); ' +
  "globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer); " +
  "globalThis.close = () => process.exit(); " +
  'parentPort.on("message", (data) => globalThis.onmessage?.({ data })); }\n'

function startWorker(source: string): PlatformWorker {
  const worker = new Worker(WORKER_PRELUDE + source, { eval: true, execArgv: [] })
  const listeners: ((error: Error) => void)[] = []
  let ended = false // by an error already told, or by our own terminate()
  const fail = (error: Error): void => {
    if (!ended) for (const listener of listeners) listener(error)
    ended = true
  }
  worker.on("error", fail)
  worker.on("messageerror", fail)
  worker.on("exit", (code) => code !== 0 && fail(new Error(`worker stopped with exit code ${code}`)))
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on("message", listener),
    onError: (listener) => void listeners.push(listener),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    terminate: async () => {
      ended = true
      await worker.terminate()
    },
  }
}

function readSmallFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return undefined
  }
}

/** Processors granted by the container's quota (cgroup v2 `cpu.max`, v1 `cpu.cfs_*`), along our group's path; Infinity without one. */
function containerCores(): number {
  const group = /^0::(.*)$/m.exec(readSmallFile("/proc/self/cgroup") ?? "")?.[1] ?? ""
  const parts = group.split("/").filter(Boolean)
  const paths = Array.from({ length: parts.length + 1 }, (_, depth) => ["", ...parts.slice(0, depth)].join("/"))
  const quotas = paths.map((path) => readSmallFile(`/sys/fs/cgroup${path}/cpu.max`)?.split(" ") ?? [])
  const cpu = "/sys/fs/cgroup/cpu/cpu.cfs"
  quotas.push([readSmallFile(`${cpu}_quota_us`) ?? "", readSmallFile(`${cpu}_period_us`) ?? ""])
  const granted = quotas.map(([quota, period]) => Number(quota) / Number(period)).filter((cores) => cores > 0)
  return Math.min(Infinity, ...granted)
}

const cores = (): number => Math.max(1, Math.min(availableParallelism(), Math.floor(containerCores())))

/** Total and free are those of the container where it has a limit. */
function memory(): ReturnType<Platform["memory"]> {
  const limit = process.constrainedMemory?.() || Infinity // 0: no limit known
  const rssBytes = process.memoryUsage.rss()
  const totalBytes = Math.min(totalmem(), limit)
  const freeBytes = Math.min(process.availableMemory?.() ?? freemem(), totalBytes)
  return { totalBytes, freeBytes, rssBytes, peakRssBytes: Math.max(rssBytes, process.resourceUsage().maxRSS * 1024) }
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflate = createGunzip({ chunkSize: 256 * 1024 })
  pipeline(Readable.from(chunks), inflate, () => {}) // an error of either destroys the other and reaches the loop
  try {
    for await (const chunk of inflate) yield chunk as Uint8Array
  } catch (error) {
    const { code = "", message } = error as { code?: string; message: string }
    if (!code.startsWith("Z_")) throw error
    throw new FormatError(`gzip data is damaged: ${message}`, { hint: "fetch the file again", cause: error })
  }
}

/** Quality 11; windows of more than 2^24 bytes are "large windows". */
async function brotliSize(
  chunks: AsyncIterable<Uint8Array>,
  { totalBytes, windowBits, signal }: CompressionOptions,
): Promise<number> {
  const bits = Math.min(constants.BROTLI_LARGE_MAX_WINDOW_BITS, Math.max(16, windowBits))
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: bits,
    [constants.BROTLI_PARAM_LARGE_WINDOW]: bits > constants.BROTLI_MAX_WINDOW_BITS ? 1 : 0,
    [constants.BROTLI_PARAM_SIZE_HINT]: Math.min(totalBytes, 2 ** 30),
  }
  const counter = byteCounter()
  await piped(Readable.from(chunks), createBrotliCompress({ params }), counter.sink, { ...(signal ? { signal } : {}) })
  return counter.size()
}

/** @throws DeviceError  if the program is there and fails, for want of memory perhaps */
async function xzSize(
  chunks: AsyncIterable<Uint8Array>,
  { windowBits, signal }: CompressionOptions,
): Promise<number | undefined> {
  const dictionaryBits = Math.min(29, Math.max(16, windowBits))
  const child = spawn("xz", ["-c", "-T1", `--lzma2=preset=9e,dict=${2 ** dictionaryBits}`], {
    stdio: ["pipe", "pipe", "pipe"],
  })
  const counter = byteCounter()
  let complaint = ""
  child.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk).slice(0, MOST_COMPLAINT)))
  const ended = new Promise<number | undefined | Error>((resolve) => {
    child.on("error", (error: Error & { code?: string }) =>
      resolve(error.code === "ENOENT" ? undefined : xzError(`to start: ${error.message}`)),
    )
    child.on("close", (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`
      const line = complaint.trim().split("\n", 1)[0]
      resolve(code === 0 ? counter.size() : xzError(line ? `${how}: ${line}` : how))
    })
  })
  child.stdout.pipe(counter.sink)
  try {
    await piped(Readable.from(chunks), child.stdin, { ...(signal ? { signal } : {}) })
  } catch (error) {
    child.kill()
    const { code } = error as { code?: string }
    if (code !== "EPIPE" && code !== "ERR_STREAM_PREMATURE_CLOSE") throw error // those are told by how the program ends
  }
  const size = await ended
  if (size instanceof Error) throw size
  return size
}

/** Characters of what a program complains about that are kept: its first line. */
const MOST_COMPLAINT = 500

const xzError = (how: string): DeviceError => new DeviceError(`xz failed ${how}`)

/** A pipe's end that only counts. */
function byteCounter(): { sink: Writable; size(): number } {
  let size = 0
  const sink = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      size += chunk.length
      done()
    },
  })
  return { sink, size: () => size }
}

/** `$XDG_CACHE_HOME/kinglet`, or `~/.cache/kinglet`; on Windows below %LOCALAPPDATA%. XDG Base Directory Specification 0.8. */
function cacheFolder(): string | undefined {
  const { XDG_CACHE_HOME: given = "", LOCALAPPDATA: local } = process.env
  if (isAbsolute(given)) return join(given, "kinglet") // others are to be ignored
  if (process.platform === "win32" && local) return join(local, "kinglet", "cache")
  try {
    return join(homedir(), ".cache", "kinglet")
  } catch {
    return undefined // a user without an entry in the system's list, as in some containers
  }
}

function setEngineFlag(flag: string): boolean {
  setFlagsFromString(flag)
  return true
}

export const platform: Platform = {
  name: "node",
  engine: `node ${process.versions.node} (v8 ${process.versions.v8.split(".").slice(0, 2).join(".")})`,
  cores,
  now: () => performance.now(),
  wallClock: () => Date.now(),
  memory,
  startWorker,
  yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
  keepAlive: () => {
    const timer = setInterval(() => {}, 2 ** 30)
    return () => clearInterval(timer)
  },
  setEngineFlag,
  findBlas,
  gunzip,
  gzip: async (bytes) => new Uint8Array(await promisify(gzip)(bytes)),
  brotliSize,
  xzSize,
  sha256: async (bytes) => createHash("sha256").update(bytes).digest("hex"),
  createSha256: () => {
    const hash = createHash("sha256")
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") }
  },
  stdin: () => (process.stdin.isTTY ? undefined : (process.stdin as AsyncIterable<Uint8Array>)),
  files: nodeFiles,
  environment: (name) => process.env[name],
  cacheFolder,
  terminal: nodeTerminal,
}
