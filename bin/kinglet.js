#!/usr/bin/env node
// The command `kinglet`: checks the engine, then hands over to the built command line. Plain JavaScript that even an
// old Node can read far enough to say what is wrong.
import { existsSync } from "node:fs"

const [major, minor] = process.versions.node.split(".").map(Number)
const here = (path) => new URL(`../${path}`, import.meta.url)

async function start() {
  if (!existsSync(here("dist/cli/main.js"))) {
    if (!existsSync(here("node_modules/tsdown/package.json")))
      throw new Error("Kinglet is not built yet. Run: npm start (sets up, then trains), or: npm ci && npm run build")
    const setup = await import(here("scripts/setup.mjs").href) // a clone: build once
    setup.ensureBuilt()
  }
  const { main } = await import(here("dist/cli/main.js").href)
  process.exitCode = await main(process.argv.slice(2))
}

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Kinglet needs Node 20.19 or newer; this is Node ${process.versions.node}.`)
  process.exitCode = 1
} else {
  start().catch((error) => {
    const isOurs = error instanceof Error && error.message.startsWith("Kinglet is not built")
    console.error(isOurs ? error.message : error)
    process.exitCode = 1
  })
}
