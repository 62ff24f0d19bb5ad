// What counting alone gives on a suite, from the same training text: the numbers a model has to beat.
import { platform } from "#platform"
import type { Tokenizer } from "../../tokenizer/index.ts"
import { noteOnRoom, roomFor } from "../baselines/counting.ts"
import { DEFAULT_ORDERS, fitKneserNey, type KneserNeyModel } from "../baselines/kneser-ney.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"
import type { SymbolArray } from "../baselines/symbols.ts"
import { bytesOfTables, predictTrie } from "../baselines/table-size.ts"
import { countSymbols, startCounting, unigramOf } from "../baselines/unigram.ts"
import { byteExaminee, kneserNeyScorer, unigramScorer } from "./count-scorers.ts"
import type { Examinee } from "./examinee.ts"
import { type RunTaskOptions, runTask } from "./run-task.ts"
import type { Task } from "./task.ts"
import type { TaskResult } from "./task-result.ts"

export type TaskBaselineName = "unigram-bytes" | "kneser-ney-bytes" | "kneser-ney-tokens"

export interface TaskBaselineOptions extends Pick<RunTaskOptions, "signal"> {
  /** The bytes the model was trained on. */
  readonly trainText: Uint8Array
  /** The same text as the model reads it; without it there is no baseline over tokens. */
  readonly tokens?: {
    readonly ids: SymbolArray
    readonly vocabSize: number
    readonly tokenizer: Pick<Tokenizer, "encode" | "endOfText">
  }
  /** Default 2 to 9. */
  readonly byteOrders?: readonly number[]
  /** Default 2 to 9. */
  readonly tokenOrders?: readonly number[]
  /**
   * Memory that symbols, their sort and tables may take; default half of what is free. Where it is too little, orders or the
   * training text shrink, and `note` says so.
   */
  readonly memoryBytes?: number
  readonly onProgress?: (progress: {
    readonly name: TaskBaselineName
    readonly items: number
    readonly total: number
    /** Bytes of its tables: predicted before the text is sorted, exact before they are allocated. */
    readonly tableBytes?: number
  }) => void
}

export interface TaskBaseline {
  readonly name: TaskBaselineName
  readonly order?: number
  readonly tableBytes: number
  readonly result: TaskResult
  readonly note?: string
}

/**
 * The unigram and the Kneser-Ney model of the training text, examined like a model. The order of the n-grams is chosen on the
 * last tenth of the training text, never on the task.
 *
 * @throws DataError  if the training text has fewer than two symbols
 * @throws the signal's reason  if it is aborted
 */
export async function runTaskBaselines(task: Task, options: TaskBaselineOptions): Promise<TaskBaseline[]> {
  const { signal, onProgress, memoryBytes = platform.memory().freeBytes / 2 } = options
  const baselines: TaskBaseline[] = []
  for (const name of Object.keys(fits) as TaskBaselineName[]) {
    let sizes: { readonly tableBytes?: number } = {}
    const report = (items: number) => onProgress?.({ name, items, total: task.items.length, ...sizes })
    const onTables = (tableBytes: number): void => {
      sizes = { tableBytes }
      report(0)
    }
    report(0)
    const fitted = await runSliced(fits[name]({ ...options, memoryBytes, onTables }), signal)
    if (fitted === undefined) continue
    const { examinee, note, ...facts } = fitted
    const running = { ...(signal && { signal }), onProgress: ({ items }: { readonly items: number }) => report(items) }
    baselines.push({
      name,
      ...facts,
      result: await runTask(examinee, task, running),
      ...(note !== undefined && { note }),
    })
  }
  return baselines
}

interface Fitting extends TaskBaselineOptions {
  readonly memoryBytes: number
  /** Told how many bytes the tables take: about, then exactly. */
  readonly onTables: (bytes: number) => void
}

type Fitted = Pick<TaskBaseline, "order" | "tableBytes"> & {
  readonly examinee: Examinee
  readonly note?: string | undefined
}

/** How each is made of the training text; undefined where there is nothing to make it of. In the order in which they run. */
const fits: { readonly [name in TaskBaselineName]: (fitting: Fitting) => Sliced<Fitted | undefined> } = {
  *"unigram-bytes"({ trainText }) {
    const counts = startCounting(256)
    yield* countSymbols(counts, trainText)
    const model = unigramOf(counts)
    return { examinee: byteExaminee(unigramScorer(model)), tableBytes: model.tableBytes }
  },
  *"kneser-ney-bytes"(fitting) {
    const { trainText, byteOrders = DEFAULT_ORDERS } = fitting
    const { model, note } = yield* fitWithin({ ids: trainText, vocabSize: 256, orders: byteOrders }, fitting)
    return { examinee: byteExaminee(kneserNeyScorer(model)), order: model.order, tableBytes: model.tableBytes, note }
  },
  *"kneser-ney-tokens"(fitting) {
    const { tokens, tokenOrders = DEFAULT_ORDERS } = fitting
    if (tokens === undefined) return undefined
    const { model, note } = yield* fitWithin({ ...tokens, orders: tokenOrders }, fitting)
    const examinee = { tokenizer: tokens.tokenizer, contextTokens: Infinity, scoreEndings: kneserNeyScorer(model) }
    return { examinee, order: model.order, tableBytes: model.tableBytes, note }
  },
}

interface Symbols {
  readonly ids: SymbolArray
  readonly vocabSize: number
  /** To choose from. */
  readonly orders: readonly number[]
}

/** Kneser-Ney of as much of the training symbols, at their end, and of such orders as memory holds; its size is told first. */
function* fitWithin(
  { ids, vocabSize, orders }: Symbols,
  { trainText, memoryBytes, onTables }: Fitting,
): Sliced<{ model: KneserNeyModel; note: string | undefined }> {
  const room = roomFor({ vocabSize, trainLength: ids.length }, memoryBytes)
  const kept = ids.subarray(ids.length - room.symbols)
  const predicted = yield* predictTrie(kept, Math.max(...orders), vocabSize)
  onTables(Math.round(bytesOfTables({ ...predicted, orders, vocabSize })))
  const model = yield* fitKneserNey(kept, { orders, vocabSize, tableBytes: room.tableBytes, onTables })
  const text = { trainBytes: trainText.length }
  return { model, note: noteOnRoom(kept.length / ids.length, text, orders, model.choice) }
}

/** A plain sentence where a baseline does at least as well as the model; undefined where the model does better. */
export function whichBaselineWins(result: TaskResult, baselines: readonly TaskBaseline[]): string | undefined {
  const best = baselines.toSorted((a, b) => headline(b.result) - headline(a.result))[0]
  if (best === undefined || headline(best.result) < headline(result)) return undefined
  const name = best.order === undefined ? best.name : `${best.name} of order ${best.order}`
  return `${name}, which only counts the training text, reaches ${percent(best.result)} on ${result.name}; the model, with ${percent(result)}, does not do better`
}

/** The number a task is known by. */
const headline = ({ mean, accuracy }: TaskResult): number => mean ?? accuracy

const percent = (result: TaskResult): string => `${(100 * headline(result)).toFixed(2)} %`
