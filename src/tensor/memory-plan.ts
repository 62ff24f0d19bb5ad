// Where each temporary tensor lies. Lifetimes are known from the schedule, so one arena serves all of them and its size is
// exact before anything runs.

/** All buffers start at a cache line: no two lanes ever write the same one, and vector loads are aligned. */
export const BUFFER_ALIGNMENT = 64

/** The next multiple of `alignment` from `bytes`. */
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
  const arena: Arena = { placed: [], bytes: 0 }
  for (const index of order) offsets[index] = place(arena, lifetimes[index]!)
  return { offsets, bytes: arena.bytes }
}

interface Arena {
  /** In the order of their offsets, so that gaps are found in one walk. */
  readonly placed: { readonly life: Lifetime; readonly offset: number; readonly end: number }[]
  bytes: number
}

function place(arena: Arena, life: Lifetime): number {
  const { placed } = arena
  const bytes = alignUp(life.bytes)
  let offset = 0
  for (const other of placed) {
    if (other.life.first > life.last || other.life.last < life.first) continue
    if (other.offset - offset >= bytes) break
    offset = Math.max(offset, other.end)
  }
  placed.splice(firstAtOrAfter(placed, offset), 0, { life, offset, end: offset + bytes })
  arena.bytes = Math.max(arena.bytes, offset + bytes)
  return offset
}

/** Position of the first of `placed` that starts at `offset` or later. */
function firstAtOrAfter(placed: Arena["placed"], offset: number): number {
  let [low, high] = [0, placed.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (placed[middle]!.offset < offset) low = middle + 1
    else high = middle
  }
  return low
}
