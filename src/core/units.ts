// Numbers with units, read from what people type and written as people read them.
import { ConfigError } from "./errors.ts"

const COUNT_SCALE: { readonly [suffix: string]: number } = { "": 1, k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12 }
const SECONDS_SCALE: { readonly [suffix: string]: number } = { "": 1, s: 1, m: 60, min: 60, h: 3600, d: 86400 }

/** Reads `2M`, `0.8m`, `1200` as a number. @throws ConfigError  if it is not a positive count */
export function parseCount(text: string, what = "count"): number {
  const match = /^\s*([0-9]*\.?[0-9]+(?:e[0-9]+)?)\s*([kmbgt]?)\s*$/i.exec(text)
  const value = match ? Number(match[1]) * COUNT_SCALE[match[2]!.toLowerCase()]! : 0
  if (!(value > 0 && value < Infinity))
    throw new ConfigError(`${what} must be a number such as 500k or 2M, got "${text}"`)
  return value
}

/**
 * Reads `90s`, `10m`, `1.5h`, `1h 30m` as seconds; a bare number is seconds.
 *
 * @throws ConfigError  if it is not a duration
 */
export function parseDuration(text: string, what = "budget"): number {
  const compact = text.toLowerCase().replace(/\s+/g, "")
  const isDuration = /^([0-9]*\.?[0-9]+|([0-9]*\.?[0-9]+(min|[smhd]))+)$/.test(compact)
  const parts = isDuration ? [...compact.matchAll(/([0-9.]+)([a-z]*)/g)] : []
  const seconds = parts.reduce((sum, [, size, unit]) => sum + Number(size) * SECONDS_SCALE[unit!]!, 0)
  if (!(seconds > 0 && seconds < Infinity))
    throw new ConfigError(`${what} must be a duration such as 90s, 10m or 1h30m, got "${text}"`)
  return seconds
}

/** `1234567` as `1.23M`, `1500` as `1.5k`. */
export function formatCount(value: number): string {
  const scale = largestScale(value, [1e12, 1e9, 1e6, 1e3])
  return `${threeDigits(value / scale)}${{ 1: "", 1e3: "k", 1e6: "M", 1e9: "B", 1e12: "T" }[scale] ?? ""}`
}

/** Bytes with decimal prefixes: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  const scale = largestScale(bytes, [1e9, 1e6, 1e3])
  return `${threeDigits(bytes / scale)} ${{ 1: "B", 1e3: "kB", 1e6: "MB", 1e9: "GB" }[scale] ?? ""}`
}

/** Seconds as `850 ms`, `12.3 s`, `4m 05s`, `2h 03m`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?"
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const pad = (value: number) => String(value).padStart(2, "0")
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`
  return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`
}

/** The first scale, largest first, of which `value` fills at least one when rounded: 999,999 is `1M`, not `1000k`. */
function largestScale(value: number, scales: readonly number[]): number {
  return scales.find((scale) => Math.abs(value) >= scale * 0.9995) ?? 1
}

/** At most three digits of which none is a trailing zero behind the point: `1.5`, `12.3`, `100`. */
function threeDigits(value: number): string {
  const size = Math.abs(value)
  return String(Number(value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2)))
}
