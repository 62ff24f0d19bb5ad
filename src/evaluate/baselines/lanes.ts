// So many pieces of work at a time as there are cores; the others wait their turn.

/** Waits for a free lane, then does the work in it. */
export type InLane = <T>(work: () => Promise<T>) => Promise<T>

/** `lanes` lanes; work begins in the order in which it was asked for. */
export function createLanes(lanes: number): InLane {
  const waiting: (() => void)[] = []
  let free = lanes
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
