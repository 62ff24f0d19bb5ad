// The wasm backend: a device owns lanes and build choices; a workspace owns one WebAssembly memory.

import { platform } from "#platform"
import { ConfigError, DeviceError } from "../../core/index.ts"
import type { Device } from "../backend.ts"
import type { createBlasChooser } from "./blas-choice.ts"
import { compileModule } from "./compile-module.ts"
import { detectFeatures, enableRelaxedSimd } from "./features.ts"
import type { GradientKernels } from "./kernels/index.ts"
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
  /**
   * Matrix products through a BLAS of the system, on Node where the package koffi is installed. `auto` (default): those that
   * were measured to be faster there, if there is one; `always`: every one, for measurements and tests; `off`: none. Its bits
   * are its own: a strict device uses none.
   */
  readonly blas?: "auto" | "always" | "off"
}

/** What only training needs of a device. */
export interface TrainingParts {
  /** Decides which products go through a BLAS; left out, none does. */
  readonly createBlasChooser?: typeof createBlasChooser
  readonly gradientKernels?: GradientKernels
}

/** More workers than any machine's cores that this was written for; each takes about 10 MB. */
const MAX_LANES = 256

/**
 * Opens lanes on this machine's CPU. Where memory cannot be shared there is one lane, whatever was asked for.
 *
 * @param training  what a model that only runs goes without: its weights are packed, so that no product goes through a BLAS
 * @throws ConfigError  if `lanes` is not a whole number from 1 to 256, or more than 1 with `local`; if `blas` is no such
 *                      word, or `always` on a strict device
 * @throws DeviceError  if the engine has no WebAssembly SIMD; if `blas` is `always` and none is found
 */
export async function openWasmDevice(options: WasmDeviceOptions = {}, training: TrainingParts = {}): Promise<Device> {
  checkOptions(options)
  const {
    strict = false,
    allowV8Flags = false,
    profile = false,
    blas = "auto",
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
  if (blas === "always") requireBlas()
  const tile = fastestTile(fma, allowV8Flags) // while no lane starts beside it
  const pool: LanePool = shared ? openLanes(lanes) : openLocalLane()
  const build = { fma, tile, gradientKernels: training.gradientKernels }
  const chooser = training.createBlasChooser?.(strict ? "off" : blas, {
    find: () => platform.findBlas().blas,
    build,
    lanes: pool.count,
    compile: (bytes) => compileModule(bytes, allowV8Flags),
    optimized: allowV8Flags,
  })
  const close = () => pool.close()
  return {
    kind: "wasm",
    lanes: pool.count,
    choices: { backend: "wasm", lanes: pool.count, fma, strict },
    tuning: { tile: `${tile.rows}x${tile.columns}` },
    createWorkspace: (recorded) =>
      createWasmWorkspace({ pool, build, shared, allowV8Flags, profile, chooser, recorded }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function requireBlas(): void {
  const { missing } = platform.findBlas()
  if (missing !== undefined)
    throw new DeviceError(`no BLAS: ${missing}`, 'kinglet doctor says what to install; blas: "auto" does without')
}

function checkOptions({ lanes, local = false, blas = "auto", strict = false }: WasmDeviceOptions): void {
  if (!["auto", "always", "off"].includes(blas)) throw new ConfigError(`blas must be auto, always or off, got ${blas}`)
  if (blas === "always" && strict)
    throw new ConfigError(
      "a strict device has the same bits everywhere, a BLAS has its own",
      "leave out strict or blas",
    )
  if (lanes === undefined) return
  if (!(Number.isInteger(lanes) && lanes >= 1 && lanes <= MAX_LANES))
    throw new ConfigError(`lanes must be a whole number from 1 to ${MAX_LANES}, got ${lanes}`)
  if (local && lanes > 1) throw new ConfigError(`a local device has one lane, got ${lanes}`, "leave out lanes or local")
}
