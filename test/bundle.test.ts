// The library inside an application: bundled for the browser by esbuild and by Vite, without Node, small, and running.
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import * as esbuild from "esbuild"
import * as vite from "vite"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { hasChromium, runPage } from "./support/chromium.ts"
import { doorNames, emptyProject, installTarball } from "./support/package.ts"

/** What the door for running a model may weigh: minified, gzipped, with all it needs. */
const runningModelLimitBytes = 60_000

const { folder, remove } = emptyProject()

beforeAll(() => installTarball(folder), 300_000)
afterAll(remove)

/** A page's module: opens doors and says what it found. */
const consumer = (doors: readonly string[]): string => `
${doors.map((door, index) => `import * as door${index} from "${door}"`).join("\n")}
const counts = [${doors.map((_, index) => `Object.keys(door${index}).length`).join(", ")}]
console.log("doors " + counts.filter((count) => count > 0).length + " isolated " + globalThis.crossOriginIsolated)
console.log("done")
`

/** A page's module: makes a report of two steps, which is a chart of the loss and one of a result, each drawn twice. */
const reporter = `
import { reportHtml } from "kinglet/evaluate"
const training = [{ step: 1, tokens: 10, nats: 4 }, { step: 2, tokens: 20, nats: 3 }]
const run = { name: "run", training, result: { text: "text", bitsPerByte: 2 } }
const page = await reportHtml({ version: 1, title: "Report", runs: [run] })
console.log("drawings " + page.match(/role="img"/g).length)
console.log("done")
`

/** Modules by their path in the site, and the one that the page starts with. */
interface Bundle {
  readonly entry: string
  readonly files: Readonly<Record<string, string>>
}

const codeOf = ({ files }: Bundle): string => Object.values(files).join("\n")

async function bundleWithEsbuild(source: string): Promise<Bundle> {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: source, resolveDir: folder },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  })
  return { entry: "main.js", files: { "main.js": outputFiles[0]!.text } }
}

async function bundleWithVite(source: string): Promise<Bundle> {
  const project = join(folder, "vite")
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, "main.js"), source)
  writeFileSync(join(project, "index.html"), '<!doctype html><script type="module" src="./main.js"></script>')
  const built = await vite.build({ root: project, configFile: false, logLevel: "silent", build: { minify: true } })
  const { output } = built as vite.Rolldown.RolldownOutput
  const chunks = output.filter((file) => file.type === "chunk") // assets: programs of workers
  const files = Object.fromEntries(chunks.map(({ fileName, code }) => [fileName, code]))
  const bundle = { entry: chunks.find(({ isEntry }) => isEntry)!.fileName, files }
  // Vite does not refuse a module of Node: outside production it puts in a stand-in that throws with this sentence.
  const code = codeOf(bundle)
  if (code.includes("has been externalized")) throw new Error(`not for a browser: ${/`node:\w+`/.exec(code)?.[0]}`)
  return bundle
}

const bundlers = { esbuild: bundleWithEsbuild, vite: bundleWithVite }

describe.each(Object.entries(bundlers))("%s bundles for the browser,", (_, bundle) => {
  it.each(doorNames())("%s without a module of Node", async (door) => {
    const code = codeOf(await bundle(`import * as door from "${door}"; globalThis.kept = door`))
    expect(code.length).toBeGreaterThan(100)
    expect(code).not.toMatch(/["']node:/)
  })

  it("and refuses a module of Node", async () => {
    await expect(bundle('import * as fs from "node:fs"; globalThis.kept = fs')).rejects.toThrow(/node:fs/)
  })
})

it("an import that is not used leaves nothing behind", async () => {
  expect(codeOf(await bundleWithEsbuild('import * as everything from "kinglet"')).trim()).toBe("")
})

it("what draws reports is loaded when a report is made, not before", async () => {
  const { metafile } = await esbuild.build({
    stdin: { contents: 'import * as door from "kinglet/evaluate"; globalThis.kept = door', resolveDir: folder },
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    outdir: "out",
    logLevel: "silent",
  })
  const draws = (name: string) => Object.keys(metafile.outputs[name]!.inputs).some((path) => path.endsWith("/page.js"))
  const names = Object.keys(metafile.outputs)
  expect(names.filter(draws)).toHaveLength(1)
  const entry = names.find((name) => metafile.outputs[name]!.entryPoint === "<stdin>")!
  expect(atOnce(metafile.outputs, entry).filter(draws)).toEqual([])
})

/** A chunk and all that it imports before it runs. */
function atOnce(outputs: esbuild.Metafile["outputs"], name: string, seen = new Set<string>()): string[] {
  if (seen.has(name)) return []
  seen.add(name)
  const needed = outputs[name]!.imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path)
  return [name, ...needed.flatMap((path) => atOnce(outputs, path, seen))]
}

it(`the door for running a model weighs at most ${runningModelLimitBytes / 1000} kB gzipped`, async () => {
  const code = codeOf(await bundleWithEsbuild('import * as door from "kinglet/generate"; globalThis.kept = door'))
  const bytes = gzipSync(code, { level: 9 }).length
  console.info(`kinglet/generate: ${code.length} bytes minified, ${bytes} gzipped`)
  expect(bytes).toBeLessThanOrEqual(runningModelLimitBytes)
})

describe.skipIf(!hasChromium())("in Chromium", () => {
  async function runBundled(name: string, source: string, bundle: (source: string) => Promise<Bundle>) {
    const site = join(folder, name)
    const { entry, files } = await bundle(source)
    for (const [path, code] of Object.entries(files)) {
      mkdirSync(dirname(join(site, path)), { recursive: true })
      writeFileSync(join(site, path), code)
    }
    writeFileSync(join(site, "index.html"), `<!doctype html><script type="module" src="/${entry}"></script>`)
    return runPage(site)
  }

  it.each(Object.entries(bundlers))("a page bundled by %s opens every door", async (name, bundle) => {
    const lines = await runBundled(`doors-${name}`, consumer(doorNames()), bundle)
    expect(lines).toEqual([`doors ${doorNames().length} isolated true`, "done"])
  })

  it.each(Object.entries(bundlers))("a page bundled by %s makes a report", async (name, bundle) => {
    expect(await runBundled(`report-${name}`, reporter, bundle)).toEqual(["drawings 4", "done"])
  })
})
