// A model beside counts and compressors that saw the same bytes: gathered, measured, shown, and said in one honest sentence.

import type { FileSystem } from "#platform"
import { formatBytes, formatDuration } from "../core/index.ts"
import { type DataInput, openData } from "../data/index.ts"
import { BASELINE_NAMES, type BaselineProgress, type BaselineResult, runBaselines } from "../evaluate/index.ts"
import type { Tokenizer } from "../tokenizer/index.ts"
import { dataFolderOf } from "../train/index.ts"
import type { Output } from "./output.ts"
import { progressBar } from "./sparkline.ts"
import { table } from "./table.ts"
import { widthOf } from "./text.ts"

export interface Comparing {
  readonly files: FileSystem
  /** Run folder whose training text the baselines see. */
  readonly dir: string
  readonly tokenizer: Tokenizer
  /** Held-out text; the run's own if not given. */
  readonly valid?: DataInput
  readonly signal?: AbortSignal
  readonly onProgress?: (what: string) => void
}

/** Every baseline, trained on the run's training tokens and bytes. */
export async function compare({
  files,
  dir,
  tokenizer,
  valid,
  signal,
  onProgress,
}: Comparing): Promise<BaselineResult[]> {
  const data = await openData(dataFolderOf(files, dir))
  try {
    return await runBaselines({
      train: data.train,
      valid: valid ?? data.validDocuments,
      tokenizer,
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress: (progress) => onProgress(progressLine(progress)) } : {}),
    })
  } finally {
    await Promise.all([data.train.close(), data.valid.close()])
  }
}

/** `measuring baselines, 3 of 6: Kneser-Ney over bytes, n-gram tables 180 MB, 40 %, 12.0 s left`. */
export function progressLine(progress: BaselineProgress): string {
  const { title, done, total, fraction, tableBytes, predictedSeconds } = progress
  const parts = [
    `measuring baselines, ${done + 1} of ${total}: ${title}`,
    ...(tableBytes === undefined ? [] : [`n-gram tables ${formatBytes(tableBytes)}`]),
    ...(fraction > 0 ? [`${Math.floor(100 * fraction)} %`] : []),
    ...(predictedSeconds === undefined ? [] : [`${formatDuration(predictedSeconds * (1 - fraction))} left`]),
  ]
  return parts.join(", ")
}

/** Seconds that {@link compare} takes, about: what a budget leaves for it. */
export function comparisonSeconds(textBytes: number): number {
  return (SECONDS_PER_MEGABYTE * textBytes) / 1e6
}
/** Some 9 s of CPU a megabyte, brotli and xz beside the models of counts (LOG.md): 4.5 s on two cores, and some air. */
const SECONDS_PER_MEGABYTE = 7

export interface Ours {
  readonly bitsPerByte: number
  /** Such as "0.81M parameters". */
  readonly note: string
}

/** Cells of the longest bar; where fewer than the least are free, there are no bars. */
const [LEAST_BAR, GREATEST_BAR] = [6, 30]

/** Best first, the model among the baselines. */
export function comparisonLines(
  ours: Ours,
  baselines: readonly BaselineResult[],
  { colors, width }: Pick<Output, "colors" | "width">,
): string[] {
  const entries = [
    { name: "this model", bits: ours.bitsPerByte, note: ours.note, ours: true },
    ...measured(baselines).map((one) => ({
      name: one.title,
      bits: one.bitsPerByte,
      note: noteOf(one),
      ours: false,
    })),
  ].sort((a, b) => a.bits - b.bits)
  const bar = barsFor(entries, width)
  const rows = entries.map((entry) => {
    const name = entry.ours ? colors.bold(colors.green(entry.name)) : entry.name
    const drawn = entry.ours ? colors.green(bar(entry.bits)) : colors.dim(bar(entry.bits))
    return [name, colors.bold(entry.bits.toFixed(3)), ...(bar(entry.bits) === "" ? [] : [drawn]), entry.note]
  })
  const bars = rows.some((row) => row.length > 3) ? [{}] : []
  const columns = [{}, { align: "right" as const }, ...bars, { style: colors.dim }]
  return [...table(columns, rows, width), ...missing(baselines).map((line) => `  ${colors.dim(line)}`)]
}

/** Bars as long as the other columns leave room for. */
function barsFor(
  entries: readonly { name: string; bits: number; note: string }[],
  width: number,
): (bits: number) => string {
  const widest = (key: "name" | "note") => Math.max(...entries.map((entry) => widthOf(entry[key])))
  const figures = 5
  const free = Math.min(GREATEST_BAR, width - widest("name") - widest("note") - figures - 8) // indent and three gaps
  const most = Math.max(...entries.map(({ bits }) => bits))
  return (bits) => (free < LEAST_BAR ? "" : progressBar(Math.max(bits / most, 1 / free), free).full)
}

type Measured = BaselineResult & { readonly bitsPerByte: number }
const measured = (baselines: readonly BaselineResult[]): Measured[] =>
  baselines.filter((one): one is Measured => one.bitsPerByte !== undefined)
const missing = (baselines: readonly BaselineResult[]): string[] =>
  baselines
    .filter(({ bitsPerByte }) => bitsPerByte === undefined)
    .map(({ title, note }) => `${title}: ${note ?? "not measured"}`)

function noteOf({ order, tableBytes, note }: BaselineResult): string {
  const counts =
    order === undefined ? undefined : `order ${order}${tableBytes ? `, ${formatBytes(tableBytes)} of counts` : ""}`
  return [counts, note].filter((part) => part !== undefined).join("; ")
}

/** Which baselines the model beats, and plainly which predict the text better. */
export function verdict(ours: number, baselines: readonly BaselineResult[]): string {
  const known = measured(baselines).sort((a, b) => a.bitsPerByte - b.bitsPerByte)
  const beaten = known.filter(({ bitsPerByte }) => ours < bitsPerByte)
  const ahead = known.filter(({ bitsPerByte }) => bitsPerByte <= ours)
  const start = `At ${ours.toFixed(3)} bits per byte the model beats`
  if (known.length === 0) return "No baseline could be measured."
  if (ahead.length === 0) return `${start} every baseline; the closest is ${named(beaten.slice(0, 1))}.`
  if (beaten.length === 0)
    return `${start} no baseline yet: a longer budget or more text is what it needs. ${winning(ahead)}`
  return `${start} ${named(beaten)}. ${winning(ahead)}`
}

const named = (ones: readonly Measured[]): string =>
  list(ones.map(({ title, bitsPerByte }) => `${title} (${bitsPerByte.toFixed(3)})`))

/** `Kneser-Ney over bytes of order 6 (1.900), which only counts, predicts this text better.` */
function winning(ahead: readonly Measured[]): string {
  const titles = ahead.map((one) => ({ ...one, title: one.order ? `${one.title} of order ${one.order}` : one.title }))
  const s = ahead.length === 1 ? "s" : ""
  const all = ahead.map(({ name }) => deedOf(name))
  const deeds = all.includes(undefined) ? [] : [...new Set(all)]
  const clause = deeds.length === 0 ? "" : `, which only ${deeds.map((deed) => `${deed}${s}`).join(" or ")},`
  const sentence = `${named(titles)}${clause} predict${s} this text better.`
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1)
}

/** All that a baseline does, so that losing to it is understood; undefined for one that is a model itself. */
function deedOf(name: string): "count" | "compress" | undefined {
  if (!(BASELINE_NAMES as readonly string[]).includes(name)) return undefined
  return name === "brotli" || name === "xz" ? "compress" : "count"
}

/** `a, b and c`. */
export const list = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`
