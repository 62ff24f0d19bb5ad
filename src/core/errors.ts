// The four kinds of failure, told apart (style guide, "Errors"): what the caller can fix is a KingletError with a stable
// code and a hint; what we broke ourselves is an InvariantError. Damaged bytes are a FormatError. Nothing here prints.

export type ErrorCode = "shape" | "format" | "config" | "data" | "device"

/** Something the caller can fix: one sentence says what was expected and what came, `hint` says what to try. */
export class KingletError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  constructor(code: ErrorCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.hint = hint
    this.name = new.target.name
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends KingletError {
  constructor(message: string, hint?: string) {
    super("shape", message, hint)
  }
}

/** Bytes that do not follow their format; `offset` is the position in the file where the reader gave up. */
export class FormatError extends KingletError {
  readonly offset: number | undefined
  constructor(message: string, options: { offset?: number; hint?: string; cause?: unknown } = {}) {
    super("format", options.offset === undefined ? message : `${message} (at byte ${options.offset})`, options.hint, {
      cause: options.cause,
    })
    this.offset = options.offset
  }
}

/** A setting that cannot be used as given. */
export class ConfigError extends KingletError {
  constructor(message: string, hint?: string) {
    super("config", message, hint)
  }
}

/** Text or tokens that cannot be used as given. */
export class DataError extends KingletError {
  constructor(message: string, hint?: string) {
    super("data", message, hint)
  }
}

/** The machine lacks something: memory, SIMD, threads, room on the disk. */
export class DeviceError extends KingletError {
  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super("device", message, hint, options)
  }
}

/** Our own promise was broken. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(`${message}; this is a bug in kinglet`)
    this.name = "InvariantError"
  }
}

/** Throws {@link InvariantError} unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}
