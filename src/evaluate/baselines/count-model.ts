// What all models of counts have in common: they read a stream of symbols and say what each costs.
import type { Sliced } from "./slices.ts"

export interface CountModel {
  /** Bytes of all tables, as they lie in memory. */
  readonly tableBytes: number
  /** A reader that has read nothing. */
  startReading(): CountReader
}

/** Reads a stream piece by piece and keeps its state between the pieces. */
export interface CountReader {
  /** Reads on: `nats[i] = -ln p(ids[i] | all it has read before)`; `nats` is as long as `ids`, or longer. */
  read(ids: ArrayLike<number>, nats: Float64Array): Sliced<void>
}
