// The machine inside a page or a browser's worker: the same names as node.ts, without files, standard input or V8 flags.
// The few browser names used are declared here, so that no other room sees them.
import { concatBytes, FormatError } from "../core/index.ts"
import type { Platform, PlatformWorker } from "./platform.ts"
import { createSha256 } from "./sha256.ts"

export type * from "./platform.ts"

interface BrowserWorker {
  onmessage: ((event: { data: unknown }) => void) | null
  onerror: ((event: { message: string; preventDefault(): void }) => void) | null
  postMessage(message: unknown): void
  terminate(): void
}
interface ByteReader {
  read(): Promise<{ done: boolean; value?: Uint8Array }>
}
interface ByteTransform {
  readonly readable: { getReader(): ByteReader }
  readonly writable: {
    getWriter(): {
      write(bytes: Uint8Array): Promise<void>
      close(): Promise<void>
      abort(reason: unknown): Promise<void>
    }
  }
}
declare const Worker: new (url: string) => BrowserWorker
declare const Blob: new (parts: readonly string[], options: { type: string }) => object
declare const URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void }
declare const MessageChannel: new () => {
  port1: { onmessage: (() => void) | null; close(): void }
  port2: { postMessage(message: unknown): void }
}
declare const CompressionStream: new (format: "gzip") => ByteTransform
declare const DecompressionStream: new (format: "gzip") => ByteTransform
declare const performance: { now(): number; memory?: { usedJSHeapSize: number } }
declare const navigator: { userAgent: string; hardwareConcurrency?: number; deviceMemory?: number } | undefined

/** Assumption where the browser does not tell (Firefox, Safari): 4 GiB, what a 32-bit WebAssembly memory can use at most. */
const ASSUMED_MEMORY_GIB = 4

function startWorker(source: string): PlatformWorker {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }))
  const worker = new Worker(url)
  const listeners: ((message: unknown) => void)[] = []
  worker.onmessage = ({ data }) => {
    for (const listener of listeners) listener(data)
  }
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => void listeners.push(listener),
    onError: (listener) => {
      worker.onerror = (event) => {
        event.preventDefault()
        listener(new Error(event.message))
      }
    },
    ref: () => {},
    unref: () => {}, // a page does not wait for its workers
    terminate: async () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
  }
}

/** A turn of the event loop without the 4 ms that nested timers cost in browsers. */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** `chunks` through `transform`; an error of the source reaches the reader as it is, any other is damage. */
async function* through(transform: ByteTransform, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const writer = transform.writable.getWriter()
  let sourceError: { readonly error: unknown } | undefined
  const feed = async (): Promise<void> => {
    try {
      for await (const chunk of chunks) await writer.write(chunk).catch(() => {}) // damage: the reader hears of it
    } catch (error) {
      sourceError = { error }
      return writer.abort(error)
    }
    await writer.close()
  }
  const fed = feed().catch(() => {})
  const reader = transform.readable.getReader()
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value!
  } catch (cause) {
    await fed
    if (sourceError) throw (sourceError as { readonly error: unknown }).error
    const message = `gzip data is damaged: ${(cause as Error).message}`
    throw new FormatError(message, { hint: "fetch the file again", cause })
  }
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield bytes
  }
  const parts: Uint8Array[] = []
  for await (const part of through(new CompressionStream("gzip"), whole())) parts.push(part)
  return concatBytes(parts)
}

function memory(): ReturnType<Platform["memory"]> {
  const host = typeof navigator === "undefined" ? undefined : navigator
  const totalBytes = (host?.deviceMemory ?? ASSUMED_MEMORY_GIB) * 2 ** 30
  const rssBytes = performance.memory?.usedJSHeapSize ?? 0
  return { totalBytes, freeBytes: totalBytes - rssBytes, rssBytes, peakRssBytes: rssBytes }
}

/** `chromium 130`, `firefox 131`, `safari 18` out of the user agent; the whole of it where none is named. */
function engineName(): string {
  const agent = typeof navigator === "undefined" ? "unknown" : navigator.userAgent
  const found =
    /(Firefox)\/(\d+)/.exec(agent) ?? /(Chrom(?:e|ium))\/(\d+)/.exec(agent) ?? /(Version)\/(\d+).*Safari/.exec(agent)
  if (!found) return agent
  const names: { readonly [name: string]: string } = { Firefox: "firefox", Version: "safari" }
  return `${names[found[1]!] ?? "chromium"} ${found[2]}`
}

export const platform: Platform = {
  name: "browser",
  engine: engineName(),
  cores: () => (typeof navigator === "undefined" ? 1 : (navigator.hardwareConcurrency ?? 1)),
  now: () => performance.now(),
  wallClock: () => Date.now(),
  memory,
  startWorker,
  yieldToEventLoop,
  keepAlive: () => () => {}, // a page lives as long as it is open
  setEngineFlag: () => false,
  findBlas: () => ({ missing: "a browser has none" }),
  gunzip: (chunks) => through(new DecompressionStream("gzip"), chunks),
  gzip,
  brotliSize: async () => undefined,
  xzSize: async () => undefined,
  sha256: async (bytes) => {
    const hash = createSha256()
    hash.update(bytes)
    return hash.digest()
  },
  createSha256,
  stdin: () => undefined,
  files: undefined,
  environment: () => undefined,
  cacheFolder: () => undefined,
  terminal: undefined,
}
