// The wasm backend: a device owns lanes and build choices; a workspace owns one WebAssembly memory.

import { platform } from "#platform"
import { DeviceError } from "../../core/index.ts"
import type { Device } from "../backend.ts"
import { detectFeatures, enableRelaxedSimd } from "./features.ts"
import { type LanePool, openLanes, openLocalLane } from "./lanes.ts"
import { createWasmWorkspace } from "./workspace.ts"

export interface WasmDeviceOptions {
  /** Workers that share each step; the number of cores when not given. 1 lane of `local` runs on the calling thread. */
  readonly lanes?: number
  /** Runs on the calling thread, one lane, no worker: for models whose steps take a few milliseconds. */
  readonly local?: boolean
  /** Same bits on every machine: no fused multiply-add. */
  readonly strict?: boolean
  /** Lets the library set V8's flags: relaxed SIMD on Node 20, optimized code from the first step. */
  readonly allowV8Flags?: boolean
}

/**
 * Opens lanes on this machine's CPU.
 *
 * @throws DeviceError  if the engine has no WebAssembly SIMD
 */
export async function openWasmDevice(options: WasmDeviceOptions = {}): Promise<Device> {
  const { strict = false, allowV8Flags = false } = options
  const relaxed = !strict && enableRelaxedSimd(platform, allowV8Flags)
  const features = detectFeatures()
  if (!features.simd)
    throw new DeviceError(
      "this engine has no WebAssembly SIMD",
      'use a newer engine, or openDevice({ kind: "reference" })',
    )
  const fma = relaxed && features.relaxedSimd && !strict
  const wanted = options.lanes ?? platform.cores()
  const local = options.local === true || !features.threads
  const pool: LanePool = local ? openLocalLane() : await openLanes(wanted)
  const close = () => pool.close()
  return {
    kind: "wasm",
    lanes: pool.count,
    choices: { backend: "wasm", lanes: pool.count, fma, strict },
    createWorkspace: () => createWasmWorkspace({ pool, fma, shared: !local, allowV8Flags }),
    close,
    [Symbol.asyncDispose]: close,
  }
}
