// What is resampled, and what comes out of it.

/** One unit of resampling: a document (copies of it together) or a block of about 10 kB. */
export interface Unit {
  /** Stable name by which two models' units are paired. */
  readonly key: string
  readonly nats: number
  readonly bytes: number
}

export interface Interval {
  readonly low: number
  readonly high: number
  /** Probability with which it covers the truth: 0.95. */
  readonly level: number
  readonly unit: "document" | "block" | "item" | "token"
  readonly units: number
  /** What it does not cover, where that must be said. */
  readonly note?: string
}

/** Every interval of this room is a 95 % interval. */
export const LEVEL = 0.95

/** The normal quantile of (1 + {@link LEVEL}) / 2. */
export const Z = 1.959963984540054
