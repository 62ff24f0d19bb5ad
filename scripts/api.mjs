// `npm run api`: writes api.md, the declarations of every door, from the built .d.ts files; `--check` fails when the
// committed one is behind. The root's names that another door holds are listed there by name only.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { doors } from "./doors.mjs"
import { checkEngine, ensureBuilt, ensureInstalled, root, say } from "./setup.mjs"

checkEngine()
ensureInstalled()
ensureBuilt()

const { default: ts } = await import("typescript")
const printer = ts.createPrinter({ removeComments: true })
const paths = new Map([
  ...doors.map((door) => [`kinglet/${door}`, `dist/${door}/index.d.ts`]),
  ["kinglet", "dist/index.d.ts"],
])
const files = [...paths.values()].map((path) => join(root, path))
const program = ts.createProgram(files, {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  noEmit: true,
  types: [],
})
const checker = program.getTypeChecker()

/** Exported names of a door with what they stand for, sorted by name. */
function exportsOf(path) {
  const file = program.getSourceFile(join(root, path))
  const module = file && checker.getSymbolAtLocation(file)
  if (module === undefined) return []
  return checker
    .getExportsOfModule(module)
    .map((symbol) => [symbol.name, symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol])
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** A declaration as TypeScript would print it, on lines of its own, comments left out. */
function declarationText(declaration) {
  // A variable's own node lacks its `const`.
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const text = printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
  return text.replace(/^(export |declare )+/, "").replaceAll(/^( {4})+/gm, (spaces) => spaces.slice(spaces.length / 2))
}

const block = (symbol) => (symbol.declarations ?? []).map(declarationText).join("\n")

/** Where a symbol is printed: the first door that exports it, the root last. */
const homes = new Map()

function section(name, path) {
  const exported = exportsOf(path)
  const own = exported.filter(([, symbol]) => !homes.has(symbol))
  const elsewhere = groupBy(
    exported.filter(([, symbol]) => homes.has(symbol)),
    ([, symbol]) => homes.get(symbol),
  )
  for (const [, symbol] of own) homes.set(symbol, name)
  const lists = [...elsewhere].map(
    ([home, pairs]) => `From \`${home}\`: ${pairs.map(([each]) => `\`${each}\``).join(", ")}.\n`,
  )
  const code = own.length === 0 ? [] : [`\`\`\`ts\n${own.map(([, symbol]) => block(symbol)).join("\n\n")}\n\`\`\`\n`]
  return [`## ${name}\n`, ...lists, ...code].join("\n")
}

function groupBy(items, keyOf) {
  const groups = new Map()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

const sections = [...paths].map(([name, path]) => section(name, path))
const text = `# The public face of Kinglet

Every declaration of every door, generated from the build by \`npm run api\`; do not edit. What is not here is private.

${[sections.at(-1), ...sections.slice(0, -1)].join("\n")}`

const target = join(root, "api.md")
const readOrNothing = () => {
  try {
    return readFileSync(target, "utf8")
  } catch {
    return undefined
  }
}

if (!process.argv.includes("--check")) writeFileSync(target, text)
else if (readOrNothing() !== text) {
  say("api.md does not say what the doors export. Run: npm run api, and look at the difference before committing it.")
  process.exitCode = 1
}
