// Laws of the system's BLAS: what is found computes on a WebAssembly memory, starts no thread, and may be refused.
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { platform } from "./node.ts"

const { blas, missing } = platform.findBlas()
if (missing !== undefined) console.warn(`skipped: ${missing}, products through a BLAS are not tested`)

const folder = mkdtempSync(join(tmpdir(), "kinglet-blas-"))
const bundle = join(folder, "node-blas.mjs")
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(() =>
  build({ entryPoints: ["src/platform/node-blas.ts"], outfile: bundle, bundle: true, format: "esm", platform: "node" }),
)

/** What a fresh process in the repository prints, where koffi can be found from the working directory only. */
function inProcess(source: string, environment: NodeJS.ProcessEnv = {}): string {
  const program = `import { findBlas } from ${JSON.stringify(bundle)}\n${source}`
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...process.env, ...environment },
    encoding: "utf8",
  })
  return stdout.trim() + stderr
}

describe("what is not found says why", () => {
  const tell = "console.log(findBlas().missing)"

  it("KINGLET_BLAS=off", () => {
    expect(inProcess(tell, { KINGLET_BLAS: "off" })).toBe("switched off by KINGLET_BLAS=off")
  })

  it("a library that is not there, by its name", () => {
    const said = inProcess(tell, { KINGLET_BLAS: "/nowhere/libblas.so" })
    expect(said).toMatch(/^KINGLET_BLAS=\/nowhere\/libblas.so cannot be used: \S/)
  })

  it("every library asked for, and the linker's own words", () => {
    const said = inProcess(`Object.defineProperty(process, "platform", { value: "win32" })\n${tell}`)
    expect(said).toMatch(/^libopenblas.dll, mkl_rt.2.dll cannot be used: \S/)
  })

  it("koffi, where it is not installed", () => {
    expect(inProcess(`process.chdir(${JSON.stringify(folder)})\n${tell}`)).toBe("the package koffi is not installed")
  })
})

describe.skipIf(blas === undefined)("what is found", () => {
  it("multiplies on a memory at any address, even when the memory has grown, and beyond 2 GiB", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65535 })
    const sgemm = blas!.bind(memory)
    for (const [pages, address] of [
      [0, 64],
      [100, 6_000_000],
      [32_768, 2 ** 31 + 64],
    ] as const) {
      memory.grow(pages)
      const floats = new Float32Array(memory.buffer, address, 16)
      floats.set([1, 2, 3, 4, 5, 6, 7, 8, 10, 10, 10, 10])
      // As WebAssembly hands it over: signed. [2, 2] · [2, 2]ᵀ + C
      sgemm(0, 1, 2, 2, 2, address | 0, 2, (address + 16) | 0, 2, 1, (address + 32) | 0, 2)
      expect([...floats.slice(8, 12)]).toEqual([27, 33, 49, 63])
    }
  })

  it("starts no thread, whatever the environment says, and leaves the environment as it was", () => {
    const source = `
      import { readFileSync } from "node:fs"
      const threads = () => Number(/Threads:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0)
      const before = threads()
      const memory = new WebAssembly.Memory({ initial: 64, maximum: 64 })
      findBlas().blas.bind(memory)(0, 0, 512, 512, 512, 0, 512, 0, 512, 0, 1_100_000, 512)
      console.log(threads() - before, process.env.OPENBLAS_NUM_THREADS)`
    expect(inProcess(source, { OPENBLAS_NUM_THREADS: "8" })).toBe("0 8")
  })
})
