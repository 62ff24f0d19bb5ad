// The package from outside: what `npm install` brings, and that every door works for each engine and compiler we name.
import { readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { noticesFile } from "../scripts/notices.mjs"
import {
  bytesBelow,
  doorNames,
  emptyProject,
  fetchTool,
  filesBelow,
  installedPackages,
  installTarball,
  node,
  root,
  run,
  runWell,
} from "./support/package.ts"

const { folder, remove } = emptyProject()
const installed = join(folder, "node_modules", "kinglet")

beforeAll(() => installTarball(folder), 300_000)
afterAll(remove)

describe("what is installed", () => {
  it("at most 12 packages", () => {
    const names = Object.keys(installedPackages(folder))
    console.info(`installed packages: ${names.length}: ${names.map((path) => path.slice(13)).join(", ")}`)
    expect(names.length).toBeLessThanOrEqual(12)
  })

  it("at most 6 MB", () => {
    const bytes = bytesBelow(join(folder, "node_modules"))
    console.info(`installed bytes: ${bytes}, kinglet's own ${bytesBelow(installed)}`)
    expect(bytes).toBeLessThanOrEqual(6e6)
  })

  it("nothing runs at install", () => {
    const withScript = Object.entries(installedPackages(folder)).filter(([, { hasInstallScript }]) => hasInstallScript)
    expect(withScript).toEqual([])
  })

  it("no module waits at its top level", () => {
    const waiting = filesBelow(installed).filter(
      (path) => path.endsWith(".js") && awaitsAtTop(readFileSync(path, "utf8")),
    )
    expect(waiting.map((path) => basename(path))).toEqual([])
  })

  it("no test, source or machine path goes along", () => {
    const files = filesBelow(installed)
    expect(files.filter((path) => /\.test\.|fixtures|(?<!\.d)\.ts$/.test(path))).toEqual([])
    expect(files.filter((path) => readFileSync(path, "utf8").includes(root))).toEqual([])
  })
})

it("the licenses of what is bundled go along", () => {
  const text = readFileSync(join(installed, "dist", noticesFile), "utf8")
  const modules = filesBelow(installed).filter((path) => path.endsWith(".js"))
  const code = modules.map((path) => readFileSync(path, "utf8")).join("\n")
  const bundled = new Set(
    [...code.matchAll(/^\/\/#region node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(([, name]) => name),
  )
  expect(bundled).toContain("@observablehq/plot")
  for (const name of bundled) expect(text).toMatch(new RegExp(`^## ${name} `, "m"))
})

describe("the lock file", () => {
  const text = readFileSync(join(root, "package-lock.json"), "utf8")
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>
  }

  it("names no registry", () => {
    expect(text).not.toContain('"resolved"')
  })

  it("holds the builds of its tools for every system, or `npm ci` refuses it (node scripts/lock.mjs)", () => {
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    const locked = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)))
    expect(wanted.filter((name) => !locked.has(name))).toEqual([])
  })
})

describe("the top-level await detector", () => {
  it.each([
    ["await x", true],
    ["for await (const a of b) a()", true],
    ["if (a) { const b = await c() }", true],
    ["await using a = b()", true],
    ["class A { static { f(async () => { await x }) } }", false],
    ["async function f() { await x; for await (const a of b) a() }", false],
    ["const f = async () => await x", false],
    ["class A { async f() { await x; await using a = b } }", false],
  ])("%s: %s", (code, expected) => {
    expect(awaitsAtTop(code)).toBe(expected)
  })
})

const imports = `
const doors = ${JSON.stringify(doorNames())}
for (const door of doors) {
  const names = Object.keys(await import(door))
  console.log(door + " " + names.length)
}
`

async function expectDoorsToOpen(engine: string): Promise<void> {
  writeFileSync(join(folder, "doors.js"), imports)
  const { status, stdout, stderr } = await run(engine, ["doors.js"], folder)
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
  const counts = stdout.trim().split("\n")
  expect(counts.map((line) => line.split(" ")[0])).toEqual(doorNames())
  expect(counts.filter((line) => line.endsWith(" 0"))).toEqual([])
}

