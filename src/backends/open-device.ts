// Picks the backend. Nothing is measured or started before a device is asked for.
import { ConfigError } from "../core/index.ts"
import type { Device, DeviceKind } from "./backend.ts"
import { openReferenceDevice } from "./reference/index.ts"
import { createBlasChooser } from "./wasm/blas-choice.ts"
import { openWasmDevice, type WasmDeviceOptions } from "./wasm/index.ts"
import { gradientKernels } from "./wasm/kernels/gradient-kernels.ts"

/** Which device, and how it is opened. */
export interface DeviceOptions extends WasmDeviceOptions {
  /** `wasm` (default) or `reference`. */
  readonly kind?: DeviceKind
}

/**
 * Opens a device. `close()` or `await using` ends it; a script that does neither exits by itself.
 *
 * @throws ConfigError  if the kind is unknown or an option out of range
 * @throws DeviceError  if the machine lacks what the kind needs
 */
export async function openDevice(options: DeviceKind | DeviceOptions = {}): Promise<Device> {
  const { kind = "wasm", ...rest } = typeof options === "string" ? { kind: options } : options
  if (kind === "reference") return openReferenceDevice()
  if (kind === "wasm") return openWasmDevice(rest, { createBlasChooser, gradientKernels })
  throw new ConfigError(`unknown device "${String(kind)}"`, "the devices are wasm and reference")
}
