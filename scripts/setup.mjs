// Set-up that a command does for itself: installs when node_modules is absent or behind the lock, builds when dist/ is
// behind the sources. Only Node's own modules here: it runs before anything is installed.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const at = (...parts) => join(root, ...parts)

/** Progress of the set-up goes to stderr: stdout belongs to the command that follows. */
export const say = (line) => process.stderr.write(`${line}\n`)

/** One sentence when the engine is too old, before anything else fails less clearly. */
export function checkEngine() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  say(`Kinglet needs Node 20.19 or newer; this is Node ${process.versions.node}.`)
  process.exit(1)
}

/** Runs a program to its end: `{ status, output }`, output only when captured. */
export function runProgram(command, args, { capture = false, env = {} } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", capture ? "pipe" : "inherit", capture ? "pipe" : "inherit"],
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 64 << 20,
  })
  const failure = result.error === undefined ? "" : `${result.error.message}\n`
  return { status: result.status ?? 1, output: `${result.stdout ?? ""}${result.stderr ?? ""}${failure}` }
}

/** npm, the one that started us if there is one; else the one on the path. */
export function runNpm(args, options) {
  const script = process.env.npm_execpath
  if (script?.endsWith("npm-cli.js")) return runProgram(process.execPath, [script, ...args], options)
  return process.platform === "win32"
    ? runProgram("cmd.exe", ["/d", "/s", "/c", "npm", ...args], options)
    : runProgram("npm", args, options)
}

function inTime(title, work) {
  const start = performance.now()
  say(`${title} ...`)
  const result = work()
  say(`${title}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"))

/** True when node_modules holds every package of the lock in its version; what only other systems need may lack. */
export function isInstalled() {
  if (!existsSync(at("node_modules", ".package-lock.json"))) return false
  const installed = readJson(at("node_modules", ".package-lock.json")).packages
  const wanted = Object.entries(readJson(at("package-lock.json")).packages)
  return wanted.every(([path, { version, optional, devOptional, peer }]) => {
    if (path === "") return true
    const found = installed[path]
    return found === undefined ? Boolean(optional || devOptional || peer) : found.version === version
  })
}

export function ensureInstalled() {
  if (isInstalled()) return
  const { status, output } = inTime("installing what the lock file names (npm ci)", () =>
    runNpm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], { capture: true }),
  )
  if (status === 0) return
  say(output.trimEnd())
  say("npm ci failed; is the package registry reachable?")
  process.exit(1)
}

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else yield path
  }
}

/** A digest of all that dist/ is made from. */
function sourcesDigest() {
  const hash = createHash("sha256")
  const sources = [...filesBelow(at("src"))].filter((path) => !path.endsWith(".test.ts"))
  const settings = ["package.json", "package-lock.json", "tsconfig.json", "tsdown.config.ts"].map((name) => at(name))
  for (const path of [...sources, ...settings, at("scripts", "doors.mjs"), at("scripts", "setup.mjs")])
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0")
  return hash.digest("hex")
}

const stamp = at(".cache", "build-digest")
const isBuilt = (digest) =>
  existsSync(at("dist", "index.js")) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest

/**
 * Declarations that TypeScript 5.6 reads too: before 5.7 typed arrays had no type parameter, and
 * `Uint8Array<ArrayBuffer>` says no more to a caller than `Uint8Array`.
 */
const withoutBufferParameters = (declarations) =>
  declarations.replaceAll(/\b((?:[A-Z]\w*)?Array|DataView)<(?:Shared)?ArrayBuffer(?:Like)?>/g, "$1")

/** Builds beside dist/ and then swaps, so that a running program does not lose its modules. Returns the exit status. */
export function build() {
  const fresh = at(".cache", `dist-${process.pid}`)
  const digest = sourcesDigest()
  mkdirSync(at(".cache"), { recursive: true })
  const { status, output } = inTime("building dist", () =>
    runProgram(process.execPath, [at("node_modules", "tsdown", "dist", "run.mjs"), "--out-dir", fresh], {
      capture: true,
      env: { npm_config_loglevel: "silent" },
    }),
  )
  if (status !== 0) {
    say(output.trimEnd())
    rmSync(fresh, { recursive: true, force: true })
    return status
  }
  for (const path of filesBelow(fresh))
    if (path.endsWith(".d.ts")) writeFileSync(path, withoutBufferParameters(readFileSync(path, "utf8")))
  const old = at(".cache", `dist-${process.pid}-old`)
  rmSync(stamp, { force: true })
  if (existsSync(at("dist"))) renameSync(at("dist"), old)
  renameSync(fresh, at("dist"))
  writeFileSync(stamp, digest)
  rmSync(old, { recursive: true, force: true })
  return 0
}

export function ensureBuilt() {
  if (isBuilt(sourcesDigest())) return
  if (build() === 0) return
  say("The build failed; its message is above.")
  process.exit(1)
}
