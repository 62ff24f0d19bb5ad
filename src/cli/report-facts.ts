// From run folders to what a report is made of: records of training, stored findings, and comparisons between them.
import {
  type ComparisonFacts,
  type ComparisonOfTwo,
  type CrossDomainFacts,
  type CrossDomainMatrix,
  type Findings,
  REPORT_VERSION,
  type RecipeFact,
  type ReportFacts,
  type ResultFacts,
  type RunFacts,
  type StoredSuiteBaseline,
  type SuiteBaselineFacts,
  type SuiteFacts,
  type SuiteResult,
  type TextFindings,
} from "../evaluate/index.ts"
import { SUITE_BASELINE_TITLES } from "./baseline-titles.ts"
import { list, verdict } from "./comparison.ts"
import { groupOf } from "./contestants.ts"
import type { ModelFacts } from "./model-facts.ts"
import { reasonsOf } from "./request.ts"
import type { TrainingFacts } from "./training-facts.ts"

/** One run with all that is known about it. */
export interface ReportedRun {
  readonly name: string
  readonly model: ModelFacts
  readonly text: TextFindings
  /** All that the run has stored about this model. */
  readonly findings: readonly Findings[]
}

/** Points of a training curve that a page can show. */
const MAX_POINTS = 600
/** Samples shown of each run: the last ones. */
const MAX_SAMPLES = 3

/** What a report about `runs` tells. */
export function reportFacts(
  runs: readonly ReportedRun[],
  comparisons: readonly ComparisonOfTwo[],
  notes: readonly string[],
): ReportFacts {
  const all = runs.flatMap(({ findings }) => findings)
  const matrix = newest(all.filter((one) => one.kind === "cross-domain"))
  const crossDomain = matrix && crossDomainFacts(matrix.result)
  const groups = groupLabels(runs)
  return {
    version: REPORT_VERSION,
    title: runs.length <= 3 ? list(runs.map(({ name }) => name)) : `${runs.length} runs`,
    ...(comparisons[0] ? { verdict: comparisons[0].sentence } : {}),
    date: [...runs]
      .map(({ text }) => text.when.slice(0, 10))
      .sort()
      .at(-1)!,
    runs: runs.map((run, at) => runFacts(run, groups[at])),
    ...(comparisons.length > 0 ? { comparisons: comparisons.map(comparisonFacts) } : {}),
    ...(crossDomain ? { crossDomain } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  }
}

/** The latest findings; of a run that was measured again, what counts. */
function newest<T extends Findings>(findings: readonly T[]): T | undefined {
  return findings.toSorted((a, b) => Date.parse(b.when) - Date.parse(a.when))[0]
}

/** Generalization to the text that was measured; where there is none, the latest to another one. */
function generalizationOf({ text, findings }: ReportedRun) {
  const all = findings.filter((one) => one.kind === "generalization")
  return newest(all.filter(({ data }) => data.sha256 === text.data.sha256)) ?? newest(all)
}

/** A label for runs that differ in their seed only: the name of the first. */
function groupLabels(runs: readonly ReportedRun[]): (string | undefined)[] {
  const keys = runs.map(({ model }) => model.training && groupOf(model.training.recipe))
  return keys.map((key) => {
    const members = keys.filter((other) => other === key).length
    return key === undefined || members < 2 ? undefined : `${runs[keys.indexOf(key)]!.name} (${members} seeds)`
  })
}

function runFacts(run: ReportedRun, group: string | undefined): RunFacts {
  const { name, model, text, findings } = run
  const { training } = model
  const suites = findings.filter((one) => one.kind === "suite").map(({ result }) => suiteFacts(result))
  const general = generalizationOf(run)?.result
  return {
    name,
    ...(group === undefined ? {} : { group }),
    parameters: model.parameters,
    bytes: model.bytes,
    ...(training ? trainingPart(training) : {}),
    machine: machineOf(text, training),
    result: resultFacts(text),
    ...(suites.length > 0 ? { suites } : {}),
    ...(text.result.reliability ? { reliability: text.result.reliability } : {}),
    ...(general ? { generalization: { sentence: general.sentence, parts: general.parts ?? [] } } : {}),
  }
}

/** The unweighted mean over groups is a suite's headline where it has groups, as published for BLiMP. */
function suiteFacts({
  name,
  accuracy,
  interval,
  items,
  mean,
  meanInterval,
  chance,
  phenomena,
  published,
  baselines,
  verdict: sentence,
}: SuiteResult) {
  const headline = mean === undefined ? interval : meanInterval
  const facts: SuiteFacts = {
    name,
    accuracy: mean ?? accuracy,
    ...(headline ? { interval: headline } : {}),
    ...(items === undefined ? {} : { items }),
    ...(chance === undefined ? {} : { chance }),
    ...(phenomena ? { phenomena } : {}),
    ...(published ? { published } : {}),
    ...(baselines ? { baselines: baselines.map(suiteBaselineFacts) } : {}),
    ...(sentence === undefined ? {} : { verdict: sentence }),
  }
  return facts
}

function suiteBaselineFacts({ name, order, accuracy, mean, note }: StoredSuiteBaseline): SuiteBaselineFacts {
  const titles: { readonly [name: string]: string } = SUITE_BASELINE_TITLES
  const title = Object.hasOwn(titles, name) ? titles[name]! : name
  return {
    name: order === undefined ? title : `${title}, order ${order}`,
    accuracy: mean ?? accuracy,
    ...(note === undefined ? {} : { note }),
  }
}

function trainingPart(training: TrainingFacts): Partial<RunFacts> {
  const { recipe, flops, tokensPerSecond, memoryBytes, seconds, data, losses, heldOut, samples } = training
  const sides = data ? (["train", "valid"] as const) : []
  return {
    seed: recipe.seed,
    recipe: recipeFacts(recipe),
    ...(flops === undefined ? {} : { flops }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    seconds,
    dataHashes: sides.map((side) => {
      const { sha256, bytes } = data![side]
      return { name: `${data!.name}, ${side === "train" ? "trained on" : "held out"}`, sha256, bytes }
    }),
    training: thinned(losses, MAX_POINTS),
    heldOut: heldOut.map(({ step, nats, bitsPerByte }) => ({ step, nats, bitsPerByte })),
    samples: samples.slice(-MAX_SAMPLES).map(({ prompt, text, step }) => ({ prompt, text, step })),
  }
}

/** At most `most` of `items`, evenly spread, the last among them. */
export function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, at) => items[Math.round((at * (items.length - 1)) / (most - 1))]!)
}

