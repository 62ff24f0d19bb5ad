// Values of comparison axes as people read them.
import { formatBytes, formatCount, formatDuration } from "../core/index.ts"
import type { AxisUnit } from "../evaluate/index.ts"
import { count } from "./numbers.ts"

const WRITERS: { readonly [unit in AxisUnit]: (value: number) => string } = {
  bitsPerByte: (value) => value.toFixed(3),
  count: formatCount,
  bytes: formatBytes,
  flops: formatFlops,
  seconds: formatDuration,
  tokensPerSecond: count,
  bytesPerSecond: (value) => `${formatBytes(value)}/s`,
  tokens: count,
}

/** `0.303M`, `12.4 GFLOP`, `?` where it is not known. */
export const axisText = (unit: AxisUnit, value: number | undefined): string =>
  value === undefined ? "?" : WRITERS[unit](value)

const SCALES = [
  [1e18, "EFLOP"],
  [1e15, "PFLOP"],
  [1e12, "TFLOP"],
  [1e9, "GFLOP"],
  [1e6, "MFLOP"],
] as const

function formatFlops(flops: number): string {
  const [scale, name] = SCALES.find(([each]) => flops >= each) ?? [1, "FLOP"]
  return `${Number((flops / scale).toPrecision(3))} ${name}`
}
