// Endings after a shared beginning, and what they cost: the plain data between the suites and whatever scores them.

/** Token ids: one beginning and what may follow it. */
export interface EndingsItem {
  /** May be empty where there is no token to begin with: then the first token of each ending is not scored. */
  readonly prefix: readonly number[]
  readonly endings: readonly (readonly number[])[]
}

export interface EndingScore {
  /** `Σ -ln p(token)` over the scored tokens. */
  readonly nats: number
  /** Scored tokens. */
  readonly tokens: number
  /** Whether each token was the single likeliest, so that greedy decoding writes this ending; only if asked. */
  readonly isGreedy?: boolean
}

export interface ScoreEndingsOptions {
  /** Also say whether greedy decoding writes an ending. */
  readonly greedy?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { readonly items: number; readonly total: number }) => void
}
