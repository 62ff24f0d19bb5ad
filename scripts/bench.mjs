// `npm run bench -- WORK [--json]`: one measurement of Kinglet alone.
import { pathToFileURL } from "node:url"
import { bundle } from "./bundle.mjs"
import { checkEngine, ensureInstalled } from "./setup.mjs"

checkEngine()
ensureInstalled()
await import(pathToFileURL(await bundle("bench/index.ts", "index")).href)
