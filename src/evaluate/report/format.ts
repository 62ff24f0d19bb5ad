// Numbers as a report writes them. What is missing or not finite is a dash.
import { formatBytes, formatCount, formatDuration } from "../../core/index.ts"
import { pText } from "../comparison/sentence.ts"
import type { Interval } from "../statistics/interval.ts"

export const MISSING = "–"

/** The number itself, or nothing where it is missing or not finite. */
export function finite(value: number | null | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** Both ends of an interval, where both are numbers. */
export function ends(interval: Interval | undefined): { readonly low: number; readonly high: number } | undefined {
  const [low, high] = [finite(interval?.low), finite(interval?.high)]
  return low === undefined || high === undefined ? undefined : { low, high }
}

const written = (write: (value: number) => string) => (value: number | null | undefined) => {
  const number = finite(value)
  return number === undefined ? MISSING : write(number).replace(/^-/, "−")
}

/** Bits or nats with three decimals. */
export const bits = written((value) => value.toFixed(3))
export const count = written(formatCount)
export const bytes = written(formatBytes)
export const duration = written(formatDuration)
/** All digits, grouped. */
export const whole = written((value) => Math.round(value).toLocaleString("en-US"))
/** A part of one, as `71.2 %`. */
export const percent = written((value) => `${(100 * value).toFixed(1)} %`)
/** `7.93e12`. */
export const power = written((value) => value.toExponential(2).replace("e+", "e"))
/** Up to four digits that matter. */
export const plain = written((value) => {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return power(value)
  return String(Number(value.toPrecision(4)))
})

/** `2.150 to 2.280`. */
export function range(interval: Interval | undefined, write: (value: number) => string): string {
  const known = ends(interval)
  return known === undefined ? MISSING : `${write(known.low)} to ${write(known.high)}`
}

/** `p < 0.001`, `p = 0.24`, as in sentences. */
export const pValue = written(pText)

/** At most `length` characters, the middle left out. */
export function shorten(text: string, length: number): string {
  const characters = [...text.replace(/\s+/g, " ")]
  if (characters.length <= length) return characters.join("")
  const head = Math.ceil((length - 1) * 0.6)
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (length - 1 - head)).join("")}`
}
