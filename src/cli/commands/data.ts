// kinglet data: the public sets by name, which of them are here, and how one gets here.

import { platform } from "#platform"
import { DataError, formatBytes, formatDuration } from "../../core/index.ts"
import { findPublicSet, getPublicSet, type PublicSet, type PublicSetProgress, publicSets } from "../../data/index.ts"
import { INTERRUPTED, interruptible } from "../interrupts.ts"
import { byteRate } from "../numbers.ts"
import type { Output } from "../output.ts"
import { table } from "../table.ts"
import { wrap } from "../text.ts"
import { transientLine } from "../transient-line.ts"

export interface DataCommandOptions {
  readonly folder?: string | undefined
}

export async function listData({ folder }: DataCommandOptions, output: Output): Promise<number> {
  const rows: string[][] = []
  for (const set of publicSets) {
    const { path, state } = await whereIs(set, folder)
    await output.event({ ...set, path: path ?? null, here: state === "" ? "no" : state })
    if (output.quiet) await output.answer(`${set.name}\n`)
    rows.push([set.name, formatBytes(set.bytes), state, `${set.title}: ${set.measures} (${set.licence})`])
  }
  const { bold, dim } = output.colors
  const columns = [
    { title: "name", style: bold },
    { title: "size", align: "right" },
    { title: "here" },
    { title: "what it is and measures, and its licence", style: dim },
  ] as const
  await output.say(...table(columns, rows, output.width), "", "  next: npx kinglet data get NAME")
  return 0
}

/** Another file under the set's name is told, and is nobody's error while nothing is asked of it. */
async function whereIs(set: PublicSet, folder: string | undefined): Promise<{ path?: string; state: string }> {
  try {
    const path = await findPublicSet(set.name, folder)
    return path === undefined ? { state: "" } : { path, state: "yes" }
  } catch (error) {
    if (error instanceof DataError) return { state: "other" }
    throw error
  }
}

export async function getData(
  names: readonly string[],
  { folder }: DataCommandOptions,
  output: Output,
): Promise<number> {
  return interruptible(output, async (signal) => {
    const unknown = names.find((name) => !publicSets.some((set) => set.name === name))
    if (unknown !== undefined) await findPublicSet(unknown, folder) // refuses it before anything is fetched
    for (const name of names) {
      const isDone = await getOne(name, folder, output, signal)
      if (!isDone) return INTERRUPTED
    }
    return 0
  })
}

async function getOne(name: string, folder: string | undefined, output: Output, signal: AbortSignal): Promise<boolean> {
  const line = transientLine(output)
  const startMs = platform.now()
  const seconds = (): number => (platform.now() - startMs) / 1000
  try {
    const onProgress = (progress: PublicSetProgress): void => line.tell(progressText(progress, seconds()))
    const { set, path, isNew } = await getPublicSet(name, { folder, signal, onProgress })
    await line.clear()
    const how = isNew ? `fetched and verified in ${formatDuration(seconds())}` : "here already, verified"
    await output.event({ name, path, isNew, bytes: set.bytes, sha256: set.sha256, licence: set.licence })
    await remark([`${name}: ${how}`, `${set.title}, ${set.licence}`, set.facts], output)
    await output.answer(`${path}\n`)
    return true
  } catch (error) {
    await line.clear()
    if (signal.aborted) return false
    throw error
  }
}

/** For people, beside standard output, which holds paths alone. */
async function remark(sentences: readonly string[], output: Output): Promise<void> {
  if (output.json) return
  const lines = sentences.flatMap((sentence) => wrap(sentence, output.width - 2))
  await output.note(lines.map((line) => `  ${line}`).join("\n"))
}

/** `eltec-eng: 3.8 s left, 12.3 MB of 31.8 MB, 5.2 MB/s`, what matters most first; made once all has come. */
function progressText({ name, bytes, totalBytes }: PublicSetProgress, seconds: number): string {
  if (bytes >= totalBytes) return `${name}: ${formatBytes(bytes)}, reading`
  const rate = bytes / Math.max(seconds, 1e-3)
  const left = formatDuration((totalBytes - bytes) / rate)
  return `${name}: ${left} left, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${byteRate(rate)}`
}
