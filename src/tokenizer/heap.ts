// A binary heap of integers under an order given by the caller: the best comes first.

export interface Heap {
  readonly size: number
  push(item: number): void
  /** The best item; undefined when empty. */
  pop(): number | undefined
}

export function createHeap(isBetter: (a: number, b: number) => boolean): Heap {
  const items: number[] = []
  const up = (at: number): void => {
    const item = items[at]!
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBetter(item, items[parent]!)) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }
  const down = (at: number): void => {
    const item = items[at]!
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && isBetter(items[child + 1]!, items[child]!)) child++
      if (!isBetter(items[child]!, item)) break
      items[at] = items[child]!
      at = child
    }
    items[at] = item
  }
  return {
    get size() {
      return items.length
    },
    push(item) {
      items.push(item)
      up(items.length - 1)
    },
    pop() {
      const best = items[0]
      const last = items.pop()
      if (items.length > 0) (items[0] = last!), down(0)
      return best
    },
  }
}
