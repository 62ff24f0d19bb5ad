// Long loops in short slices: a computation is a generator that pauses every thousand items. The same code then runs to
// its end at once (tests, small inputs) or gives timers and signals a turn every few milliseconds.
import { platform } from "#platform"

/** A computation that pauses often and returns `T` at its end. */
export type Sliced<T> = Generator<void, T, void>

/** Items between two pauses: a few milliseconds where each item misses the cache twenty times. */
const ITEMS_PER_SLICE = 1024

/** Longest stretch between two turns of the event loop; the law of the house is 20 ms. */
const STRETCH_MS = 5

/** Calls `work(from, to)` on consecutive ranges that cover `0..total`, with a pause after each. */
export function* inSlices(total: number, work: (from: number, to: number) => void): Sliced<void> {
  for (let from = 0; from < total; from += ITEMS_PER_SLICE) {
    work(from, Math.min(from + ITEMS_PER_SLICE, total))
    yield
  }
}

/** Runs without pausing. */
export function runToEnd<T>(computation: Sliced<T>): T {
  for (;;) {
    const step = computation.next()
    if (step.done) return step.value
  }
}

/** Runs a sliced computation, giving the event loop a turn every few milliseconds. */
export async function runSliced<T>(computation: Sliced<T>, signal?: AbortSignal): Promise<T> {
  let turn = platform.now()
  for (;;) {
    const step = computation.next()
    if (step.done) return step.value
    if (platform.now() - turn < STRETCH_MS) continue
    await platform.yieldToEventLoop()
    signal?.throwIfAborted()
    turn = platform.now()
  }
}
