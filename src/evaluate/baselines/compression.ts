// General compressors as baselines: what the held-out text costs when it follows the training text.
import { platform } from "#platform"
import { inSlices, runSliced, type Sliced } from "./slices.ts"

export interface CompressedSize {
  /** `8 · (size(train + held-out) - size(train)) / bytes(held-out)`; undefined where the compressor is missing. */
  readonly bitsPerByte: number | undefined
}

const SIZES = { brotli: platform.brotliSize, xz: platform.xzSize } as const

/** A compressor, primed with the training text by compressing it before the held-out text. Both sizes run side by side. */
export async function compressionBaseline(
  program: keyof typeof SIZES,
  train: Uint8Array,
  valid: Uint8Array,
): Promise<CompressedSize> {
  const both = await runSliced(concatenate(train, valid))
  const [sizeOfTrain, sizeOfBoth] = await Promise.all([SIZES[program](train), SIZES[program](both)])
  if (sizeOfTrain === undefined || sizeOfBoth === undefined) return { bitsPerByte: undefined }
  return { bitsPerByte: (8 * (sizeOfBoth - sizeOfTrain)) / valid.length }
}

function* concatenate(a: Uint8Array, b: Uint8Array): Sliced<Uint8Array> {
  const both = new Uint8Array(a.length + b.length)
  yield* inSlices(a.length, (from, to) => both.set(a.subarray(from, to), from))
  yield* inSlices(b.length, (from, to) => both.set(b.subarray(from, to), a.length + from))
  return both
}
