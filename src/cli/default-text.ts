// The text `kinglet start` trains on when none is given: real text that is on the machine once a clone is set up. Chosen by
// measurement (LOG.md): the documentation comments inside @types/node and the Markdown of the toolchain, changelogs left
// out, are 2.2 MB of English prose with code examples once paragraphs that repeat an earlier one (7 %) are left out.

import { type FileSystem, platform } from "#platform"
import { DataError } from "../core/index.ts"
import { type DataSource, documents } from "../data/index.ts"

const NAME = "node-docs"
const NODE_TYPES = "@types/node"
/** Lists of changes, legal texts and notices repeat one another and read like nothing else. */
const NOT_PROSE = /change|history|licen[cs]e|notice|security|conduct|migrat/i

/**
 * Documents of the default text, read anew for each pass.
 *
 * @param root  folder of this package
 * @throws DataError  where the package was installed without its tools
 */
export async function defaultText(root: string | undefined): Promise<DataSource> {
  const files = platform.files!
  const modules = root === undefined ? undefined : files.join(root, "node_modules")
  const types = modules === undefined ? undefined : files.join(modules, ...NODE_TYPES.split("/"))
  if (modules === undefined || types === undefined || !(await files.exists(types)))
    throw new DataError(
      "there is no default text here: it is the documentation of the tools in a clone of Kinglet",
      "name a text of your own: npx kinglet start book.txt",
    )
  return documents(() => readAll(files, modules, types), NAME)
}

/** Shorter paragraphs ("Default: true") may repeat. */
const LEAST_REPEAT = 40

/** Leaves out paragraphs seen before: the same sentence on both sides of a split proves nothing. */
function withoutRepeats(): (text: string) => string {
  const seen = new Set<string>()
  const isNew = (paragraph: string): boolean => {
    const words = paragraph.replace(/\s+/g, " ")
    if (seen.has(words)) return false
    if (words.length >= LEAST_REPEAT) seen.add(words)
    return true
  }
  return (text) =>
    text
      .split(/\n\s*\n/)
      .filter(isNew)
      .join("\n\n")
      .trim()
}

async function* readAll(
  files: FileSystem,
  modules: string,
  types: string,
): AsyncGenerator<{ id: string; text: string }> {
  const unrepeated = withoutRepeats()
  for (const path of await files.glob([types], { extensions: [".d.ts"] })) {
    const text = unrepeated(documentation(await files.readText(path)))
    if (text !== "") yield { id: idOf(path, modules), text }
  }
  for (const path of await markdownFiles(files, modules)) {
    const text = unrepeated(await files.readText(path))
    if (text !== "") yield { id: idOf(path, modules), text }
  }
}

const idOf = (path: string, modules: string): string => path.slice(modules.length + 1).replaceAll("\\", "/")

/** One version of each package: what lies in a second node_modules is a copy. */
async function markdownFiles(files: FileSystem, modules: string): Promise<string[]> {
  const found = await files.glob([modules], { extensions: [".md"] })
  return found.filter((path) => {
    const id = idOf(path, modules)
    return !id.includes("node_modules/") && !id.startsWith(".") && !NOT_PROSE.test(files.basename(path))
  })
}

/** The documentation comments of a declaration file, without stars and tags' braces, a blank line between two. */
export function documentation(declarations: string): string {
  const comments = [...declarations.matchAll(/\/\*\*([\s\S]*?)\*\//g)].map(([, comment]) =>
    comment!.replace(/^[ \t]*\*[ \t]?/gm, "").trim(),
  )
  return comments.filter((comment) => comment !== "").join("\n\n")
}
