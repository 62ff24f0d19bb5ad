// A model beside counts and compressors that saw the same bytes: gathered, measured, shown, and said in one honest sentence.

import type { FileSystem } from "#platform"
import { openData } from "../data/index.ts"
import { type BaselineName, type BaselineResult, runBaselines } from "../evaluate/index.ts"
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
  readonly validTexts?: readonly string[]
  readonly signal?: AbortSignal
  readonly onProgress?: (what: string) => void
}

/** Every baseline, trained on the run's training tokens and bytes. */
export async function compare({
  files,
  dir,
  tokenizer,
  validTexts,
  signal,
  onProgress,
}: Comparing): Promise<BaselineResult[]> {
  const data = await openData(dataFolderOf(files, dir))
  try {
    const texts = validTexts ?? data.validDocuments.map(({ text }) => text)
    const trainIds = (await data.train.read(0, data.train.length)).slice()
    const validIds = validTexts ? idsOf(texts, tokenizer) : (await data.valid.read(0, data.valid.length)).slice()
    const validText = new TextEncoder().encode(texts.join(""))
    return await runBaselines({
      trainText: tokenizer.decodeBytes(trainIds),
      validText,
      trainIds,
      validIds,
      vocabSize: tokenizer.vocabSize,
      bytes: validText.length,
      ...(signal ? { signal } : {}),
      ...(onProgress
        ? {
            onProgress: ({ name, done, total }) =>
              onProgress(`measuring baselines, ${done + 1} of ${total}: ${titleOf[name]}`),
          }
        : {}),
    })
  } finally {
    await Promise.all([data.train.close(), data.valid.close()])
  }
}

function idsOf(texts: readonly string[], tokenizer: Tokenizer): Int32Array {
  const end = tokenizer.endOfText === undefined ? [] : [tokenizer.endOfText]
  return Int32Array.from(texts.flatMap((text) => [...tokenizer.encode(text), ...end]))
}

/** Seconds that {@link compare} takes, about: what a budget leaves for it. */
export function comparisonSeconds(textBytes: number): number {
  return (SECONDS_PER_MEGABYTE * Math.min(textBytes, 32e6)) / 1e6
}
/** 13 s of CPU for the 2.2 MB of the default text, xz on the other core (LOG.md), and some air. */
const SECONDS_PER_MEGABYTE = 7

export const titleOf: { readonly [name in BaselineName]: string } = {
  "unigram-tokens": "unigram over tokens",
  "unigram-bytes": "unigram over bytes",
  "kneser-ney-tokens": "Kneser-Ney over tokens",
  "kneser-ney-bytes": "Kneser-Ney over bytes",
  brotli: "brotli",
  xz: "xz",
}

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
      name: titleOf[one.name],
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
    .map(({ name, note }) => `${titleOf[name]}: ${note ?? "not measured"}`)

function noteOf({ order, note }: BaselineResult): string {
  return [order === undefined ? undefined : `order ${order}`, note].filter((part) => part !== undefined).join("; ")
}

/** Which baselines the model beats and which not yet. */
export function verdict(ours: number, baselines: readonly BaselineResult[]): string {
  const names = (ones: readonly Measured[]) =>
    list(ones.map(({ name, bitsPerByte }) => `${titleOf[name]} (${bitsPerByte.toFixed(3)})`))
  const known = measured(baselines).sort((a, b) => a.bitsPerByte - b.bitsPerByte)
  const beats = ({ bitsPerByte }: Measured): boolean => ours < bitsPerByte
  const beaten = known.filter(beats)
  const ahead = known.filter((one) => !beats(one))
  if (known.length === 0) return "No baseline could be measured."
  if (ahead.length === 0)
    return `At ${ours.toFixed(3)} bits per byte the model beats every baseline; the closest is ${names(beaten.slice(0, 1))}.`
  if (beaten.length === 0)
    return `At ${ours.toFixed(3)} bits per byte the model beats no baseline yet: a longer budget or more text is what it needs.`
  return `At ${ours.toFixed(3)} bits per byte the model beats ${names(beaten)}, and not yet ${names(ahead)}.`
}

/** `a, b and c`. */
export const list = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`