/** Derived entries with their reasons first, then all others. */
export function recipeFacts(recipe: TrainingFacts["recipe"]): RecipeFact[] {
  const derived = reasonsOf(recipe).map(([key, { value, because, source }]) => ({ key, value, because, source }))
  const explained = new Set(derived.map(({ key }) => key))
  const { explained: _, version: _version, ...rest } = recipe
  return [...derived, ...leavesOf(rest, "").filter(({ key }) => !explained.has(key))]
}

function leavesOf(value: object, path: string): RecipeFact[] {
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) => {
    const key = path === "" ? name : `${path}.${name}`
    const isInner = typeof each === "object" && each !== null && !Array.isArray(each)
    return isInner ? leavesOf(each, key) : [{ key, value: each }]
  })
}

/** All of the machine that measured, and apart from it what the model was trained on. */
function machineOf(
  { machine, kinglet, commit }: TextFindings,
  training: TrainingFacts | undefined,
): NonNullable<RunFacts["machine"]> {
  return {
    engine: machine.engine,
    cores: machine.cores,
    device: deviceText(machine.device),
    ...(training?.device ? { trainedOn: `${deviceText(training.device)}, by kinglet ${training.kinglet}` } : {}),
    version: kinglet,
    ...(commit === undefined ? {} : { commit }),
  }
}

function deviceText({ kind, lanes, choices }: TextFindings["machine"]["device"]): string {
  const blas = choices["blas"]
  const products = typeof blas === "string" && blas !== "" ? `, products by ${blas}` : ""
  return `${kind}, ${lanes} lane${lanes === 1 ? "" : "s"}${products}`
}

function resultFacts({ data, result }: TextFindings): ResultFacts {
  const { bitsPerByte, bitsPerCharacter, bitsPerToken, tokens, bytes, protocol, interval, noInterval, baselines } =
    result
  return {
    text: data.name,
    sha256: data.sha256,
    bitsPerByte,
    bitsPerCharacter,
    bitsPerToken,
    documents: data.documents,
    tokens,
    bytes,
    protocol,
    ...(interval ? { interval } : {}),
    ...(noInterval === undefined ? {} : { noInterval }),
    ...(baselines
      ? {
          verdict: verdict(bitsPerByte, baselines),
          baselines: baselines.map(({ title, bitsPerByte: bits, note }) => ({
            name: title,
            ...(bits === undefined ? {} : { bitsPerByte: bits }),
            ...(note === undefined ? {} : { note }),
          })),
        }
      : {}),
  }
}

/** Units that a report has a way to write. */
const REPORT_UNITS = {
  bitsPerByte: "bitsPerByte",
  count: "count",
  bytes: "bytes",
  flops: "flops",
  seconds: "seconds",
  tokensPerSecond: "tokensPerSecond",
  bytesPerSecond: "bytes",
  tokens: "count",
} as const

function comparisonFacts({ a, b, axes, sentence, difference }: ComparisonOfTwo): ComparisonFacts {
  return {
    a: a.name,
    b: b.name,
    sentence,
    axes: axes.map(({ axis, a: valueA, b: valueB, winner }) => ({
      name: axis.unit === "bytesPerSecond" ? "text evaluated a second" : axis.name,
      unit: REPORT_UNITS[axis.unit],
      winner,
      ...(valueA === undefined ? {} : { a: valueA }),
      ...(valueB === undefined ? {} : { b: valueB }),
      ...(axis.key === "bitsPerByte" ? differenceOf(difference) : {}),
    })),
  }
}

const differenceOf = ({ difference, interval, pValue }: ComparisonOfTwo["difference"]) => ({
  difference,
  ...(interval ? { interval } : {}),
  ...(pValue === undefined ? {} : { pValue }),
})

function crossDomainFacts({ rows, columns, cells }: CrossDomainMatrix): CrossDomainFacts {
  const notes = rows.flatMap(({ name }, row) =>
    cells[row]!.flatMap(({ note }, at) => (note === undefined ? [] : [`${name} on ${columns[at]!.name}: ${note}`])),
  )
  return {
    rows: rows.map(({ name, own }) => ({ name, ...(own === undefined ? {} : { own }) })),
    columns: columns.map(({ name }) => name),
    cells: cells.map((line) => line.map(({ bitsPerByte, unreadable }) => bitsPerByte ?? unreadable ?? null)),
    ...(notes.length > 0 ? { notes } : {}),
  }
}
