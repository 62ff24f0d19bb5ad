// The order of the rooms as a function: sources in, violations out. The laws themselves are in architecture.test.ts.
import { posix } from "node:path"
import ts from "typescript"

/** Imports go left only. */
export const rooms = [
  "core",
  "platform",
  "formats",
  "tokenizer",
  "tensor",
  "backends",
  "nn",
  "models",
  "optim",
  "data",
  "generate",
  "evaluate",
  "train",
  "plan",
  "adapt",
  "quantize",
  "artifact",
  "study",
  "serve",
  "cli",
]

/** The packages a room may import; a room not named here imports none. Those of evaluate are bundled. */
const packagesOfRoom: Record<string, readonly string[]> = {
  platform: ["tinyglobby"],
  evaluate: ["@observablehq/plot", "@xmldom/xmldom"],
  cli: ["commander", "@commander-js/extra-typings", "picocolors"],
}

/** Globals of one host only; `#platform` stands for them elsewhere. */
const hostGlobals = new Set(["process", "Buffer", "navigator", "require", "__dirname", "__filename"])

/** Source texts by path from the root: `src/core/math.ts`. */
export type Sources = Readonly<Record<string, string>>

interface Import {
  readonly path: string
  readonly isTypeOnly: boolean
}

interface ReadFile {
  readonly path: string
  /** `undefined` for src/index.ts, which is every room's roof. */
  readonly room: string | undefined
  readonly imports: readonly Import[]
  readonly hostGlobals: readonly string[]
}

/** Every breach of the order, one sentence each, tests beside the sources left out. */
export function violations(sources: Sources): string[] {
  const files = Object.entries(sources)
    .filter(([path]) => !path.endsWith(".test.ts"))
    .map(([path, text]) => read(path, text))
  return [
    ...files.flatMap((file) => file.imports.flatMap((each) => importViolations(file, each))),
    ...files.flatMap((file) => hostViolations(file)),
    ...cycles(files),
  ]
}

function importViolations(file: ReadFile, { path, isTypeOnly }: Import): string[] {
  if (path === "#platform") return isBelow("platform", file.room) ? [] : [`${file.path}: may not import #platform`]
  if (path.startsWith(".")) return relativeViolations(file, path, isTypeOnly)
  if (path.startsWith("node:")) return file.room === "platform" ? [] : [`${file.path}: ${path} outside platform`]
  const allowed = packagesOfRoom[file.room ?? ""] ?? []
  return allowed.includes(path) ? [] : [`${file.path}: package "${path}" is not on the list of this room`]
}

function relativeViolations(file: ReadFile, path: string, isTypeOnly: boolean): string[] {
  const target = resolve(file.path, path)
  const room = roomOf(target)
  const door = `src/${room}/index.ts`
  if (!path.endsWith(".ts")) return [`${file.path}: "${path}" must end with .ts`]
  if (room === undefined) return [`${file.path}: ${target} is not in a room`]
  if (room === file.room) return target === door ? [`${file.path}: imports its own room's door`] : []
  if (!isBelow(room, file.room)) return [`${file.path}: ${room} is not below ${file.room}`]
  if (room === "platform")
    return target === "src/platform/platform.ts" && isTypeOnly
      ? []
      : [`${file.path}: platform is entered by "#platform", or for types by platform/platform.ts`]
  return target === door ? [] : [`${file.path}: enters ${room} by ${target}, not by its door`]
}

function hostViolations(file: ReadFile): string[] {
  if (file.room === "platform") return []
  return file.hostGlobals.map((name) => `${file.path}: ${name} outside platform`)
}

/** Circles of imports, types included, each said once: `a.ts -> b.ts -> a.ts`. */
function cycles(files: readonly ReadFile[]): string[] {
  const targets = new Map(files.map((file) => [file.path, relativeTargets(file)]))
  const found: string[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push(`circle: ${[...trail.slice(start), path].join(" -> ")}`)
    if (start >= 0 || done.has(path)) return
    for (const target of targets.get(path) ?? []) walk(target, [...trail, path])
    done.add(path)
  }
  for (const path of targets.keys()) walk(path, [])
  return found
}

const relativeTargets = (file: ReadFile): string[] =>
  file.imports.filter(({ path }) => path.startsWith(".")).map(({ path }) => resolve(file.path, path))

const resolve = (from: string, path: string): string => posix.join(posix.dirname(from), path)

const isBelow = (room: string, other: string | undefined): boolean =>
  other === undefined || rooms.indexOf(room) < rooms.indexOf(other)

function roomOf(path: string): string | undefined {
  const [src, room, ...rest] = path.split("/")
  return src === "src" && rest.length > 0 && rooms.includes(room!) ? room : undefined
}

function read(path: string, text: string): ReadFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const imports: Import[] = []
  const identifiers: ts.Identifier[] = []
  const visit = (node: ts.Node): void => {
    const found = importOf(node)
    if (found !== undefined) imports.push(found)
    if (ts.isIdentifier(node) && hostGlobals.has(node.text)) identifiers.push(node)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  const declared = new Set(identifiers.filter(isDeclaration).map((each) => each.text))
  const used = identifiers.filter((each) => isGlobalUse(each) && !declared.has(each.text)).map((each) => each.text)
  return { path, room: roomOf(path), imports, hostGlobals: [...new Set(used)] }
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node))
    return named(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) return named(node.moduleSpecifier, node.isTypeOnly)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return named(node.argument.literal, true)
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0])
    return named(node.arguments[0], false)
  return undefined
}

/** A path that is computed is no import that could be checked: it reads as the package "(computed)", which no room may have. */
const named = (node: ts.Node, isTypeOnly: boolean): Import => ({
  path: ts.isStringLiteralLike(node) ? node.text : "(computed)",
  isTypeOnly,
})

const isDeclaration = (node: ts.Identifier): boolean =>
  (ts.isVariableDeclaration(node.parent) ||
    ts.isParameter(node.parent) ||
    ts.isBindingElement(node.parent) ||
    ts.isFunctionDeclaration(node.parent) ||
    ts.isImportSpecifier(node.parent)) &&
  node.parent.name === node

/** `process`, `globalThis.process`, `self.navigator`; not `run.process` or `{ process: 1 }`. */
function isGlobalUse(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) && parent.name === node)
    return ts.isIdentifier(parent.expression) && ["globalThis", "self", "window"].includes(parent.expression.text)
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false
  return !("name" in parent && parent.name === node) || ts.isShorthandPropertyAssignment(parent)
}
