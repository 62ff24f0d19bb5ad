// Whose code goes along: a plugin of the build that writes the licenses of all packages bundled into dist/, as they ask for,
// from what is really in the chunks.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

export const noticesFile = "THIRD-PARTY-NOTICES.md"

export function notices() {
  return {
    name: "notices",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter(({ type }) => type === "chunk")
      const packages = new Map(
        chunks
          .flatMap(bundledFiles)
          .map((path) => packageOf(path))
          .map((each) => [each.name, each]),
      )
      const sorted = [...packages.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
      if (sorted.length > 0) this.emitFile({ type: "asset", fileName: noticesFile, source: textOf(sorted) })
    },
  }
}

/** Files of packages that left code in a chunk. */
function bundledFiles({ modules }) {
  return Object.entries(modules)
    .filter(([id, { renderedLength }]) => id.includes("/node_modules/") && renderedLength > 0)
    .map(([id]) => id.replace(/^\0/, "").replace(/\?.*$/, ""))
}

/** The package a file belongs to: the nearest folder above it that names one. */
function packageOf(path) {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, "package.json")
    const { name, version, license } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : {}
    if (name !== undefined && version !== undefined) return { name, version, license, text: licenseIn(folder) }
  }
  throw new Error(`${path} belongs to no package`)
}

function licenseIn(folder) {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
  if (file === undefined) throw new Error(`${folder} brings no license: it cannot be bundled`)
  return readFileSync(join(folder, file), "utf8").trim()
}

const textOf = (packages) => `# Third-party notices

This package contains code of the following packages; their licenses follow.

${packages.map(({ name, version, license, text }) => `## ${name} ${version} (${license})\n\n${text.replace(/^/gm, "    ")}\n`).join("\n")}`
