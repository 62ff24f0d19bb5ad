// Stop strings over streamed text: what may be the beginning of one is held back until it is decided.
import { ConfigError } from "../core/index.ts"

export interface StopMatcher {
  /**
   * Adds text. `emit` is what can be shown now; once `stopped`, nothing more comes.
   *
   * The stop string that is completed first counts, the longest where several end together. How the text is cut into
   * pieces makes no difference.
   */
  push(text: string): { readonly emit: string; readonly stopped: boolean }
  /** What is still held back when the text ends without a stop string. */
  end(): string
}

/**
 * A matcher that never emits any part of a stop string, nor anything after it.
 *
 * @throws ConfigError  if a stop string is empty
 */
export function createStopMatcher(stops: readonly string[]): StopMatcher {
  if (stops.includes("")) throw new ConfigError('stop strings must hold at least one character, got ""')
  let held = ""
  let stopped = false
  return {
    push(text) {
      if (stopped) return { emit: "", stopped }
      const pending = held + text
      const match = firstMatch(pending, stops)
      stopped = match !== undefined
      const shown = match?.start ?? pending.length - heldLength(pending, stops)
      held = stopped ? "" : pending.slice(shown)
      return { emit: pending.slice(0, shown), stopped }
    },
    end() {
      const rest = held
      held = ""
      return rest
    },
  }
}

interface Match {
  readonly start: number
  readonly end: number
}

/** The match that ends first, and of those the one that starts first. */
function firstMatch(text: string, stops: readonly string[]): Match | undefined {
  let first: Match | undefined
  for (const stop of stops) {
    const start = text.indexOf(stop)
    if (start < 0) continue
    const end = start + stop.length
    if (first === undefined || end < first.end || (end === first.end && start < first.start)) first = { start, end }
  }
  return first
}

/** Length of the longest end of `text` that is a beginning of a stop string. */
function heldLength(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const tail = text.slice(text.length - length)
    if (stops.some((stop) => stop.startsWith(tail))) return length
  }
  return 0
}
