// In a page: bundled by esbuild and by Vite, the built package opens its lanes, trains and generates in Chromium, with shared
// memory and without; strict bits are those of Node.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as esbuild from "esbuild"
import * as vite from "vite"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { hasChromium, runPage } from "../support/chromium.ts"
import { node, root, runWell } from "../support/package.ts"
import type { Work, work } from "./work.ts"

const entry = join(import.meta.dirname, "page.ts")
const sites = mkdtempSync(join(tmpdir(), "kinglet-browser-"))
afterAll(() => rmSync(sites, { recursive: true, force: true }))

const html = '<!doctype html><meta charset="utf-8"><script type="module" src="./main.js"></script>'

function newSite(name: string): string {
  const site = join(sites, name)
  mkdirSync(site, { recursive: true })
  writeFileSync(join(site, "index.html"), html)
  return site
}

/** The paths of our tsconfig lead to the sources; a page gets the package through its exports. */
const common = { bundle: true, format: "esm", target: "es2022", tsconfigRaw: {}, logLevel: "error" } as const

async function bundleWithEsbuild(): Promise<string> {
  const site = newSite("esbuild")
  await esbuild.build({
    ...common,
    minify: true,
    platform: "browser",
    entryPoints: [entry],
    outfile: join(site, "main.js"),
  })
  return site
}

/** The same work on Node, with the same build of the package. */
async function workOnNode(): Promise<Work> {
  const outfile = join(sites, "node.mjs")
  await esbuild.build({ ...common, platform: "node", entryPoints: [join(import.meta.dirname, "work.ts")], outfile })
  const bundled = (await import(outfile)) as { readonly work: typeof work }
  return bundled.work(2)
}

async function bundleWithVite(): Promise<string> {
  const site = newSite("vite")
  const build = {
    minify: true,
    emptyOutDir: false,
    outDir: site,
    target: "es2022",
    rolldownOptions: { input: entry, output: { entryFileNames: "main.js" } },
  }
  await vite.build({ root, configFile: false, logLevel: "error", publicDir: false, build })
  return site
}

type Told = Work & { readonly isolated: boolean; readonly turns: number }

async function open(site: string, isolated: boolean): Promise<Told> {
  const lines = await runPage(site, { isolated })
  expect(lines).toHaveLength(2)
  return JSON.parse(lines[0]!) as Told
}

describe.skipIf(!hasChromium())("in Chromium", () => {
  let onNode: Work
  beforeAll(async () => {
    await runWell(node, [join(root, "scripts", "build.mjs"), "--if-stale"], root)
    onNode = await workOnNode()
  }, 300_000)

  describe.each(Object.entries({ esbuild: bundleWithEsbuild, vite: bundleWithVite }))(
    "a page bundled by %s",
    (_, bundle) => {
      let site: string
      beforeAll(async () => {
        site = await bundle()
      })

      it("works on two lanes with isolation headers, with the bits and the text of Node", async () => {
        const { turns, ...told } = await open(site, true)
        expect(told).toEqual({ ...onNode, isolated: true, lanes: 2 })
        expect(turns).toBeGreaterThan(0)
      })

      it("works on the page's own thread without them, with the same bits and text", async () => {
        const { turns, ...told } = await open(site, false)
        expect(told).toEqual({ ...onNode, isolated: false, lanes: 1 })
        expect(turns).toBeGreaterThan(0)
      })
    },
  )
})
