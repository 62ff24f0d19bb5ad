// `npm run build`: dist/ from the sources, whether or not it is behind.
import { build, checkEngine, ensureInstalled } from "./setup.mjs"

checkEngine()
ensureInstalled()
process.exitCode = build()
