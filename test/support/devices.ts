// Every device the laws are tested on: the reference, and wasm with one lane on the calling thread and 1, 2 and 3 workers,
// strict (plain SIMD) and fast (relaxed SIMD), and with every product through the system's BLAS. A device that this machine lacks is skipped aloud.
import { platform } from "#platform"
import { type Device, detectFeatures, openDevice, openReferenceDevice } from "../../src/backends/index.ts"

export interface TestDevice {
  readonly name: string
  open(): Promise<Device>
}

// Node 20 has relaxed SIMD behind a flag; newer engines complain about the flag and need none.
if (!detectFeatures().relaxedSimd && platform.engine.startsWith("node 20."))
  platform.setEngineFlag("--experimental-wasm-relaxed-simd")

const { relaxedSimd, threads } = detectFeatures()
if (!relaxedSimd) console.warn("skipped: this engine has no relaxed SIMD, the fast build is not tested")
if (!threads) console.warn("skipped: this engine cannot share memory, several lanes are not tested")

const { missing: noBlas } = platform.findBlas()
if (noBlas !== undefined) console.warn(`skipped: ${noBlas}, products through a BLAS are not tested`)

const builds = relaxedSimd ? [{ strict: true }, { strict: false }] : [{ strict: true }]
const wasmDevices: TestDevice[] = builds.flatMap(({ strict }) => {
  const build = strict ? "strict" : "fast"
  const local = {
    name: `wasm ${build}, calling thread`,
    open: () => openDevice({ kind: "wasm", local: true, strict, blas: "off" }),
  }
  const workers = (threads ? [1, 2, 3] : []).map((lanes) => ({
    name: `wasm ${build}, ${lanes} lanes`,
    open: () => openDevice({ kind: "wasm", lanes, strict, blas: "off" }),
  }))
  return [local, ...workers]
})

// As the command line opens it: optimized code from the start, and 256-bit code where V8 can make it (Node 24 and newer).
const flagged: TestDevice = {
  name: "wasm fast, optimized at once",
  open: () => openDevice({ ...(threads ? { lanes: 2 } : {}), allowV8Flags: true, blas: "off" }),
}

const blasDevices: TestDevice[] = [
  { name: "wasm with BLAS, calling thread", open: () => openDevice({ local: true, blas: "always" }) },
  ...(threads ? [2, 3] : []).map((lanes) => ({
    name: `wasm with BLAS, ${lanes} lanes`,
    open: () => openDevice({ lanes, blas: "always" }),
  })),
]

export const devices: readonly TestDevice[] = [
  { name: "reference", open: async () => openReferenceDevice() },
  ...wasmDevices,
  ...(relaxedSimd ? [flagged] : []),
  ...(noBlas === undefined ? blasDevices : []),
]
