// Long loops in short slices: a computation is a generator that pauses every few thousand items. The same code then runs
// to its end at once (tests, small inputs) or gives timers and signals a turn between slices (run-baselines.ts).

/** A computation that pauses often and returns `T` at its end. */
export type Sliced<T> = Generator<void, T, void>

/** Items between two pauses: about a millisecond of cache misses. */
const ITEMS_PER_SLICE = 8192

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
