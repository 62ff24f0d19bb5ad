// Completes package-lock.json after a change of dependencies: `npm install`, then `node scripts/lock.mjs`. A registry
// mirror may lack the builds of some tools for other systems; npm then leaves them out of the lock, and `npm ci` refuses it
// everywhere. Their versions are pinned by the tool itself, and their names say for which system they are.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./setup.mjs"

const path = join(root, "package-lock.json")
const lock = JSON.parse(readFileSync(path, "utf8"))

/** True when `name`, required by the package at `from`, is found there or in a folder above. */
function isLocked(from, name) {
  const inside = `${from}/node_modules/${name}`
  if (lock.packages[inside] || lock.packages[`node_modules/${name}`]) return true
  const above = from.lastIndexOf("/node_modules/")
  return above > 0 && isLocked(from.slice(0, above), name)
}

/** What the parts of `@tool/binding-linux-arm-musleabihf` say: `{ os, cpu, libc }`. */
function systemOf(name) {
  const parts = name.split(/[/-]/)
  const os = ["aix", "android", "darwin", "freebsd", "linux", "openharmony", "win32"].filter((each) =>
    parts.includes(each),
  )
  const cpu = ["arm", "arm64", "ia32", "ppc64", "riscv64", "s390x", "x64"].filter((each) => parts.includes(each))
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name}: which system is this for?`)
  const libc = parts.some((part) => part.startsWith("musl")) ? ["musl"] : ["glibc"]
  return { os, cpu, ...(os[0] === "linux" ? { libc } : {}) }
}

for (const [from, { optionalDependencies = {}, dev }] of Object.entries(lock.packages))
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(from, name)) continue
    const { os, cpu, libc } = systemOf(name)
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev ? { dev } : {}),
      ...(libc ? { libc } : {}),
      optional: true,
      os,
    }
    console.log(`added ${name} ${version}`)
  }

lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`)
