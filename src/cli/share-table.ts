// Shares of time as a table: calls, milliseconds, speed, and percent of the peak that bounds it.
import { byteRate, count, flopRate, milliseconds, percent } from "./numbers.ts"
import type { Output } from "./output.ts"
import type { TimeShare } from "./roofline-share.ts"
import { table } from "./table.ts"
import { wrap } from "./text.ts"

type Style = Pick<Output, "width" | "colors">

/** A line for each share in the order given; `title` says what the names are. */
export function shareLines(shares: readonly TimeShare[], title: string, { width, colors }: Style): string[] {
  const rows = shares.map((share) => [
    count(share.calls),
    milliseconds(share.seconds),
    percent(share.share),
    rateOf(share),
    share.boundBy === undefined ? "" : percent(share.ofPeak),
    shortened(share.name),
  ])
  const right = (name: string) => ({ title: name, align: "right" }) as const
  const columns = [
    ...["calls", "ms", "time", "speed"].map(right),
    { ...right("of peak"), style: colors.bold },
    { title, style: colors.cyan },
  ]
  const isBeyond = shares.some(({ ofPeak }) => ofPeak > 1)
  return [...table(columns, rows, width), ...beyondPeak(isBeyond, { width, colors })]
}

/** In the unit of the peak that bounds it. */
function rateOf({ boundBy, flops, bytes, seconds }: TimeShare): string {
  if (boundBy === undefined || seconds === 0) return ""
  return boundBy === "compute" ? flopRate(flops / seconds) : byteRate(bytes / seconds)
}

/** `matmul 12x64x128 512x128`: shapes without brackets, so that most names fit a line. */
const shortened = (name: string): string =>
  name.replace(/\[([\d, ]*)\]/g, (_, sizes: string) => (sizes === "" ? "scalar" : sizes.replaceAll(", ", "x")))

/** A share above 100 % is no mistake of the reader's. */
export function beyondPeak(isBeyond: boolean, { width, colors }: Style): string[] {
  if (!isBeyond) return []
  const text = "Above 100 %: wider vectors (BLAS, or pairs of 128 bits), or bytes that came from a cache."
  return ["", ...wrap(text, width - 2).map((line) => `  ${colors.dim(line)}`)]
}
