// Turns of the event loop between pieces of work, should the work be done on the calling thread.
import { platform } from "#platform"

/** Milliseconds between two turns; the law of the house is 20. */
const TURN_MS = 5

/** Gives the event loop a turn wherever it is called, but not before the last one is 5 ms ago. */
export function createTurns(): () => Promise<void> {
  let last = platform.now()
  return async () => {
    if (platform.now() - last < TURN_MS) return
    await platform.yieldToEventLoop()
    last = platform.now()
  }
}
