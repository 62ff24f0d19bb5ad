// The built package counts words on workers that load its own module: on Node, in a page that Vite bundled, and in one that
// esbuild bundled if the module was put beside it. Elsewhere one thread does it. The vocabulary is the same everywhere.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as esbuild from "esbuild"
import * as vite from "vite"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { hasChromium, runPage } from "../support/chromium.ts"
import { node, root, runWell } from "../support/package.ts"

/** Ends as soon as the threads are there: how long a busy machine may take. */
const PATIENCE_MS = 30_000

const sites = mkdtempSync(join(tmpdir(), "kinglet-counting-"))
afterAll(() => rmSync(sites, { recursive: true, force: true }))
beforeAll(() => runWell(node, [join(root, "scripts", "build.mjs"), "--if-stale"], root), 300_000)

const program = (threads: number, patienceMs: number): string => `
import { countOn } from ${JSON.stringify(join(import.meta.dirname, "counting.ts"))}
console.log(JSON.stringify(await countOn(${threads}, ${patienceMs})))
console.log("done")
`

/** The paths of our tsconfig lead to the sources; the program gets the package through its exports. */
const bundle = (contents: string, outfile: string, packages: "bundle" | "external") =>
  esbuild.build({
    stdin: { contents, resolveDir: root },
    outfile,
    packages,
    bundle: true,
    format: "esm",
    target: "es2022",
    tsconfigRaw: {},
    logLevel: "error",
  })

function newSite(name: string): string {
  const site = join(sites, name)
  mkdirSync(join(site, "assets"), { recursive: true })
  writeFileSync(join(site, "index.html"), '<!doctype html><script type="module" src="./assets/main.js"></script>')
  return site
}

async function open(site: string, isolated = true): Promise<unknown> {
  const lines = await runPage(site, { isolated, limitMs: 120_000 })
  return JSON.parse(lines.at(-2)!)
}

describe("the vocabulary does not depend on the number of threads", () => {
  it.each([2, 3])("on Node, %i", async (threads) => {
    const outfile = join(root, ".cache", `counting-${process.pid}-${threads}.mjs`)
    await bundle(program(threads, PATIENCE_MS), outfile, "external")
    const [line] = (await runWell(node, [outfile], root)).split("\n")
    rmSync(outfile)
    expect(JSON.parse(line!)).toEqual({ threads, vocabSize: 600, isSame: true })
  })

  describe.skipIf(!hasChromium())("in Chromium,", () => {
    it("a page bundled by Vite", async () => {
      const site = newSite("vite")
      const input = join(sites, "vite-main.js")
      writeFileSync(input, program(2, PATIENCE_MS))
      const rolldownOptions = { input, output: { entryFileNames: "assets/main.js" } }
      const build = { emptyOutDir: false, outDir: site, target: "es2022", rolldownOptions }
      await vite.build({ root, configFile: false, logLevel: "error", publicDir: false, build })
      expect(await open(site)).toEqual({ threads: 2, vocabSize: 600, isSame: true })
      expect(await open(site, false)).toEqual({ threads: 2, vocabSize: 600, isSame: true })
    })

    it("a page bundled by esbuild, the worker's module beside it", async () => {
      const site = newSite("esbuild")
      await bundle(program(2, PATIENCE_MS), join(site, "assets", "main.js"), "bundle")
      mkdirSync(join(site, "tokenizer"))
      const worker = join("tokenizer", "counting-worker.js")
      copyFileSync(join(root, "dist", worker), join(site, worker))
      expect(await open(site)).toEqual({ threads: 2, vocabSize: 600, isSame: true })
    })

    it("a page without it", async () => {
      const site = newSite("alone")
      await bundle(program(2, 500), join(site, "assets", "main.js"), "bundle")
      expect(await open(site)).toEqual({ threads: 1, vocabSize: 600, isSame: true })
    })
  })
})
