// The package as a consumer meets it: packed, installed into an empty project, run by other engines and compilers.
// Tools that are not in the lock (other Nodes, an old TypeScript) are fetched once and kept in .cache/tools.
import { execFile } from "node:child_process"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const root = join(import.meta.dirname, "..", "..")

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, whatever its exit status; nothing comes in on stdin. */
export function run(program: string, args: readonly string[], cwd: string, limitMs = 300_000): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: limitMs, maxBuffer: 64 << 20, env: { ...process.env, NO_COLOR: "1" } }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : 1
      resolve({ status, stdout, stderr })
    })
    child.stdin?.end()
  })
}

/** As `run`, and fails with what the program said unless it ended well. */
export async function runWell(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, cwd)
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}\n${stdout}\n${stderr}`)
  return stdout
}

export const node = process.execPath

const quiet = ["--no-audit", "--no-fund", "--loglevel=error"]

/** The names of what a consumer can import: `kinglet`, `kinglet/train`, ... */
export function doorNames(): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, unknown>
  }
  return Object.keys(exports)
    .filter((key) => key !== "./package.json")
    .map((key) => `kinglet${key.slice(1)}`)
}

/** An empty folder that goes away when the test file has ended. */
export function emptyProject(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "kinglet-consumer-"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Builds if dist/ is behind, packs, and installs the tarball with its dependencies into `folder`. */
export async function installTarball(folder: string): Promise<void> {
  await runWell(node, [join(root, "scripts", "build.mjs"), "--if-stale"], root)
  await runWell("npm", ["pack", "--ignore-scripts", `--pack-destination=${folder}`, ...quiet], root)
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!
  await runWell("npm", ["install", `./${tarball}`, "--prefer-offline", ...quiet], folder)
}

/** The packages below node_modules as npm recorded them, by path. */
export function installedPackages(folder: string): Record<string, { hasInstallScript?: boolean }> {
  const lock = readFileSync(join(folder, "node_modules", ".package-lock.json"), "utf8")
  return (JSON.parse(lock) as { packages: Record<string, { hasInstallScript?: boolean }> }).packages
}

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => lstatSync(path).isFile())

export const bytesBelow = (folder: string): number =>
  filesBelow(folder).reduce((sum, path) => sum + lstatSync(path).size, 0)

/**
 * The folder of a package fetched from npm once, or undefined, said aloud, where it cannot be had.
 * The folder appears by a rename, so that one cut short is never taken for whole.
 */
export async function fetchTool(specifier: string): Promise<string | undefined> {
  const name = specifier.split("@")[0]!
  const home = join(root, ".cache", "tools", specifier.replaceAll(/[^\w.-]/g, "_"))
  if (existsSync(home)) return join(home, "node_modules", name)
  const fresh = `${home}-${process.pid}`
  mkdirSync(fresh, { recursive: true })
  writeFileSync(join(fresh, "package.json"), JSON.stringify({ private: true }))
  const { status, stderr } = await run("npm", ["install", specifier, "--prefer-offline", ...quiet], fresh)
  if (status === 0 && !existsSync(home)) renameSync(fresh, home)
  rmSync(fresh, { recursive: true, force: true })
  if (existsSync(home)) return join(home, "node_modules", name)
  console.warn(`SKIPPED: ${specifier} could not be installed: ${stderr.trim().split("\n").at(-1)}`)
  return undefined
}
