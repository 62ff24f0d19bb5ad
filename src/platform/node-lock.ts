/// <reference types="node" />
// Exclusive locks between processes of one machine: a file with the holder's process id and start time, created whole or not
// at all. A holder killed without a word is recognized (no such process, or one that started later) and taken over.
import { spawnSync } from "node:child_process"
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"

interface Holder {
  readonly pid: number
  /** When the process started, in whatever words the system has; empty where unknown. */
  readonly started: string
}

export type LockResult = { release(): Promise<void> } | { heldBy: number }

const NO_HARD_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EISDIR", "EMLINK"])
/** How often a lock is tried again when its file vanishes between two looks: contention, never a wait for the holder. */
const MAX_TRIES = 100
let serial = 0

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? ""

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ESRCH") return undefined
    throw error
  }
}

/**
 * When process `pid` started; undefined if there is no such process, empty where the system does not tell.
 *
 * Linux: boot id and field 22 of `/proc/PID/stat`, ticks since boot (proc(5)); a zombie (state Z) counts as gone.
 */
function processStart(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readOrUndefined(`/proc/${pid}/stat`)
    if (stat === undefined) return undefined
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ") // from field 3: the name before may hold spaces
    if (fields[0] === "Z" || fields[0] === "X") return undefined
    return `${readOrUndefined("/proc/sys/kernel/random/boot_id")?.trim()} ${fields[19]}`
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === "ESRCH") return undefined
  }
  if (process.platform === "win32") return ""
  return spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() ?? ""
}

function isAlive(holder: Holder): boolean {
  const started = processStart(holder.pid)
  return started !== undefined && (started === "" || holder.started === "" || started === holder.started)
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, started } = JSON.parse(text) as Holder
    return Number.isInteger(pid) && pid > 0 && typeof started === "string" ? { pid, started } : undefined
  } catch {
    return undefined // damaged or empty: nobody we know holds it
  }
}

/** Creates `path` holding `text`, whole or not at all; false if it exists. */
function createWhole(path: string, text: string): boolean {
  const temporary = `${path}.${process.pid}.${serial++}.tmp`
  try {
    writeFileSync(temporary, text, { flag: "wx" })
    linkSync(temporary, path)
    return true
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false
    if (!NO_HARD_LINKS.has(codeOf(error))) throw error
    return createExclusive(path, text)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** For file systems without hard links: O_EXCL, filled at once. */
function createExclusive(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx" })
    return true
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false
    throw error
  }
}

/**
 * Takes the lock file at `path`, or says who holds it.
 *
 * A stale file is replaced only while `path.takeover` is held, a lock of the same kind, and only if it is still the file
 * that was judged stale: of two processes that find the same dead holder, one wins and the other sees it.
 */
export function takeLock(path: string): LockResult {
  const mine = JSON.stringify({ pid: process.pid, started: processStart(process.pid) ?? "", serial: serial++ })
  const release = async (): Promise<void> => {
    if (readOrUndefined(path) === mine) rmSync(path, { force: true })
  }
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    if (createWhole(path, mine)) return { release }
    const theirs = readOrUndefined(path)
    if (theirs === undefined) continue // released between our two looks
    const holder = parseHolder(theirs)
    if (holder && isAlive(holder)) return { heldBy: holder.pid }
    const takeover = replaceStale(path, theirs, mine)
    if (typeof takeover === "number") return { heldBy: takeover }
    if (takeover) return { release }
  }
  return { heldBy: parseHolder(readOrUndefined(path) ?? "")?.pid ?? 0 }
}

/** True if `stale` was replaced by `mine`, false if the file has changed since, the process id of whoever is replacing it. */
export function replaceStale(path: string, stale: string, mine: string): boolean | number {
  const guard = takeLock(`${path}.takeover`)
  if ("heldBy" in guard) return guard.heldBy
  try {
    if (readOrUndefined(path) !== stale) return false
    const temporary = `${path}.${process.pid}.${serial++}.tmp`
    writeFileSync(temporary, mine, { flag: "wx" })
    renameSync(temporary, path)
    return true
  } finally {
    void guard.release()
  }
}
