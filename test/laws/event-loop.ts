// How long the event loop of this thread was kept: timers a millisecond apart, and what of a late one is our doing.
import { readFileSync } from "node:fs"
import { platform } from "#platform"

export interface LoopDelays {
  /** The longest turn of each window, in milliseconds. */
  readonly worstMs: readonly number[]
  /** Turns watched. */
  readonly turns: number
}

const SCHEDULE = `/proc/self/task/${process.pid}/schedstat`

/**
 * Milliseconds this process's main thread was ready to run and got no processor, so far; 0 where the system does not tell.
 * Linux counts it, in nanoseconds, as the second number of schedstat.
 */
function waitedForProcessorMs(): number {
  try {
    return Number(readFileSync(SCHEDULE, "utf8").split(" ")[1]) / 1e6
  } catch {
    return 0
  }
}

/**
 * Watches this thread while `work` goes on. A turn is the time between two ticks of a timer, less the time in which the
 * thread waited for a processor: computing, sleeping in a lock and collecting garbage count, other programs do not.
 */
export async function watchLoop(work: () => Promise<void>, windowMs = 400): Promise<LoopDelays> {
  const worstMs: number[] = []
  let turns = 0
  let windowStart = platform.now()
  let longest = 0
  let last = { now: platform.now(), waited: waitedForProcessorMs() }
  const timer = setInterval(() => {
    const next = { now: platform.now(), waited: waitedForProcessorMs() }
    longest = Math.max(longest, next.now - last.now - (next.waited - last.waited))
    last = next
    turns++
    if (next.now - windowStart < windowMs) return
    worstMs.push(longest)
    longest = 0
    windowStart = next.now
  }, 1)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return { worstMs: [...worstMs, longest], turns }
}

/** Half of the windows were better: one hiccup of the machine is no law's breach, a habit is. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
