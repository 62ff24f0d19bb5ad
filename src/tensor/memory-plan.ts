// Where each temporary tensor lies. Lifetimes are known from the schedule, so one arena serves all of them and its size is
// exact before anything runs.

/** All buffers start at a cache line: no two lanes ever write the same one, and vector loads are aligned. */
export const BUFFER_ALIGNMENT = 64

export const alignUp = (bytes: number, alignment = BUFFER_ALIGNMENT): number => Math.ceil(bytes / alignment) * alignment

/** A buffer that must keep its bytes from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly bytes: number
  readonly first: number
  readonly last: number
}

/**
 * Offsets in one arena such that buffers alive at the same time never overlap: the largest first, each at the lowest
 * place that is free during its life.
 *
 * @returns offsets in the order of `lifetimes`, and the bytes of the arena
 */
export function planArena(lifetimes: readonly Lifetime[]): { offsets: number[]; bytes: number } {
  const order = [...lifetimes.keys()].sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b)
  const offsets = new Array<number>(lifetimes.length).fill(0)
  const placed: number[] = []
  let total = 0
  for (const index of order) {
    const { bytes, first, last } = lifetimes[index]!
    const neighbors = placed
      .filter((other) => lifetimes[other]!.first <= last && lifetimes[other]!.last >= first)
      .sort((a, b) => offsets[a]! - offsets[b]!)
    let offset = 0
    for (const other of neighbors) {
      if (offsets[other]! - offset >= alignUp(bytes)) break
      offset = Math.max(offset, offsets[other]! + alignUp(lifetimes[other]!.bytes))
    }
    offsets[index] = offset
    placed.push(index)
    total = Math.max(total, offset + alignUp(bytes))
  }
  return { offsets, bytes: total }
}
