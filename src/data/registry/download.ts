// One address read over the network: in chunks, watched, and every way it can go wrong as one sentence. Knows no data set.
import { concatBytes, DataError, formatBytes, KingletError } from "../../core/index.ts"

export type Fetch = typeof globalThis.fetch

export interface DownloadOptions {
  readonly fetch: Fetch
  readonly signal?: AbortSignal | undefined
  /** A body may not be longer: reading stops at once. */
  readonly maxBytes: number
  /** A connection that gives nothing for so long is given up; default 30. */
  readonly stallSeconds?: number | undefined
  /** Told the bytes of each chunk. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

const STALL_SECONDS = 30

/**
 * The body of `url` in chunks.
 *
 * @throws DataError      where the address cannot be reached, answers with an error, sends more than `maxBytes`, or falls silent
 * @throws the signal's reason  if it is aborted
 */
export async function* download(url: string, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { fetch, maxBytes, onBytes } = options
  const watch = createWatch(url, options)
  let received = 0
  try {
    const reader = readerOf(url, await watch.during(fetch(url, { signal: watch.signal })))
    for (;;) {
      const { done, value } = await watch.during(reader.read())
      if (done) return
      received += value.length
      if (received > maxBytes)
        throw new DataError(`${url} sends more than ${maxBytes} bytes, expected no more`, ORIGIN_HINT)
      onBytes?.(value.length)
      yield value
    }
  } catch (error) {
    options.signal?.throwIfAborted()
    throw explain(error, url)
  } finally {
    watch.close()
  }
}

const STALL_HINT = "check the connection and try again; what was there before is untouched"
const BUSY_HINT = "the origin is busy or out of order; try again later"
const ORIGIN_HINT = "the origin may have changed; try again later, or use a newer Kinglet"

function readerOf(url: string, response: Response): ReadableStreamDefaultReader<Uint8Array> {
  const { ok, status, statusText, body } = response
  if (ok && body !== null) return body.getReader()
  const isBusy = status === 429 || status >= 500
  throw new DataError(
    `${url} answers ${status} ${statusText}`.trim() + ", expected a file",
    isBusy ? BUSY_HINT : ORIGIN_HINT,
  )
}

/** Ends what is awaited when the caller aborts or nothing comes for too long, even where `fetch` does not listen. */
function createWatch(url: string, { signal: callers, stallSeconds = STALL_SECONDS }: DownloadOptions) {
  const controller = new AbortController()
  const signal = callers ? AbortSignal.any([callers, controller.signal]) : controller.signal
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true })
  })
  aborted.catch(() => {}) // told to whoever awaits something
  const stall = (): void => controller.abort(new DataError(`${url} has sent nothing for ${stallSeconds} s`, STALL_HINT))
  return {
    signal,
    async during<T>(work: Promise<T>): Promise<T> {
      const timer = setTimeout(stall, 1000 * stallSeconds)
      try {
        signal.throwIfAborted()
        return await Promise.race([work, aborted])
      } finally {
        clearTimeout(timer)
      }
    },
    /** Ends the connection if it is still open. */
    close: () => controller.abort(),
  }
}

const REASONS: { readonly [code: string]: string } = {
  ENOTFOUND: "there is no such host, or no network",
  EAI_AGAIN: "its name cannot be looked up: no network?",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  ETIMEDOUT: "there was no answer",
  UND_ERR_CONNECT_TIMEOUT: "there was no answer",
  ENETUNREACH: "there is no network",
}

const NETWORK_HINT = "check the connection; behind a proxy, Node 24 reads HTTPS_PROXY when NODE_USE_ENV_PROXY=1 is set"

/** What `fetch` throws hides its cause: "fetch failed" because of "getaddrinfo ENOTFOUND". */
function explain(error: unknown, url: string): unknown {
  if (error instanceof KingletError || !(error instanceof TypeError)) return error
  const { code = "", message = error.message } = (error.cause ?? {}) as { code?: string; message?: string }
  return new DataError(`cannot read ${url}: ${REASONS[code] ?? (message || code || error.message)}`, NETWORK_HINT)
}

/**
 * A whole body in memory, of which size and SHA-256 are known.
 *
 * @throws DataError  also where it is another: expected, got
 */
export async function downloadVerified(
  url: string,
  expected: { readonly bytes: number; readonly sha256: string },
  options: Omit<DownloadOptions, "maxBytes"> & { sha256(bytes: Uint8Array): Promise<string> },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of download(url, { ...options, maxBytes: expected.bytes })) chunks.push(chunk)
  const body = concatBytes(chunks)
  if (body.length < expected.bytes)
    throw new DataError(
      `${url} ended after ${body.length} of ${expected.bytes} bytes (${formatBytes(expected.bytes)})`,
      "the connection was cut; try again",
    )
  const sha256 = await options.sha256(body)
  if (sha256 !== expected.sha256)
    throw new DataError(`${url} has the SHA-256 ${sha256}, expected ${expected.sha256}`, ORIGIN_HINT)
  return body
}
