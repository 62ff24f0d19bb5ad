// Counting words on several threads. The calling thread hands batches of text to workers and counts itself what they have
// no hands for; another worker is started when all have enough to do. Where none can be started (a page whose bundler left
// their module behind, sources that were not built) the calling thread counts everything.
import { platform } from "#platform"
import { DeviceError } from "../core/index.ts"
import type { PlatformWorker } from "../platform/platform.ts"
import { WordCounts, type WordList } from "./word-counts.ts"

/** What the team posts: texts to be counted; last, the order to give the counts. */
export type ToCounter = { readonly kind: "count"; readonly texts: readonly string[] } | { readonly kind: "give" }
/** What a worker posts. `absent` comes in the place of its module, where that cannot be loaded. */
export type FromCounter =
  | { readonly kind: "absent" | "ready" | "counted" }
  | { readonly kind: "words"; readonly list: WordList }

/** Batches a worker has in hand: one that it counts, one to go on with. */
const MAX_PENDING = 2

/** The worker's module, `counting-worker.ts`. Whether the build puts this file in tokenizer/ or in shared/: it leads there. */
const builtWorker = (): string => new URL("../tokenizer/counting-worker.js", import.meta.url).href

export interface CountingTeamOptions {
  /** The calling one included. */
  readonly threads: number
  /** Where the worker's module is; default: beside this one, in the built package. */
  readonly workerUrl?: string
}

export class CountingTeam {
  readonly #counts = new WordCounts()
  readonly #counters: Counter[] = []
  readonly #options: CountingTeamOptions

  constructor(options: CountingTeamOptions) {
    this.#options = options
  }

  /** Threads that count at present. */
  get threads(): number {
    return 1 + this.#counters.filter(({ state }) => state === "ready").length
  }

  /** Counts the words of `texts`: on a worker that has room, else here. With `mayGrow`, it starts one where none has room. */
  async count(texts: readonly string[], mayGrow: boolean): Promise<void> {
    const free = this.#counters.find((counter) => counter.hasRoom)
    if (free) free.count(texts)
    else for (const text of texts) this.#counts.add(text)
    if (!free && mayGrow) this.#grow()
    if (this.#counters.length > 0) await platform.yieldToEventLoop() // or their messages would never arrive
  }

  /** One worker more, unless one is on its way or could not be started: the next could not either. */
  #grow(): void {
    const { threads, workerUrl } = this.#options
    if (this.#counters.length + 1 >= threads || this.#counters.some(({ state }) => state !== "ready")) return
    this.#counters.push(new Counter(workerUrl ?? builtWorker()))
  }

  /** The counts of all threads. @throws DeviceError  if a worker died with what it had counted */
  async words(): Promise<WordList> {
    const working = this.#counters.filter(({ state }) => state !== "starting" && state !== "absent")
    for (const list of await Promise.all(working.map((counter) => counter.words()))) this.#counts.merge(list)
    return this.#counts.list()
  }

  async close(): Promise<void> {
    await Promise.all(this.#counters.map((counter) => counter.end()))
  }
}

/** One worker. */
class Counter {
  state: "starting" | "absent" | "ready" | "dead" = "starting"
  readonly #worker: PlatformWorker
  #pending = 0
  #given: { readonly resolve: (list: WordList) => void; readonly reject: (error: Error) => void } | undefined
  #error: Error | undefined

  constructor(url: string) {
    this.#worker = platform.startWorker(`import(${JSON.stringify(url)}).catch(() => postMessage({ kind: "absent" }))`)
    this.#worker.onMessage((message) => this.#receive(message as FromCounter))
    this.#worker.onError((error) => this.#fail(error))
  }

  get hasRoom(): boolean {
    return this.state === "ready" && this.#pending < MAX_PENDING
  }

  count(texts: readonly string[]): void {
    this.#pending++
    this.#post({ kind: "count", texts })
  }

  words(): Promise<WordList> {
    return new Promise((resolve, reject) => {
      if (this.#error) return reject(this.#error)
      this.#given = { resolve, reject }
      this.#post({ kind: "give" })
    })
  }

  end(): Promise<void> {
    return this.#worker.terminate()
  }

  #post(message: ToCounter): void {
    this.#worker.post(message)
  }

  #receive(message: FromCounter): void {
    if (message.kind === "words") this.#given?.resolve(message.list)
    else if (message.kind === "counted") this.#pending--
    else this.state = message.kind
  }

  #fail(cause: Error): void {
    this.state = this.state === "starting" ? "absent" : "dead"
    this.#error = new DeviceError(`a worker that counts words died: ${cause.message}`, "train with threads: 1", {
      cause,
    })
    this.#given?.reject(this.#error)
  }
}
