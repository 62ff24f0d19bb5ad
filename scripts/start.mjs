// `npm start [-- paths]`: sets up what is missing, then `kinglet start`, in this process so that Ctrl-C is the command's.
import { checkEngine, ensureBuilt, ensureInstalled } from "./setup.mjs"

checkEngine()
ensureInstalled()
ensureBuilt()
process.argv.splice(2, 0, "start")
await import("../bin/kinglet.js")
