// How far one baseline has come: work done and bytes of tables become facts for whoever shows progress.
import { platform } from "#platform"

export interface MeterFacts {
  /** Part of the work that is done, 0 to 1. */
  readonly fraction: number
  readonly tableBytes?: number
  /** Seconds in all at the speed so far. */
  readonly predictedSeconds?: number
}

export interface Meter {
  /** The clock runs from the first call on; later ones do nothing. */
  begin(): void
  /** Tells the part that is done. */
  advance(fraction: number): void
  /** Tells the bytes that tables take: a prediction first, then the exact number. */
  sizeTables(bytes: number): void
  /** Since it began. */
  seconds(): number
}

/** Below this part there is no speed to speak of; progress is told in steps of it. */
const STEP = 0.01

export function createMeter(tell: (facts: MeterFacts) => void): Meter {
  let start: number | undefined
  let facts: MeterFacts = { fraction: 0 }
  const seconds = (): number => (platform.now() - (start ?? platform.now())) / 1000
  return {
    begin() {
      if (start !== undefined) return
      start = platform.now()
      tell(facts)
    },
    advance(fraction) {
      if (fraction < facts.fraction + STEP) return
      facts = { ...facts, fraction: Math.min(1, fraction), predictedSeconds: seconds() / fraction }
      tell(facts)
    },
    sizeTables(tableBytes) {
      facts = { ...facts, tableBytes }
      tell(facts)
    },
    seconds,
  }
}

/** Counts work of any unit up to `total` of it. */
export function workCounter(meter: Meter, total: number): (work: number) => void {
  let done = 0
  return (work) => meter.advance((done += work) / total)
}
