// `events.jsonl`: what a run told, one event a line, appended in batches at most a second late. Readers skip a last line that
// a killed process left unfinished.
import type { FileSystem } from "#platform"
import type { TrainEvent } from "./events.ts"

/** How long an event may wait for others before it is written. */
const FLUSH_AFTER_MS = 1000

export interface Journal {
  write(event: TrainEvent): void
  /** Writes what waits; throws what the disk says, keeping the lines for the next time. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** For runs in memory. */
export const silentJournal: Journal = { write: () => {}, flush: async () => {}, close: async () => {} }

/** Opens (or creates) the journal at `path`, ending a line that a killed process left unfinished. */
export async function openJournal(files: FileSystem, path: string): Promise<Journal> {
  let waiting = (await endsInsideLine(files, path)) ? "\n" : ""
  let timer: ReturnType<typeof setTimeout> | undefined
  let writing: Promise<void> = Promise.resolve()
  const append = async (): Promise<void> => {
    const lines = waiting
    waiting = ""
    try {
      if (lines !== "") await files.append(path, lines)
    } catch (error) {
      waiting = lines + waiting
      throw error
    }
  }
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const result = writing.then(append)
    writing = result.catch(() => {})
    return result
  }
  const write = (event: TrainEvent): void => {
    waiting += `${JSON.stringify(event)}\n`
    timer ??= setTimeout(() => void flush().catch(() => {}), FLUSH_AFTER_MS) // told at the next checkpoint, if it lasts
  }
  return { write, flush, close: flush }
}

async function endsInsideLine(files: FileSystem, path: string): Promise<boolean> {
  const bytes = (await files.stat(path))?.bytes ?? 0
  if (bytes === 0) return false
  const handle = await files.open(path, "read")
  try {
    return (await handle.read(bytes - 1, 1))[0] !== 10
  } finally {
    await handle.close()
  }
}

/** The events of a run folder's journal so far, unfinished lines left out. */
export async function readEvents(files: FileSystem, path: string): Promise<TrainEvent[]> {
  if (!(await files.exists(path))) return []
  return (await files.readText(path)).split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as TrainEvent]
    } catch {
      return []
    }
  })
}
