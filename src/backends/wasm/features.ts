// What this engine's WebAssembly can do, found by validating tiny modules made with our own assembler, and the one flag
// we may set to get relaxed SIMD on Node 20. Nothing here runs at import.
import type { Platform } from "../../platform/platform.ts"
import { createModule, type FunctionBuilder } from "./assembler.ts"
import { webAssembly } from "./webassembly.ts"

export interface WasmFeatures {
  /** 128-bit SIMD: every kernel needs it. */
  readonly simd: boolean
  /** `f32x4.relaxed_madd`: the fast build needs it. */
  readonly relaxedSimd: boolean
  /** Atomics and a shared memory that can really be made: more than one lane needs them. */
  readonly threads: boolean
}

/** Asks the engine; the answer changes after {@link enableRelaxedSimd}. */
export function detectFeatures(): WasmFeatures {
  return {
    simd: accepts((f) => (f.f32x4.const(1), f.f32x4.sqrt(), f.drop())),
    relaxedSimd: accepts(
      (f) => (f.f32x4.const(1), f.f32x4.const(1), f.f32x4.const(1), f.f32x4.relaxedMadd(), f.drop()),
    ),
    threads: accepts((f) => f.atomicFence(), true) && canShareMemory(),
  }
}

/**
 * Makes relaxed SIMD available where a flag can do it: Node 20 only, because newer engines have it on and complain
 * about the flag. Call before the first module is compiled and before workers start.
 *
 * @param allowV8Flags  the caller's permission to change the engine's settings
 * @returns             whether relaxed SIMD validates afterwards
 */
export function enableRelaxedSimd(
  platform: Pick<Platform, "name" | "engine" | "setEngineFlag">,
  allowV8Flags: boolean,
): boolean {
  if (detectFeatures().relaxedSimd) return true
  const isNode20 = platform.name === "node" && platform.engine.startsWith("node 20.")
  if (!allowV8Flags || !isNode20) return false
  return platform.setEngineFlag("--experimental-wasm-relaxed-simd") && detectFeatures().relaxedSimd
}

function accepts(body: (f: FunctionBuilder) => void, shared = false): boolean {
  const module = createModule(shared ? { memory: { min: 1, max: 1, shared } } : {})
  module.function("probe", [], [], false, body)
  return webAssembly !== undefined && webAssembly.validate(module.bytes())
}

/** Browsers hide SharedArrayBuffer from pages that are not cross-origin isolated. */
function canShareMemory(): boolean {
  try {
    const memory = new webAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    return typeof SharedArrayBuffer === "function" && memory.buffer instanceof SharedArrayBuffer
  } catch {
    return false
  }
}
