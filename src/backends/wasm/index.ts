// The wasm backend: a device owns lanes and build choices; a workspace owns one WebAssembly memory.

import { platform } from "#platform"
import { ConfigError, DeviceError } from "../../core/index.ts"
import type { Device } from "../backend.ts"
import { detectFeatures, enableRelaxedSimd } from "./features.ts"
import { type LanePool, openLanes, openLocalLane } from "./lanes.ts"
import { fastestTile } from "./tile-probe.ts"
import { createWasmWorkspace } from "./workspace.ts"

/** How a wasm device is opened; everything has a default. */
export interface WasmDeviceOptions {
  /** Workers that share each step; the number of cores when not given. 1 lane of `local` runs on the calling thread. */
  readonly lanes?: number
  /** Runs on the calling thread, one lane, no worker: for models whose steps take a few milliseconds. */
  readonly local?: boolean
  /** Same bits on every machine: no fused multiply-add. */
  readonly strict?: boolean
  /** Lets the library set V8's flags: relaxed SIMD on Node 20, optimized code from the first step. */
  readonly allowV8Flags?: boolean
  /** Times every kernel inside each step: `Executable.profile` tells. Costs two readings of the clock a kernel. */
  readonly profile?: boolean
}

/** More workers than any machine's cores that this was written for; each takes about 10 MB. */
const MAX_LANES = 256

/**
 * Opens lanes on this machine's CPU. Where memory cannot be shared there is one lane, whatever was asked for.
 *
 * @throws ConfigError  if `lanes` is not a whole number from 1 to 256, or more than 1 with `local`
 * @throws DeviceError  if the engine has no WebAssembly SIMD, or a worker cannot be started
 */
export async function openWasmDevice(options: WasmDeviceOptions = {}): Promise<Device> {
  checkOptions(options)
  const {
    strict = false,
    allowV8Flags = false,
    profile = false,
    lanes = Math.min(platform.cores(), MAX_LANES),
  } = options
  const fma = !strict && enableRelaxedSimd(platform, allowV8Flags)
  const { simd, threads } = detectFeatures()
  if (!simd)
    throw new DeviceError(
      "this engine has no WebAssembly SIMD",
      'use a newer engine, or openDevice({ kind: "reference" })',
    )
  const shared = options.local !== true && threads
  const pool: LanePool = shared ? await openLanes(lanes) : openLocalLane()
  const tile = fastestTile(fma, allowV8Flags)
  const close = () => pool.close()
  return {
    kind: "wasm",
    lanes: pool.count,
    choices: { backend: "wasm", lanes: pool.count, fma, strict },
    tuning: { tile: `${tile.rows}x${tile.columns}` },
    createWorkspace: () => createWasmWorkspace({ pool, build: { fma, tile }, shared, allowV8Flags, profile }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function checkOptions({ lanes, local = false }: WasmDeviceOptions): void {
  if (lanes === undefined) return
  if (!(Number.isInteger(lanes) && lanes >= 1 && lanes <= MAX_LANES))
    throw new ConfigError(`lanes must be a whole number from 1 to ${MAX_LANES}, got ${lanes}`)
  if (local && lanes > 1) throw new ConfigError(`a local device has one lane, got ${lanes}`, "leave out lanes or local")
}
