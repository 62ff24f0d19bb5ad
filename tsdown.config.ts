// The build: one entry a public door, the two sides of `#platform`, and the command line, their shared code in chunks; and
// each program of a worker as one file. `#platform` is never bundled: package.json chooses its side when the package is
// imported, and so can a bundler. What is imported from devDependencies is bundled, and its licenses go along.
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { defineConfig, type UserConfig } from "tsdown"
import { entries, workers } from "./scripts/doors.mjs"
import { notices } from "./scripts/notices.mjs"

const found = Object.entries(entries).filter(([, source]) => existsSync(source))

/** Of this checkout; a build apart from git, or in a folder of another repository, has none. */
function commit(): string | undefined {
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim()
  try {
    if (git("rev-parse", "--show-prefix") !== "") return undefined
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+changes")
  } catch {
    return undefined
  }
}

const common: UserConfig = {
  format: "esm",
  platform: "neutral",
  target: "es2023",
  outDir: "dist",
  fixedExtension: false,
  hash: false,
  clean: true,
  sourcemap: false,
  report: false,
  logLevel: "warn",
  define: { __KINGLET_COMMIT__: JSON.stringify(commit()) ?? "undefined" },
  deps: { neverBundle: ["#platform", /^node:/] },
  // Without this a neutral build finds packages by their `exports` only.
  inputOptions: { resolve: { mainFields: ["module", "main"] } },
}

export default defineConfig([
  {
    ...common,
    entry: Object.fromEntries(found),
    plugins: [notices()],
    // Chunks in a folder of their own: one named `index` would take the root door's place.
    outputOptions: { chunkFileNames: "shared/[name].js" },
    // Declarations name `AsyncDisposable`; the reference gives it to a consumer whose `lib` does not.
    dts: true,
    banner: { dts: '/// <reference lib="esnext.disposable" />' },
  },
  ...Object.entries(workers).map(([name, source]) => ({ ...common, entry: { [name]: source }, dts: false })),
])
