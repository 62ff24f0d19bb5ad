// Numbers as people read them on a screen.

/** `12,345`. Not by `Intl`, whose first use costs a command 10 ms. */
export const count = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",")

/** Four significant figures at most, no exponent for what people read often. */
export function compact(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value)) return Math.abs(value) >= 10_000 ? count(value) : String(value)
  const text = Number(value.toPrecision(4))
  return Math.abs(text) >= 1e-4 ? String(text) : text.toExponential()
}

/** `59 %`; one figure more below 10. */
export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`

/** `62.1 GFLOP/s`. */
export const flopRate = (flopsPerSecond: number): string => `${billions(flopsPerSecond)} GFLOP/s`
/** `23.4 GB/s`, `0.67 MB/s`. */
export const byteRate = (bytesPerSecond: number): string =>
  bytesPerSecond >= 1e8 ? `${billions(bytesPerSecond)} GB/s` : `${billions(1000 * bytesPerSecond)} MB/s`

function billions(value: number): string {
  const giga = value / 1e9
  return giga >= 99.95 ? giga.toFixed(0) : giga >= 1 ? giga.toFixed(1) : giga.toPrecision(2)
}

/** Seconds as `54.2`, short ones as `0.25`. */
export const milliseconds = (seconds: number): string => (1000 * seconds).toFixed(seconds < 0.01 ? 2 : 1)

/** Part of the peak; a peak that was measured while others were computing too is taken for what it is. */
export const shareOfPeak = (flopsPerSecond: number, peak: number): string =>
  percent(flopsPerSecond / Math.max(peak, flopsPerSecond))

/** `s` for anything but one. */
export const plural = (amount: number, noun: string): string => `${count(amount)} ${noun}${amount === 1 ? "" : "s"}`
