// What counting alone gives on a suite, from the same training text: the numbers a model has to beat.
import { formatBytes } from "../../core/index.ts"
import type { Tokenizer } from "../../tokenizer/index.ts"
import { fitKneserNey } from "../baselines/kneser-ney.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"
import type { SymbolArray } from "../baselines/symbols.ts"
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
  readonly byteOrders?: readonly number[]
  readonly tokenOrders?: readonly number[]
  /** Training bytes beyond this, at the front, are left out and `note` says so. Default 32 MB. */
  readonly maxTrainBytes?: number
  readonly onProgress?: (progress: {
    readonly name: TaskBaselineName
    readonly items: number
    readonly total: number
  }) => void
}

export interface TaskBaseline {
  readonly name: TaskBaselineName
  readonly order?: number
  readonly tableBytes: number
  readonly result: TaskResult
  readonly note?: string
}

const BYTE_ORDERS = [3, 4, 5, 6, 7, 8, 9]
const TOKEN_ORDERS = [2, 3, 4, 5, 6]
/** Kneser-Ney needs about 15 bytes of memory a training byte while it is built. */
const MAX_TRAIN_BYTES = 32e6

/**
 * The unigram and the Kneser-Ney model of the training text, examined like a model. The order of the n-grams is chosen on the
 * last tenth of the training text, never on the task.
 *
 * @throws DataError  if the training text has fewer than two symbols
 * @throws the signal's reason  if it is aborted
 */
export async function runTaskBaselines(task: Task, options: TaskBaselineOptions): Promise<TaskBaseline[]> {
  const { signal, onProgress } = options
  const { parts, note } = truncateTraining(options)
  const baselines: TaskBaseline[] = []
  for (const name of Object.keys(fits) as TaskBaselineName[]) {
    const report = (items: number) => onProgress?.({ name, items, total: task.items.length })
    report(0)
    const fitted = await runSliced(fits[name](parts), signal)
    if (fitted === undefined) continue
    const { examinee, ...facts } = fitted
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

type Fitted = Pick<TaskBaseline, "order" | "tableBytes"> & { readonly examinee: Examinee }

/** How each is made of the training text; undefined where there is nothing to make it of. In the order in which they run. */
const fits: { readonly [name in TaskBaselineName]: (parts: TaskBaselineOptions) => Sliced<Fitted | undefined> } = {
  *"unigram-bytes"({ trainText }) {
    const counts = startCounting(256)
    yield* countSymbols(counts, trainText)
    const model = unigramOf(counts)
    return { examinee: byteExaminee(unigramScorer(model)), tableBytes: model.tableBytes }
  },
  *"kneser-ney-bytes"({ trainText, byteOrders = BYTE_ORDERS }) {
    const model = yield* fitKneserNey(trainText, { orders: byteOrders, vocabSize: 256 })
    return { examinee: byteExaminee(kneserNeyScorer(model)), order: model.order, tableBytes: model.tableBytes }
  },
  *"kneser-ney-tokens"({ tokens, tokenOrders = TOKEN_ORDERS }) {
    if (tokens === undefined) return undefined
    const model = yield* fitKneserNey(tokens.ids, { orders: tokenOrders, vocabSize: tokens.vocabSize })
    const examinee = { tokenizer: tokens.tokenizer, contextTokens: Infinity, scoreEndings: kneserNeyScorer(model) }
    return { examinee, order: model.order, tableBytes: model.tableBytes }
  },
}

/** The last part of the training text, and the same part of its tokens, where all of it would not fit. */
function truncateTraining(options: TaskBaselineOptions): { parts: TaskBaselineOptions; note?: string } {
  const { trainText, tokens, maxTrainBytes = MAX_TRAIN_BYTES } = options
  if (trainText.length <= maxTrainBytes) return { parts: options }
  const dropped = 1 - maxTrainBytes / trainText.length
  const ids = tokens?.ids.subarray(Math.round(tokens.ids.length * dropped))
  return {
    parts: {
      ...options,
      trainText: trainText.subarray(trainText.length - maxTrainBytes),
      ...(tokens && ids && { tokens: { ...tokens, ids } }),
    },
    note: `saw the last ${formatBytes(maxTrainBytes)} of ${formatBytes(trainText.length)} of training text`,
  }
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
