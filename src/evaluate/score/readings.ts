// Endings as sequences to be read, and the order in which little is read twice: sorted by their tokens, each shares its
// beginning with the one before it.

/** A prefix and what may follow it. */
export interface EndingsItem {
  /** Ids of what stands before; may be empty, and then an ending's first token is not scored. */
  readonly prefix: readonly number[]
  readonly endings: readonly (readonly number[])[]
}

/** One sequence that fits the context, and which ending it belongs to. */
export interface Reading {
  readonly ids: Int32Array
  /** First token that counts; at least 1, for nothing predicts a first one. */
  readonly scoredFrom: number
  readonly item: number
  readonly ending: number
}

/** How an item is read. */
interface Plan {
  /** What of the prefix is seen, by all endings alike. */
  readonly context: readonly number[]
  /** Whether the longest ending fits the context; if not, all are read in windows of it. */
  readonly fits: boolean
}

function planOf({ prefix, endings }: EndingsItem, contextLength: number): Plan {
  const longest = endings.reduce((most, { length }) => Math.max(most, length), 0)
  const room = Math.min(prefix.length, contextLength + 1 - longest)
  const fits = room > 0 || (room === 0 && prefix.length === 0)
  return { context: prefix.slice(prefix.length - (fits ? room : Math.min(1, prefix.length))), fits }
}

/**
 * The readings of one item: one for each ending, after as much of the prefix as the longest of them leaves room for. Endings
 * longer than the context are read in windows of it, the first one after the prefix's last token.
 *
 * @param contextLength  inputs of a reading at most; it has one token more, which is only predicted
 */
export function* readingsOf(from: EndingsItem, item: number, contextLength: number): Generator<Reading> {
  const { context, fits } = planOf(from, contextLength)
  for (const [ending, tokens] of from.endings.entries()) {
    const ids = Int32Array.from([...context, ...tokens])
    const scoredFrom = Math.max(1, context.length)
    if (fits && ids.length > scoredFrom) yield { ids, scoredFrom, item, ending }
    for (let at = 0; !fits && at < ids.length - 1; at += contextLength)
      yield { ids: ids.subarray(at, at + contextLength + 1), scoredFrom: 1, item, ending }
  }
}

/** How many readings {@link readingsOf} gives, and the inputs of the longest. */
export function sizeOfReadings(item: EndingsItem, contextLength: number): { count: number; longest: number } {
  const { context, fits } = planOf(item, contextLength)
  let [count, longest] = [0, 0]
  for (const { length } of item.endings) {
    const inputs = context.length + length - 1
    count += fits ? (length > 0 && inputs > 0 ? 1 : 0) : Math.max(0, Math.ceil(inputs / contextLength))
    longest = Math.max(longest, Math.min(inputs, contextLength))
  }
  return { count, longest }
}

/** Where the first input lies that must be read after `before` was; what is shared is known. */
export function firstInput(ids: Int32Array, before: Int32Array | undefined): number {
  let shared = 0
  if (before !== undefined)
    while (shared < ids.length && shared < before.length && ids[shared] === before[shared]) shared++
  // The last shared token is read again: its logits predict the first that differs.
  return Math.max(0, Math.min(shared, ids.length - 1) - 1)
}

/** In place: by the first token that differs, a beginning before what goes on. */
export const sortByTokens = (readings: Reading[]): Reading[] => readings.sort((a, b) => compareIds(a.ids, b.ids))

function compareIds(a: Int32Array, b: Int32Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at++) if (a[at] !== b[at]) return a[at]! - b[at]!
  return a.length - b.length
}
