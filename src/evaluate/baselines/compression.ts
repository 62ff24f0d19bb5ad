// General compressors as baselines: what the held-out text costs when it follows the training text.
import { platform } from "#platform"
import { DeviceError, formatBytes } from "../../core/index.ts"
import { type BaselineText, byteUnit } from "./baseline-text.ts"
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
  /**
   * `8 · (size(train + held-out) - size(train)) / bytes(held-out)`, the sizes with the ends of documents; undefined where the
   * compressor is missing or fails.
   */
  readonly bitsPerByte: number | undefined
  readonly note?: string
}

/**
 * A compressor, primed with the training text by compressing it before the held-out text. It reads what the models of bytes
 * predict: an end after each document where the model's tokenizer has one, so that nobody gets those for nothing. The two
 * sizes are of two passes, side by side: one pass, flushed in between, costs the held-out text 0.1 to 0.4 % more (LOG.md).
 */
export async function measureCompression(
  program: Compressor,
  text: BaselineText,
  { meter, memoryBytes, inLane, signal }: CompressionOptions,
): Promise<CompressionResult> {
  const { trainLength, heldOutLength, training, piecesOf } = byteUnit(text)
  const both = trainLength + heldOutLength
  const windowBits = windowFor(trainLength + Math.min(trainLength, heldOutLength), memoryBytes)
  const onBytes = workCounter(meter, trainLength + both)
  async function* trainingThenHeldOut(): AsyncGenerator<ArrayLike<number>> {
    yield* training()
    for await (const document of text.heldOut.documents()) yield* piecesOf(document.text)
  }
  async function* told(pieces: AsyncIterable<ArrayLike<number>>): AsyncGenerator<Uint8Array> {
    meter.begin()
    for await (const chunk of chunksOf(pieces)) {
      yield chunk
      onBytes(chunk.length)
    }
  }
  const size = (pieces: AsyncIterable<ArrayLike<number>>, totalBytes: number) =>
    inLane(() => SIZES[program](told(pieces), { totalBytes, windowBits, ...(signal ? { signal } : {}) })).catch(failure)
  const [sizeOfTrain, sizeOfBoth] = await Promise.all([
    size(training(), trainLength),
    size(trainingThenHeldOut(), both),
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

/** Bytes that a compressor gets at a time. */
const CHUNK_BYTES = 1 << 16

/** The same bytes in chunks of one size: an end of a document alone is not worth a write. */
async function* chunksOf(pieces: AsyncIterable<ArrayLike<number>>): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(CHUNK_BYTES)
  let filled = 0
  for await (const piece of pieces) {
    const bytes = new Uint8Array(piece)
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + CHUNK_BYTES - filled)
      chunk.set(part, filled)
      from += part.length
      filled += part.length
      if (filled < CHUNK_BYTES) continue
      yield chunk
      chunk = new Uint8Array(CHUNK_BYTES)
      filled = 0
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled)
}
