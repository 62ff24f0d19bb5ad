// Numbers with units, read from what people type and written as people read them.
import { ConfigError } from "./errors.ts"

const COUNT_SCALE: { readonly [suffix: string]: number } = { "": 1, k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12 }
const SECONDS_SCALE: { readonly [suffix: string]: number } = { "": 1, s: 1, m: 60, min: 60, h: 3600, d: 86400 }

/** Reads `2M`, `0.8m`, `1200` as a number. @throws ConfigError  if it is not a positive count */
export function parseCount(text: string, what = "count"): number {
  const match = /^\s*([0-9]*\.?[0-9]+(?:e[0-9]+)?)\s*([kmbgt]?)\s*$/i.exec(text)
  const value = match ? Number(match[1]) * COUNT_SCALE[match[2]!.toLowerCase()]! : 0
  if (!(value > 0)) throw new ConfigError(`${what} must be a number such as 500k or 2M, got "${text}"`)
  return value
}

/** Reads `90s`, `10m`, `1.5h`, `1h30m` as seconds. @throws ConfigError  if it is not a duration */
export function parseDuration(text: string, what = "budget"): number {
  const parts = [...text.trim().toLowerCase().matchAll(/([0-9]*\.?[0-9]+)\s*(min|[smhd]?)/g)]
  const whole = parts.map((part) => part[0]).join("") === text.trim().toLowerCase().replaceAll(" ", "")
  const seconds = parts.reduce((sum, part) => sum + Number(part[1]) * SECONDS_SCALE[part[2]!]!, 0)
  if (!whole || !(seconds > 0)) throw new ConfigError(`${what} must be a duration such as 90s, 10m or 1h30m, got "${text}"`)
  return seconds
}

/** `1234567` as `1.23M`. */
export function formatCount(value: number): string {
  for (const [scale, suffix] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]] as const)
    if (Math.abs(value) >= scale) return `${trim(value / scale)}${suffix}`
  return trim(value)
}

/** Bytes with decimal prefixes: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  for (const [scale, suffix] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const)
    if (bytes >= scale) return `${trim(bytes / scale)} ${suffix}`
  return `${bytes} B`
}

/** Seconds as `850 ms`, `12.3 s`, `4m 05s`, `2h 03m`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?"
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const pad = (value: number) => String(value).padStart(2, "0")
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`
  return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`
}

const trim = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(/\.?0+$/, (zeros) => (zeros.includes(".") ? "" : zeros))
