// Long loops in short slices: a computation is a generator that pauses every thousand items. The same code then runs to
// its end at once (tests, small inputs) or gives timers and signals a turn every few milliseconds.
import { platform } from "#platform"

/** A computation that pauses often, may say how much it has done since the last pause, and returns `T` at its end. */
export type Sliced<T> = Generator<number | undefined, T, void>

/** Items between two pauses: a few milliseconds where each item misses the cache twenty times. */
const ITEMS_PER_SLICE = 1024

/** Longest stretch between two turns of the event loop; the law of the house is 20 ms. */
const STRETCH_MS = 5

/** Calls `work(from, to)` on consecutive ranges that cover `0..total`, with a pause after each; an item counts as `cost` of work. */
export function* inSlices(total: number, work: (from: number, to: number) => void, cost = 1): Sliced<void> {
  for (let from = 0; from < total; from += ITEMS_PER_SLICE) {
    const to = Math.min(from + ITEMS_PER_SLICE, total)
    work(from, to)
    yield (to - from) * cost
  }
}

/** Runs without pausing. */
export function runToEnd<T>(computation: Sliced<T>): T {
  for (;;) {
    const step = computation.next()
    if (step.done) return step.value
  }
}

/** Runs a sliced computation, giving the event loop a turn every few milliseconds; `onWork` is told what was done. */
export async function runSliced<T>(
  computation: Sliced<T>,
  signal?: AbortSignal,
  onWork?: (cost: number) => void,
): Promise<T> {
  let [turn, cost] = [platform.now(), 0]
  for (;;) {
    const step = computation.next()
    if (step.done) {
      onWork?.(cost)
      return step.value
    }
    cost += step.value ?? 0
    if (platform.now() - turn < STRETCH_MS) continue
    onWork?.(cost)
    cost = 0
    await platform.yieldToEventLoop()
    signal?.throwIfAborted()
    turn = platform.now()
  }
}
