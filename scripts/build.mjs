// `npm run build`: dist/ from the sources; with `--if-stale` only when it is behind them.
import { build, checkEngine, ensureBuilt, ensureInstalled } from "./setup.mjs"

checkEngine()
ensureInstalled()
if (process.argv.includes("--if-stale")) ensureBuilt()
else process.exitCode = build()
