/// <reference types="node" />
// The terminal under Node: streams that know when they are drained, signals, lines that are typed.
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Interrupt, Terminal, TerminalStream } from "./terminal.ts"

const DEFAULT_COLUMNS = 80
const DEFAULT_ROWS = 24
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

const listeners = new Set<(reason: Interrupt) => void>()

/** Without a listener a reader that has gone ends the process quietly, as a pipe's signal would. */
function onClosed(): void {
  if (listeners.size === 0) process.exit(0)
  for (const listener of listeners) listener("closed")
}

type Output = typeof process.stdout | typeof process.stderr
const guarded = new WeakSet<Output>()

/** A reader that goes away is an event, not a crash. */
function guard(stream: Output): void {
  if (guarded.has(stream)) return
  guarded.add(stream)
  stream.on("error", (error: { code?: string }) => {
    if (error.code === "EPIPE" || error.code === "EIO" || error.code === "ERR_STREAM_DESTROYED") onClosed()
    else throw error
  })
}

/** `get` because the streams are made on first use, and importing must start nothing. */
const streamOf = (get: () => Output): TerminalStream => ({
  write: (text) =>
    new Promise((resolve) => {
      const stream = get()
      guard(stream)
      stream.write(text, () => resolve()) // an error is told by "error"
    }),
  get isTTY() {
    return get().isTTY ?? false
  },
  get columns() {
    return get().columns || Number(process.env["COLUMNS"]) || DEFAULT_COLUMNS
  },
  get rows() {
    return get().rows || DEFAULT_ROWS
  },
})

function onInterrupt(listener: (reason: Interrupt) => void): () => void {
  const handlers = SIGNALS.map((signal) => [signal, () => listener(signal)] as const)
  for (const [signal, handler] of handlers) process.on(signal, handler)
  listeners.add(listener)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
    listeners.delete(listener)
  }
}

async function* readLines(prompt: string): AsyncGenerator<string> {
  const { stdin, stdout } = process
  const typed = stdin.isTTY ?? false
  const lines = createInterface({ input: stdin, ...(typed ? { output: stdout, prompt } : {}) })
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT")) // the editor takes the key; give it back
  try {
    if (typed) lines.prompt()
    for await (const line of lines) {
      yield line
      if (typed) lines.prompt()
    }
  } finally {
    lines.close()
  }
}

/** The nearest folder upwards with a package.json. */
function findPackageFolder(): string | undefined {
  const here = fileURLToPath(import.meta.url)
  for (let folder = dirname(here); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder
    if (folder === dirname(folder)) return undefined
  }
}

export const nodeTerminal: Terminal = {
  stdout: streamOf(() => process.stdout),
  stderr: streamOf(() => process.stderr),
  get isInteractive() {
    return (process.stdin.isTTY && process.stdout.isTTY) ?? false
  },
  readLines,
  onResize: (listener) => {
    process.stdout.on("resize", listener)
    return () => process.stdout.off("resize", listener)
  },
  onInterrupt,
  exit: (code) => process.exit(code),
  get packageFolder() {
    return findPackageFolder()
  },
}
