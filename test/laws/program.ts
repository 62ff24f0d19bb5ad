// A program of a user's own, run by a Node of its own: TypeScript bundled from the sources and started without anything else.
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "esbuild"
import { root } from "../support/package.ts"

export interface Ended {
  /** Undefined if it had to be killed. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Bundles `source`, which imports from `./src/…` of the repository, and runs it until it exits or `limitMs` are over. */
export async function runProgram(source: string, limitMs: number, flags: readonly string[] = []): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), "kinglet-program-"))
  const outfile = join(folder, "program.mjs")
  const alias = { "#platform": join(root, "src/platform/node.ts") }
  const stdin = { contents: source, resolveDir: root, loader: "ts" } as const
  try {
    await build({ stdin, bundle: true, platform: "node", format: "esm", outfile, alias, logLevel: "error" })
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        [...flags, outfile],
        { timeout: limitMs, killSignal: "SIGKILL" },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined
          resolve({ code, stdout, stderr })
        },
      )
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
