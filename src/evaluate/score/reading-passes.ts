// Many readings through one key/value cache of several slots. Each slot takes neighbors of the sorted order and reads of each
// only what differs from the one before; a pass reads a few tokens in every slot, wherever each of them stands.
import { IGNORED_TARGET } from "../../data/index.ts"
import { firstInput, type Reading, sortByTokens } from "./readings.ts"

export interface PassShape {
  /** Sequences that are read side by side. */
  readonly slots: number
  /** Tokens that a pass reads of each. */
  readonly width: number
  /** Inputs that fit a slot's cache; not less than the width. */
  readonly cacheLength: number
}

/** What a pass does in one slot: inputs `[from, end)` of `reading` lie in its columns from `column` on. */
export interface SlotChunk {
  readonly slot: number
  readonly reading: Reading
  readonly from: number
  readonly end: number
  readonly column: number
}

/** One pass over all slots. */
export interface ReadingPass {
  /** `[slots, width]` */
  readonly tokens: Int32Array
  /** `[slots · width]`, the token after each input. */
  readonly targets: Int32Array
  /** Where each slot's first column stands, `[slots]`. */
  readonly position: Int32Array
  readonly chunks: readonly SlotChunk[]
}

/** Readings sorted at a time: more share more, and sorting must not keep the event loop. */
const SORTED_AT_A_TIME = 8192

/** The passes that read all `readings`. */
export function* readingPasses(readings: Iterable<Reading>, shape: PassShape): Generator<ReadingPass> {
  let batch: Reading[] = []
  for (const reading of readings) {
    batch.push(reading)
    if (batch.length < SORTED_AT_A_TIME) continue
    yield* passesOf(sortByTokens(batch), shape)
    batch = []
  }
  yield* passesOf(sortByTokens(batch), shape)
}

function* passesOf(sorted: readonly Reading[], shape: PassShape): Generator<ReadingPass> {
  const queues = stretches(sorted, shape).map((stretch, slot) => chunksOf(stretch, slot, shape))
  for (;;) {
    const chunks = queues.flatMap((queue) => queue.next().value ?? [])
    if (chunks.length === 0) return
    yield passOf(chunks, shape)
  }
}

/** One stretch of neighbors for each slot, all of about the same number of chunks. */
function stretches(sorted: readonly Reading[], { slots, width }: PassShape): Reading[][] {
  const costs = sorted.map(({ ids }, i) => Math.ceil((ids.length - 1 - firstInput(ids, sorted[i - 1]?.ids)) / width))
  const all = costs.reduce((a, b) => a + b, 0)
  const queues: Reading[][] = Array.from({ length: slots }, () => [])
  let before = 0
  for (const [i, reading] of sorted.entries()) {
    queues[Math.floor((before * slots) / all)]!.push(reading)
    before += costs[i]!
  }
  return queues
}

/** The chunks of one slot, in turn. */
function* chunksOf(
  stretch: readonly Reading[],
  slot: number,
  { width, cacheLength }: PassShape,
): Generator<SlotChunk, undefined> {
  for (const [i, reading] of stretch.entries()) {
    const inputs = reading.ids.length - 1
    for (let from = firstInput(reading.ids, stretch[i - 1]?.ids), end = from; from < inputs; from = end) {
      // A chunk never goes past the end of the cache: it starts earlier and reads some tokens again.
      const column = Math.max(0, from - (cacheLength - width))
      end = Math.min(from - column + width, inputs)
      yield { slot, reading, from, end, column }
    }
  }
}

function passOf(chunks: readonly SlotChunk[], { slots, width }: PassShape): ReadingPass {
  const tokens = new Int32Array(slots * width)
  const targets = new Int32Array(slots * width).fill(IGNORED_TARGET)
  const position = new Int32Array(slots)
  for (const { slot, reading, from, end, column } of chunks) {
    const [row, first] = [slot * width, from - column]
    position[slot] = first
    tokens.set(reading.ids.subarray(first, end), row)
    targets.set(reading.ids.subarray(from + 1, end + 1), row + column)
  }
  return { tokens, targets, position, chunks }
}
