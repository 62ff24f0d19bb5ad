// Ctrl-C: the first asks the work to end well, the second ends the process.
import type { Output } from "./output.ts"

export const INTERRUPTED = 130
const SHOW_CURSOR = "\x1b[?25h"

/** {@link interruptible} for work that an interrupt ends by an error: the exit code is then {@link INTERRUPTED}. */
export function untilInterrupted(output: Output, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  return interruptible(output, async (signal) => {
    try {
      return await work(signal)
    } catch (error) {
      if (signal.aborted) return INTERRUPTED
      throw error
    }
  })
}

/** Runs `work` with a signal that the first interrupt aborts; `onFirst` is told, and whatever listens is taken away after. */
export async function interruptible<T>(
  output: Output,
  work: (signal: AbortSignal) => Promise<T>,
  onFirst?: () => void,
): Promise<T> {
  const controller = new AbortController()
  const stopListening = output.terminal.onInterrupt(() => {
    if (controller.signal.aborted) {
      if (output.isLive) void output.terminal.stdout.write(SHOW_CURSOR)
      output.terminal.exit(INTERRUPTED)
    }
    controller.abort()
    onFirst?.()
  })
  try {
    return await work(controller.signal)
  } finally {
    stopListening()
  }
}
