// General compressors as baselines: what the held-out text costs when it follows the training text.
import { platform } from "#platform"
import { DeviceError, formatBytes } from "../../core/index.ts"
import { type BaselineText, heldOutBytes, trainingBytes } from "./baseline-text.ts"
import type { InLane } from "./lanes.ts"
import { type Meter, workCounter } from "./meter.ts"

export type Compressor = "brotli" | "xz"

const SIZES = { brotli: platform.brotliSize, xz: platform.xzSize } as const

/** Memory that a compressor takes, in bytes of its window: measured 12 for brotli, xz tells 11.5. */
const MEMORY_PER_WINDOW = 12
const [LEAST_WINDOW_BITS, MOST_WINDOW_BITS] = [20, 29]

export interface CompressionOptions {
  readonly meter: Meter
  /** Memory that one compressor may take. */
  readonly memoryBytes: number
  /** Waits until a core is free, then does the work. */
  readonly inLane: InLane
  readonly signal?: AbortSignal | undefined
}

export interface CompressionResult {
  /** `8 · (size(train + held-out) - size(train)) / bytes(held-out)`; undefined where the compressor is missing or fails. */
  readonly bitsPerByte: number | undefined
  readonly note?: string
}

/**
 * A compressor, primed with the training text by compressing it before the held-out text. The two sizes are of two passes,
 * side by side: one pass, flushed in between, costs the held-out text 0.1 to 0.4 % more (LOG.md).
 */
export async function measureCompression(
  program: Compressor,
  text: BaselineText,
  { meter, memoryBytes, inLane, signal }: CompressionOptions,
): Promise<CompressionResult> {
  const both = text.trainBytes + text.heldOutBytes
  const windowBits = windowFor(text.trainBytes + Math.min(text.trainBytes, text.heldOutBytes), memoryBytes)
  const onBytes = workCounter(meter, text.trainBytes + both)
  async function* told(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    meter.begin()
    for await (const chunk of chunks) {
      yield chunk
      onBytes(chunk.length)
    }
  }
  const size = (chunks: AsyncIterable<Uint8Array>, totalBytes: number) =>
    inLane(() => SIZES[program](told(chunks), { totalBytes, windowBits, ...(signal ? { signal } : {}) })).catch(failure)
  const [sizeOfTrain, sizeOfBoth] = await Promise.all([
    size(trainingBytes(text), text.trainBytes),
    size(trainingThenHeldOut(text), both),
  ])
  if (sizeOfTrain instanceof DeviceError) return { bitsPerByte: undefined, note: sizeOfTrain.message }
  if (sizeOfBoth instanceof DeviceError) return { bitsPerByte: undefined, note: sizeOfBoth.message }
  if (sizeOfTrain === undefined || sizeOfBoth === undefined)
    return { bitsPerByte: undefined, note: `${program} was not found on this machine` }
  return {
    bitsPerByte: (8 * (sizeOfBoth - sizeOfTrain)) / text.heldOutBytes,
    ...(2 ** windowBits < both ? { note: `looks back ${formatBytes(2 ** windowBits)} of ${formatBytes(both)}` } : {}),
  }
}

/** A program that fails on this machine is a result; what else goes wrong is not. */
function failure(error: unknown): DeviceError {
  if (error instanceof DeviceError) return error
  throw error
}

/**
 * All of `bytes`, or as many as memory allows. Held-out text longer than the training text adds nothing, so that memory does
 * not grow with what is evaluated.
 */
function windowFor(bytes: number, memoryBytes: number): number {
  const wanted = Math.ceil(Math.log2(bytes + 1))
  const allowed = Math.floor(Math.log2(memoryBytes / MEMORY_PER_WINDOW))
  return Math.max(LEAST_WINDOW_BITS, Math.min(wanted, allowed, MOST_WINDOW_BITS))
}

async function* trainingThenHeldOut(text: BaselineText): AsyncGenerator<Uint8Array> {
  yield* trainingBytes(text)
  yield* heldOutBytes(text)
}
