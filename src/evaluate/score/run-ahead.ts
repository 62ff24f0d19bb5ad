// Passes one after the other, each prepared while the one before it runs: reading, tokenizing and adding up cost no time
// beside the device's.
import type { Results } from "../../backends/index.ts"
import { createTurns } from "./turns.ts"

/** What is done with each piece of work. */
export interface Ahead<Work> {
  /** Hands it to the device. */
  readonly start: (work: Work) => Promise<Results>
  /** Takes what the device found, in the order of the works. */
  readonly finish: (results: Results, work: Work) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs all `works`; one is running and one is waiting at any time.
 *
 * @throws the signal's reason  if it is aborted
 */
export async function runAhead<Work>(
  works: Iterable<Work> | AsyncIterable<Work>,
  { start, finish, signal }: Ahead<Work>,
): Promise<void> {
  const giveTurn = createTurns()
  let before: { readonly work: Work; readonly results: Promise<Results> } | undefined
  for await (const work of works) {
    signal?.throwIfAborted()
    const results = start(work)
    results.catch(() => {}) // told where it is awaited
    if (before !== undefined) finish(await before.results, before.work)
    before = { work, results }
    await giveTurn()
  }
  if (before !== undefined) finish(await before.results, before.work)
}
