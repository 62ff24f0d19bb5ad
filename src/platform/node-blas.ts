/// <reference types="node" />
// A BLAS of the system, reached through koffi where both are there. The library is set to one thread before its first
// product: every lane calls it on a slice of its own, and threads that it started would fight with the lanes.
import { createRequire } from "node:module"
import { join } from "node:path"
import { compileFunction } from "node:vm"
import type { Blas, FoundBlas, Sgemm } from "./platform.ts"

/** What the dynamic linker is asked for, best first; `KINGLET_BLAS` names another library, or `off`. */
const LIBRARIES: { readonly [system: string]: readonly string[] } = {
  linux: ["libopenblas.so.0", "libmkl_rt.so.2", "libblis.so.4"],
  darwin: ["/System/Library/Frameworks/Accelerate.framework/Accelerate", "libopenblas.dylib"],
  win32: ["libopenblas.dll", "mkl_rt.2.dll"],
}

/**
 * How each library is kept on the thread that calls it; known by that function. OpenBLAS and BLIS were tried on Linux, the
 * others follow their manuals.
 */
const MAKES = [
  {
    name: "OpenBLAS",
    setThreads: "void openblas_set_num_threads(int)",
    about: ["char *openblas_get_config()", "char *openblas_get_corename()"],
  },
  { name: "MKL", setThreads: "void MKL_Set_Num_Threads(int)", about: [] },
  { name: "BLIS", setThreads: "void bli_thread_set_num_threads(int64_t)", about: ["char *bli_info_get_version_str()"] },
  { name: "Accelerate", setThreads: "int BLASSetThreading(unsigned int)", about: [] },
] as const

/** The part of koffi that is used. */
interface Koffi {
  load(path: string): { func(prototype: string): (...args: number[]) => unknown }
}

/**
 * `cblas_sgemm` as a function of a memory; an expression in which `require` is Node's. The base address is asked for once, and
 * again only when the buffer is another: a shared memory never moves, one that is not shared may when it grows.
 */
const bindSource = (koffi: string, library: string): string => `(() => {
  const koffi = require(${JSON.stringify(koffi)})
  const sgemm = koffi.load(${JSON.stringify(library)}).func(
    "void cblas_sgemm(int order, int transA, int transB, int m, int n, int k, float alpha, " +
      "uintptr_t a, int lda, uintptr_t b, int ldb, float beta, uintptr_t c, int ldc)",
  )
  const [ROW_MAJOR, PLAIN, TRANSPOSED] = [101, 111, 112]
  return (memory) => {
    let buffer
    let base = 0
    return (transA, transB, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
      if (memory.buffer !== buffer) {
        buffer = memory.buffer
        base = Number(koffi.address(new Uint8Array(buffer)))
      }
      sgemm(
        ROW_MAJOR, transA ? TRANSPOSED : PLAIN, transB ? TRANSPOSED : PLAIN, m, n, k, 1,
        base + (a >>> 0), lda, base + (b >>> 0), ldb, beta, base + (c >>> 0), ldc,
      )
    }
  }
})()`

let found: FoundBlas | undefined

/** Looks once in a process: a library stays loaded anyway. */
export const findBlas = (): FoundBlas => (found ??= search(process.env["KINGLET_BLAS"]))

function search(wanted: string | undefined): FoundBlas {
  if (wanted === "off") return { missing: "switched off by KINGLET_BLAS=off" }
  const koffi = resolveKoffi()
  if (koffi === undefined) return { missing: "the package koffi is not installed" }
  const candidates = wanted ? [wanted] : (LIBRARIES[process.platform] ?? [])
  const errors: string[] = []
  for (const library of candidates)
    try {
      return { blas: connect(koffi, library) }
    } catch (error) {
      errors.push((error as Error).message.split("\n")[0]!)
    }
  const names = wanted ? `KINGLET_BLAS=${wanted}` : candidates.join(", ")
  return { missing: `${names} cannot be used${errors[0] ? `: ${errors[0]}` : ""}` }
}

/** koffi beside Kinglet, or beside the program that is run. */
function resolveKoffi(): string | undefined {
  for (const from of [import.meta.url, join(process.cwd(), "package.json")])
    try {
      return createRequire(from).resolve("koffi")
    } catch {}
  return undefined
}

/** @throws Error  if the library, or its `cblas_sgemm`, is not there */
function connect(koffiPath: string, path: string): Blas {
  const require = createRequire(import.meta.url)
  const source = bindSource(koffiPath, path)
  const name = withoutOwnThreads(() => describe(require(koffiPath) as Koffi, path))
  const bind = compileFunction(`return ${source}`, ["require"])(require) as (memory: object) => Sgemm
  return { name, bind, bindSource: source }
}

/** OpenBLAS starts its threads when it is loaded, unless the environment says how many; our own setting comes after that. */
function withoutOwnThreads<T>(load: () => T): T {
  const name = "OPENBLAS_NUM_THREADS"
  const before = process.env[name]
  process.env[name] = "1"
  try {
    return load()
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}

/** Loads the library, sets it to one thread, and says what it is: `OpenBLAS 0.3.21 Cooperlake`; the path of an unknown make. */
function describe(koffi: Koffi, path: string): string {
  const library = koffi.load(path)
  for (const { name, setThreads, about } of MAKES)
    try {
      library.func(setThreads)(1)
      const words = about.map((prototype) => String(library.func(prototype)()))
      return [name, words[0]?.match(/\d+(\.\d+)+/)?.[0], words[1]].filter(Boolean).join(" ")
    } catch {}
  return path
}
