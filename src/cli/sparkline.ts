// A curve in one line of text.

const BARS = "▁▂▃▄▅▆▇█"
/** The part of the values that may run out of the picture at the top: the first steps of a loss would flatten the rest. */
const CUT = 0.05

/** `values` as at most `width` bars, each the mean of its share; lowest and highest (but for 5 % of them) span the height. */
export function sparkline(values: readonly number[], width: number): string {
  const bars = Math.min(width, values.length)
  if (bars <= 0) return ""
  const means = Array.from({ length: bars }, (_, bar) => {
    const [start, end] = [Math.floor((bar * values.length) / bars), Math.floor(((bar + 1) * values.length) / bars)]
    return values.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start)
  })
  const sorted = [...means].sort((a, b) => a - b)
  const low = sorted[0]!
  const high = sorted[Math.floor((1 - CUT) * (bars - 1))]!
  const level = (value: number) => Math.min(1, Math.max(0, (value - low) / (high - low || 1)))
  return means.map((mean) => BARS[Math.round(level(mean) * (BARS.length - 1))]).join("")
}

/** A bar of `width` cells, `share` of it full. */
export function progressBar(share: number, width: number): { full: string; rest: string } {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return { full: "━".repeat(full), rest: "╌".repeat(width - full) }
}
