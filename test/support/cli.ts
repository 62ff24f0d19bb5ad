// The command line in tests: in this process with a terminal that remembers, or as a process of its own.
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { build } from "esbuild"
import type { Interrupt, Terminal } from "#platform"
import { main } from "../../src/cli/main.ts"

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface FakeTerminal extends Terminal {
  readonly written: { stdout: string; stderr: string }
  interrupt(reason?: Interrupt): void
}

/** A pipe, unless `isTTY`; `lines` is what is typed. */
export function fakeTerminal(
  options: { isTTY?: boolean; columns?: number; lines?: readonly string[] } = {},
): FakeTerminal {
  const { isTTY = false, columns = 80, lines = [] } = options
  const written = { stdout: "", stderr: "" }
  const listeners = new Set<(reason: Interrupt) => void>()
  const stream = (name: "stdout" | "stderr") => ({
    write: async (text: string) => void (written[name] += text),
    isTTY,
    columns,
    rows: 24,
  })
  return {
    written,
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    isInteractive: false,
    async *readLines() {
      yield* lines
    },
    onResize: () => () => {},
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    exit: (code) => {
      throw new Error(`exit ${code}`)
    },
    packageFolder: undefined,
    interrupt: (reason = "SIGINT") => {
      for (const listener of listeners) listener(reason)
    },
  }
}

/** Runs a command in this process. */
export async function run(argv: readonly string[], terminal = fakeTerminal()): Promise<Outcome> {
  const code = await main(argv, terminal)
  return { code, ...terminal.written }
}

/** The command line as one file, from the sources as they are. */
export async function bundleCli(folder: string): Promise<string> {
  const root = join(import.meta.dirname, "../..")
  const outfile = join(folder, "cli.mjs")
  const start = `import { main } from ${JSON.stringify(join(root, "src/cli/main.ts"))}; process.exitCode = await main(process.argv.slice(2))`
  await build({
    stdin: { contents: start, resolveDir: root, loader: "js" },
    absWorkingDir: root,
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    alias: { "#platform": join(root, "src/platform/node.ts") },
    banner: {
      js: `import { createRequire as requireFrom } from "node:module"; const require = requireFrom(${JSON.stringify(pathToFileURL(outfile).href)});`,
    },
    logLevel: "warning",
  })
  return outfile
}

/** Starts the bundled command line; `ended` tells how it went. */
export function startCli(
  script: string,
  argv: readonly string[],
  cwd: string,
): { child: ChildProcess; ended: Promise<Outcome>; saw(text: string): Promise<void> } {
  const child = spawn(process.execPath, [script, ...argv], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  })
  const written = { stdout: "", stderr: "" }
  const watchers = new Set<() => void>()
  for (const name of ["stdout", "stderr"] as const)
    child[name]!.on("data", (chunk: Buffer) => {
      written[name] += chunk.toString()
      for (const watch of watchers) watch()
    })
  const ended = new Promise<Outcome>((resolve) => {
    child.on("close", (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), ...written }))
  })
  const saw = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        if (written.stdout.includes(text)) watchers.delete(watch), resolve()
      }
      watchers.add(watch)
      watch()
      void ended.then((outcome) => reject(new Error(`ended before "${text}": ${JSON.stringify(outcome)}`)))
    })
  return { child, ended, saw }
}
