// What a run's own records tell of its training: how much was spent, how the loss went, on which machine. Nothing is measured.
import type { FileSystem } from "#platform"
import { FormatError } from "../core/index.ts"
import type { DataSummary } from "../data/index.ts"
import {
  type CheckpointState,
  dataFolderOf,
  type EvaluationEndEvent,
  type Recipe,
  type RunStartEvent,
  readEvents,
  readRecipe,
  type SampleEvent,
  type StepEndEvent,
  type TrainEvent,
} from "../train/index.ts"

/** The training of a run up to a checkpoint. */
export interface TrainingFacts {
  readonly recipe: Recipe
  /** Steps made up to here. */
  readonly step: number
  readonly isFinished: boolean
  readonly tokens: number
  /** All sittings together, evaluations and checkpoints included. */
  readonly seconds: number
  /** By structure, optimizer included: `flopsPerStep · step`. */
  readonly flops?: number
  /** Of the median step. */
  readonly tokensPerSecond?: number
  /** Planned bytes of states, activations and scratch: known before the first step, and exact. */
  readonly memoryBytes?: number
  readonly device?: RunStartEvent["device"]
  /** Version of the package that trained. */
  readonly kinglet: string
  readonly data?: DataSummary
  readonly losses: readonly { readonly step: number; readonly tokens: number; readonly nats: number }[]
  readonly heldOut: readonly EvaluationEndEvent[]
  readonly samples: readonly SampleEvent[]
}

/** The training of the run in `dir` up to the checkpoint that `state` is of. */
export async function trainingFacts(files: FileSystem, dir: string, state: CheckpointState): Promise<TrainingFacts> {
  const recipe = await readRecipe(files, dir)
  const history = historyOf(await readEvents(files, files.join(dir, "events.jsonl")), state.step)
  const summary = files.join(dataFolderOf(files, dir), "summary.json")
  const data = (await files.exists(summary)) ? summaryFrom(await files.readText(summary), summary) : undefined
  return {
    recipe,
    step: state.step,
    isFinished: state.step >= recipe.steps,
    tokens: state.tokens,
    seconds: state.seconds,
    kinglet: state.kinglet,
    ...(data ? { data } : {}),
    ...history,
  }
}

/** @throws FormatError  if the text is no JSON, or does not name both texts */
export function summaryFrom(text: string, path: string): DataSummary {
  const damage = (what: string, cause?: unknown) =>
    new FormatError(`${path} is damaged: ${what}`, { hint: "prepare the data again", cause })
  let value: Partial<DataSummary> | null
  try {
    value = JSON.parse(text) as Partial<DataSummary> | null
  } catch (cause) {
    throw damage("it is no JSON", cause)
  }
  if (typeof value?.name !== "string") throw damage("its name is missing")
  for (const side of ["train", "valid"] as const)
    if (typeof value[side]?.sha256 !== "string" || typeof value[side].bytes !== "number")
      throw damage(`${side} must have sha256 and bytes`)
  return value as DataSummary
}

type History = Pick<
  TrainingFacts,
  "flops" | "tokensPerSecond" | "memoryBytes" | "device" | "losses" | "heldOut" | "samples"
>

/** What happened up to `lastStep`; steps that a resumed run made again count once, as they were made last. */
export function historyOf(events: readonly TrainEvent[], lastStep: number): History {
  const kept: TrainEvent[] = []
  for (const event of events) {
    if (event.type === "run-start") dropAfter(kept, event.resumedFromStep ?? 0)
    if (!("step" in event) || event.step <= lastStep) kept.push(event)
  }
  const of = <T extends TrainEvent["type"]>(type: T) =>
    kept.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type)
  const start = of("run-start").at(-1)
  const steps = of("step-end")
  return {
    losses: lossesOf(steps),
    heldOut: of("evaluation-end"),
    samples: of("sample"),
    ...(steps.length > 0 ? { tokensPerSecond: median(steps.map((one) => one.tokensPerSecond)) } : {}),
    ...(start ? { flops: start.flopsPerStep * lastStep, memoryBytes: start.plannedBytes, device: start.device } : {}),
  }
}

function dropAfter(events: TrainEvent[], step: number): void {
  const after = events.filter((event) => !("step" in event) || event.step <= step)
  events.splice(0, events.length, ...after)
}

function lossesOf(steps: readonly StepEndEvent[]): TrainingFacts["losses"] {
  let tokens = 0
  return steps.map(({ step, loss, tokens: more }) => ({ step, tokens: (tokens += more), nats: loss }))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
