// One WebAssembly memory that grows to what a plan needs and is let go as a whole. Views are made anew for each use: growing
// replaces the buffer.
import { platform } from "#platform"
import { DeviceError, type DType, formatBytes, sizeOf } from "../../core/index.ts"
import type { Tensor } from "../../tensor/index.ts"
import { type WasmMemory, webAssembly } from "./webassembly.ts"

export const PAGE_BYTES = 65536
/** A 32-bit memory ends at 4 GiB; one page less keeps every address and length in 32 bits. */
export const MAX_PAGES = 65535

export interface Memory {
  /**
   * The engine's own object.
   *
   * @throws DeviceError  after `close`
   */
  live(): WasmMemory
  /**
   * Makes addresses below `end` usable.
   *
   * @throws DeviceError  if the engine or the machine has no such memory
   */
  reserve(end: number): void
  /** A tensor's numbers at `address`, as the memory is now; half floats as bits. */
  view(tensor: Tensor, address: number): Float32Array | Int32Array | Uint16Array
  close(): void
}

const NUMBERS = { f32: Float32Array, i32: Int32Array, f16: Uint16Array } as const satisfies { [D in DType]: unknown }

export function openMemory(shared: boolean): Memory {
  let memory: WasmMemory | undefined = new webAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared })
  const { totalBytes } = platform.memory() // asking costs a system call, and a model grows its memory a hundred times
  const live = (): WasmMemory => {
    if (memory === undefined) throw new DeviceError("the workspace is closed")
    return memory
  }
  return {
    live,
    reserve: (end) => growTo(live(), end, totalBytes),
    view(tensor, address) {
      return new NUMBERS[tensor.dtype](live().buffer as ArrayBuffer, address, sizeOf(tensor.shape))
    },
    close() {
      memory = undefined
    },
  }
}

function growTo(memory: WasmMemory, bytes: number, totalBytes: number): void {
  const missing = Math.ceil(bytes / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES
  if (missing <= 0) return
  const hint = "a smaller model, batch or context needs less"
  if (bytes > MAX_PAGES * PAGE_BYTES)
    throw new DeviceError(
      `the plan needs ${formatBytes(bytes)}, more than the 4.29 GB a WebAssembly memory can hold`,
      hint,
    )
  if (totalBytes > 0 && bytes > totalBytes)
    throw new DeviceError(`the plan needs ${formatBytes(bytes)}, this machine has ${formatBytes(totalBytes)}`, hint)
  try {
    memory.grow(missing)
  } catch (cause) {
    throw new DeviceError(`the plan needs ${formatBytes(bytes)} and the engine refuses to give it`, hint, { cause })
  }
}
