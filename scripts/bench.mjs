// `npm run bench -- WORK [--json]`: bundles bench/index.ts with the sources, as they are now, and runs it. The bundle
// lies one folder below the root, like its source, so that paths relative to the file mean the same.
import { pathToFileURL } from "node:url"
import { checkEngine, ensureInstalled, root } from "./setup.mjs"

checkEngine()
ensureInstalled()
const { build } = await import("esbuild")
const outfile = `${root}/.cache/bench.mjs`
await build({
  absWorkingDir: root,
  entryPoints: ["bench/index.ts"],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  alias: { "#platform": `${root}/src/platform/node.ts` },
  logLevel: "warning",
})
await import(pathToFileURL(outfile).href)
