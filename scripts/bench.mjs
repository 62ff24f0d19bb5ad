// `npm run bench -- WORK [--json]`: bundles bench/index.ts with the sources, as they are now, and runs it; the programs of
// workers lie beside it as they do in dist/.
import { pathToFileURL } from "node:url"
import { workers } from "./doors.mjs"
import { checkEngine, ensureInstalled, root } from "./setup.mjs"

checkEngine()
ensureInstalled()
const { build } = await import("esbuild")
const outdir = `${root}/.cache`
await build({
  absWorkingDir: root,
  entryPoints: { "bench/index": "bench/index.ts", ...workers },
  outdir,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  alias: { "#platform": `${root}/src/platform/node.ts` },
  logLevel: "warning",
})
await import(pathToFileURL(`${outdir}/bench/index.js`).href)
