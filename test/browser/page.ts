// The page: works on two lanes if it may, watches its own event loop meanwhile, and tells the console what came out.
import { work } from "./work.ts"

let turns = 0
const timer = setInterval(() => turns++, 5)
const result = await work(2)
clearInterval(timer)
console.log(JSON.stringify({ ...result, isolated: globalThis.crossOriginIsolated, turns }))
console.log("done")
