// kinglet evaluate --suite: a model examined by tasks, beside what counting the same training text gives.

import { platform } from "#platform"
import { DataError, formatBytes, formatDuration } from "../core/index.ts"
import { findPublicSet, hashText, openData } from "../data/index.ts"
import {
  builtinSuites,
  type Interval,
  modelExaminee,
  openTask,
  runTask,
  runTaskBaselines,
  type Task,
  type TaskBaseline,
  type TaskBaselineOptions,
  type TaskResult,
  whichBaselineWins,
} from "../evaluate/index.ts"
import { dataFolderOf } from "../train/index.ts"
import { SUITE_BASELINE_TITLES } from "./baseline-titles.ts"
import type { Evaluating } from "./evaluating.ts"
import { measuredBy, storeFindings } from "./evaluations.ts"
import { measuredModel } from "./model-facts.ts"
import { count, plural } from "./numbers.ts"
import type { Output } from "./output.ts"
import { progressBar } from "./sparkline.ts"
import { table } from "./table.ts"
import { wrap } from "./text.ts"
import { transientLine } from "./transient-line.ts"

/** Examines, stores and tells. */
export async function evaluateSuite(task: Task, evaluating: Evaluating): Promise<void> {
  const { model, facts, output, weights } = evaluating
  const result = await examined(task, evaluating)
  const baselines = await baselinesOf(task, evaluating)
  const verdict = whichBaselineWins(result, baselines)
  const findings = {
    ...measuredBy(model),
    kind: "suite" as const,
    model: measuredModel(facts, weights),
    data: dataOf(task),
    result: { ...result, baselines: baselines.map(storedBaseline), ...(verdict === undefined ? {} : { verdict }) },
  }
  if (facts.dir !== undefined) await storeFindings(facts.dir, findings, output)
  await output.event(findings)
  await tell(result, baselines, evaluating)
}

/** The headline of a baseline's result. */
function storedBaseline({ result: { accuracy, mean }, ...baseline }: TaskBaseline) {
  return { ...baseline, accuracy, ...(mean === undefined ? {} : { mean }) }
}

/**
 * The suite of that name: built in, or a task file.
 *
 * @throws DataError  if it is neither, or its public set was not fetched yet
 */
export async function suiteOf(name: string): Promise<Task> {
  const suite = Object.hasOwn(builtinSuites, name) ? builtinSuites[name]! : undefined
  if (suite === undefined) return openTask(name)
  const path = await findPublicSet(suite.publicSet)
  if (path === undefined)
    throw new DataError(
      `the suite ${name} needs the public set ${suite.publicSet}, which is not here`,
      `fetch it once: kinglet data get ${suite.publicSet}`,
    )
  return suite.load(platform.files!.stream(path))
}

/** Names the task by all that its items say. */
function dataOf({ name, items }: Task) {
  const text = JSON.stringify(items)
  return { name, sha256: hashText(text), documents: items.length, bytes: new TextEncoder().encode(text).length }
}

async function examined(task: Task, { model, output, signal }: Evaluating): Promise<TaskResult> {
  const line = transientLine(output)
  const start = platform.now()
  try {
    return await runTask(modelExaminee(model), task, {
      signal,
      onProgress: ({ items, total }) => line.tell(progressOf(task.name, items, total, (platform.now() - start) / 1000)),
    })
  } finally {
    await line.clear()
  }
}

function progressOf(name: string, items: number, total: number, seconds: number): string {
  const left = items > 0.02 * total ? `, ${formatDuration((seconds / items) * (total - items))} left` : ""
  return `${name}: ${count(items)} of ${count(total)} items${left}`
}

async function baselinesOf(
  task: Task,
  { model, facts, baselines, output, signal }: Evaluating,
): Promise<TaskBaseline[]> {
  const { tokenizer } = model
  if (facts.dir === undefined || !baselines) return []
  const line = transientLine(output)
  const data = await openData(dataFolderOf(platform.files!, facts.dir))
  try {
    const ids = await data.train.read(0, data.train.length)
    return await runTaskBaselines(task, {
      trainText: tokenizer.decodeBytes(ids),
      tokens: { ids, vocabSize: tokenizer.vocabSize, tokenizer },
      signal,
      onProgress: (progress) => line.tell(countingText(task.name, progress)),
    })
  } finally {
    await line.clear()
    await Promise.all([data.train.close(), data.valid.close()])
  }
}

