// What Kinglet asks of the machine, and nothing else. `node.ts` and `browser.ts` both export every name declared here;
// package.json chooses between them by the import condition `#platform`. No other room says `node:` or `navigator`.
import type { Terminal } from "./terminal.ts"

export type * from "./terminal.ts"

/** A running lane: messages go both ways, `unref` lets the process end while it idles. */
export interface PlatformWorker {
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  onError(listener: (error: Error) => void): void
  ref(): void
  unref(): void
  terminate(): Promise<void>
}

export interface FileHandle {
  /** Reads up to `length` bytes at `position`; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>
  /** Appends or overwrites at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Forces written bytes to the disk. */
  sync(): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

/** Files as the run folder and the data readers need them. Paths are strings of the host. */
export interface FileSystem {
  open(path: string, mode: "read" | "write" | "append"): Promise<FileHandle>
  readBytes(path: string): Promise<Uint8Array>
  readText(path: string): Promise<string>
  /** Whole file in chunks; gzip is not undone here. */
  stream(path: string): AsyncIterable<Uint8Array>
  /** Atomic: temporary name in the same folder, write, fsync, rename, fsync of the folder. */
  writeAtomic(path: string, bytes: Uint8Array | string): Promise<void>
  append(path: string, text: string): Promise<void>
  exists(path: string): Promise<boolean>
  stat(path: string): Promise<{ kind: "file" | "directory" | "other"; bytes: number; modifiedMs: number } | undefined>
  list(path: string): Promise<string[]>
  /** Files matching globs or below directories, sorted, absolute. */
  glob(patterns: readonly string[], options?: { extensions?: readonly string[] }): Promise<string[]>
  makeDirectory(path: string): Promise<void>
  /** Rename within one file system: atomic. Syncs the containing folder. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file or a folder with all it holds; absent is fine. */
  remove(path: string): Promise<void>
  /** Takes an exclusive lock file holding our process id; returns its release, or the id of the living holder. */
  lock(path: string): Promise<{ release(): Promise<void> } | { heldBy: number }>
  join(...parts: string[]): string
  basename(path: string): string
  dirname(path: string): string
}

/**
 * `C = op(A) · op(B) + beta · C` in f32, row-major; `op(A)` is [m, k], `op(B)` [k, n]. `transA` and `transB` are 0 or 1, `lda`,
 * `ldb` and `ldc` the elements between stored rows, `a`, `b` and `c` bytes from the start of a memory.
 */
export type Sgemm = (
  transA: number,
  transB: number,
  m: number,
  n: number,
  k: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void

/** A BLAS of the system, set to one thread. */
export interface Blas {
  /** Library, version and processor it computes for: `OpenBLAS 0.3.21 Cooperlake`. */
  readonly name: string
  /** Its `sgemm` on a WebAssembly memory, for this thread. */
  bind(memory: { readonly buffer: ArrayBufferLike }): Sgemm
  /** `bind` as the source text of an expression, for a worker made by `startWorker`. */
  readonly bindSource: string
}

export type FoundBlas =
  | { readonly blas: Blas; readonly missing?: never }
  | { readonly missing: string; readonly blas?: never }

/** How far a compressor sees. */
export interface CompressionOptions {
  /** Bytes that come in all. */
  readonly totalBytes: number
  /** It looks `2 ** windowBits` bytes back, within what the compressor can: 16 to 30 for brotli, 16 to 29 for xz. */
  readonly windowBits: number
  readonly signal?: AbortSignal
}

export interface Platform {
  readonly name: "node" | "browser"
  /** For messages and LOG lines: `node 20.20.2 (v8 11.3)`. */
  readonly engine: string
  /** Logical processors this process may use. */
  cores(): number
  /** Milliseconds, monotonic. */
  now(): number
  /** Milliseconds since 1970. */
  wallClock(): number
  memory(): { totalBytes: number; freeBytes: number; rssBytes: number; peakRssBytes: number }
  /** Starts a worker from classic-script source text in which `self.onmessage`/`postMessage` work on every platform. */
  startWorker(source: string): PlatformWorker
  /** Gives timers, signals and input a turn. */
  yieldToEventLoop(): Promise<void>
  /** Keeps the process from ending until the returned function is called: the engine's own threads do not count as work. */
  keepAlive(): () => void
  /** Sets a V8 flag at run time; false where that is impossible. */
  setEngineFlag(flag: string): boolean
  /** The system's BLAS, or why there is none; `KINGLET_BLAS` names a library, or `off`. Loads it. */
  findBlas(): FoundBlas
  gunzip(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  gzip(bytes: Uint8Array): Promise<Uint8Array>
  /** Size of what comes in pieces under brotli quality 11; undefined where brotli is missing. */
  brotliSize(chunks: AsyncIterable<Uint8Array>, options: CompressionOptions): Promise<number | undefined>
  /** Size under `xz -9e`; undefined where the program is missing. It needs about 11 times its window of memory. */
  xzSize(chunks: AsyncIterable<Uint8Array>, options: CompressionOptions): Promise<number | undefined>
  sha256(bytes: Uint8Array): Promise<string>
  /** SHA-256 of what comes in pieces, hexadecimal; `digest` may be called once. */
  createSha256(): { update(bytes: Uint8Array): void; digest(): string }
  /** Standard input in chunks; undefined where there is none. */
  stdin(): AsyncIterable<Uint8Array> | undefined
  /** Undefined in browsers. */
  readonly files: FileSystem | undefined
  environment(name: string): string | undefined
  /** Where this user's programs keep what can be fetched again, for Kinglet alone; undefined where the system names none. */
  cacheFolder(): string | undefined
  /** What the command line reads and writes; undefined in browsers. */
  readonly terminal: Terminal | undefined
}