async function expectCommandToAnswer(engine: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }
  const stdout = await runWell(engine, [join(folder, "node_modules", ".bin", "kinglet"), "--version"], folder)
  expect(stdout.trim()).toBe(version)
}

describe("plain JavaScript imports every door, silently, and `kinglet --version` answers", () => {
  it("on this Node", async () => {
    await expectDoorsToOpen(node)
    await expectCommandToAnswer(node)
  })

  const others = [20, 22, 24].filter((major) => !process.versions.node.startsWith(`${major}.`))
  it.for(others)("on Node %i", { timeout: 300_000 }, async (major, { skip }) => {
    const tool = await fetchTool(`node@${major}`)
    if (tool === undefined) return skip("this Node could not be installed")
    const engine = join(tool, "bin", "node")
    expect(await runWell(engine, ["--version"], folder)).toMatch(new RegExp(`^v${major}\\.`))
    await expectDoorsToOpen(engine)
    await expectCommandToAnswer(engine)
  })
})

const consumer = doorNames()
  .map(
    (door, index) => `import * as door${index} from "${door}"\nexport const keys${index} = Object.keys(door${index})`,
  )
  .join("\n")

const strict = { strict: true, target: "es2022", skipLibCheck: false, noEmit: true, types: [] }
const settings: Record<string, object> = {
  nodenext: { ...strict, module: "nodenext", moduleResolution: "nodenext" },
  bundler: { ...strict, module: "esnext", moduleResolution: "bundler" },
  "nodenext, Node's types and no DOM": {
    ...strict,
    module: "nodenext",
    moduleResolution: "nodenext",
    lib: ["es2022"],
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
  },
}

async function expectToCompile(compiler: string, name: string): Promise<void> {
  const file = join(folder, `tsconfig.${Object.keys(settings).indexOf(name)}.json`)
  writeFileSync(join(folder, "consumer.ts"), consumer)
  writeFileSync(file, JSON.stringify({ compilerOptions: settings[name], files: ["consumer.ts"] }))
  const { stdout } = await run(node, [join(compiler, "bin", "tsc"), "-p", file], folder)
  expect(stdout).toBe("")
}

describe("TypeScript reads the declarations of every door, libraries checked", () => {
  it.each(Object.keys(settings))("6, %s", (name) => expectToCompile(join(root, "node_modules", "typescript"), name))

  it.for(Object.keys(settings))("5.6, %s", { timeout: 300_000 }, async (name, { skip }) => {
    const compiler = await fetchTool("typescript@~5.6")
    if (compiler === undefined) return skip("this compiler could not be installed")
    await expectToCompile(compiler, name)
  })
})

it("a door's declarations name exactly the values its module exports", async () => {
  const code = `console.log(JSON.stringify(await Promise.all(${JSON.stringify(doorNames())}.map(async (door) =>
    [door, Object.keys(await import(door))]))))`
  const exported = JSON.parse(await runWell(node, ["--input-type=module", "--eval", code], folder)) as [
    string,
    string[],
  ][]
  for (const [door, names] of exported) expect(declaredValues(door), door).toEqual(names.toSorted())
})

/** Names of the values, types left out, that the installed declarations of a door promise. */
function declaredValues(door: string): string[] {
  const path = join(installed, "dist", door.slice("kinglet".length), "index.d.ts")
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] }
  const program = ts.createProgram([path], options)
  const checker = program.getTypeChecker()
  const resolve = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  return checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)!)!)
    .filter((symbol) => resolve(symbol).flags & ts.SymbolFlags.Value)
    .map((symbol) => symbol.name)
    .toSorted()
}

/** True when `code` holds an `await` that no function encloses. */
function awaitsAtTop(code: string): boolean {
  const visit = (node: ts.Node): boolean => {
    if (ts.isFunctionLike(node)) return false
    if (ts.isAwaitExpression(node)) return true
    if (ts.isForOfStatement(node) && node.awaitModifier !== undefined) return true
    if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing)
      return true
    return ts.forEachChild(node, visit) ?? false
  }
  return visit(ts.createSourceFile("module.js", code, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS))
}