/** `blimp: Kneser-Ney over bytes, n-gram tables 45 MB, 12,000 of 67,000 items`. */
function countingText(
  task: string,
  { name, items, total, tableBytes }: Parameters<NonNullable<TaskBaselineOptions["onProgress"]>>[0],
): string {
  const tables = tableBytes === undefined ? [] : [`n-gram tables ${formatBytes(tableBytes)}`]
  return [
    `${task}: ${SUITE_BASELINE_TITLES[name]}`,
    ...tables,
    items === 0 ? "counting" : `${count(items)} of ${count(total)} items`,
  ].join(", ")
}

// What is told

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
const range = ({ low, high }: Interval): string => `${(100 * low).toFixed(2)} to ${percent(high)}`

/** The number a task is known by: the unweighted mean over its groups where it has some. */
const headline = ({ mean, accuracy }: Pick<TaskResult, "mean" | "accuracy">): number => mean ?? accuracy

async function tell(
  result: TaskResult,
  baselines: readonly TaskBaseline[],
  { facts, output }: Evaluating,
): Promise<void> {
  const { colors, width } = output
  if (output.quiet) return output.answer(`${percent(headline(result))}\n`)
  const interval = result.meanInterval ?? result.interval
  const over =
    result.mean === undefined
      ? plural(result.items, "item")
      : `mean of ${count(result.groups.length)} groups, ${plural(result.items, "item")}`
  await output.say(
    "",
    `  ${colors.bold(`${percent(headline(result))} on ${result.name}`)}  ${colors.dim(facts.checkpoint)}`,
    ...indented(`95 % interval ${range(interval)}; ${over}`, output),
    ...indented(result.protocol, output).map(colors.dim),
    ...moreLines(result, output),
    ...phenomenonLines(result, output),
    ...rankLines(result, baselines, output),
  )
  const sentence = whichBaselineWins(result, baselines)
  if (sentence !== undefined) await output.say("", ...wrap(`${sentence}.`, width - 2).map((line) => `  ${line}`))
}

const indented = (text: string, { width }: Output): string[] => wrap(text, width - 4).map((line) => `  ${line}`)

/** What a kind of task has beside its accuracy. */
function moreLines(result: TaskResult, output: Output): string[] {
  const { accuracyNormalized, intervalNormalized, bitsPerTarget, perplexity, skipped, skippedBecause } = result
  return [
    ...(accuracyNormalized === undefined
      ? []
      : indented(
          `${percent(accuracyNormalized)} by bits per byte of the choice (${range(intervalNormalized!)})`,
          output,
        )),
    ...(bitsPerTarget === undefined
      ? []
      : indented(`${bitsPerTarget.toFixed(3)} bits for each target, perplexity ${perplexity!.toFixed(1)}`, output)),
    ...(skipped === 0 ? [] : indented(`${plural(skipped, "item")} left out: ${skippedBecause}`, output)),
  ]
}

const PHENOMENON_BAR = 16

function phenomenonLines({ phenomena }: TaskResult, { colors, width }: Output): string[] {
  if (phenomena.length === 0) return []
  const rows = phenomena
    .toSorted((a, b) => b.accuracy - a.accuracy)
    .map(({ name, accuracy, interval }) => [
      name.replaceAll("_", " "),
      percent(accuracy),
      colors.dim(progressBar(accuracy, PHENOMENON_BAR).full),
      range(interval),
    ])
  return ["", ...table([{}, { align: "right", style: colors.bold }, {}, { style: colors.dim }], rows, width)]
}

/** The model among counts of the same text and published results. */
function rankLines(result: TaskResult, baselines: readonly TaskBaseline[], { colors, width }: Output): string[] {
  const ours = { name: "this model", accuracy: headline(result), note: "", isOurs: true }
  const counted = baselines.map(({ name, order, note, result: theirs }) => ({
    name: SUITE_BASELINE_TITLES[name],
    accuracy: headline(theirs),
    note: [order === undefined ? undefined : `order ${order}`, note].filter((part) => part !== undefined).join("; "),
    isOurs: false,
  }))
  const published = result.published.map((one) => ({ ...one, note: "published", isOurs: false }))
  const all = [ours, ...counted, ...published]
  if (all.length === 1) return []
  const rows = all
    .sort((a, b) => b.accuracy - a.accuracy)
    .map(({ name, accuracy, note, isOurs }) => [
      isOurs ? colors.bold(colors.green(name)) : name,
      percent(accuracy),
      note,
    ])
  return ["", ...table([{}, { align: "right", style: colors.bold }, { style: colors.dim }], rows, width)]
}
