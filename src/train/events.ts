// What a run tells: one union of facts, read by the CLI, tests, plots and the run's own `events.jsonl` (one event a line).
import type { DataSummary } from "../data/index.ts"
import type { Recipe } from "./recipe.ts"

/** Always the first event. */
export interface RunStartEvent {
  readonly type: "run-start"
  readonly recipe: Recipe
  readonly vocabSize: number
  readonly parameters: { readonly total: number; readonly nonEmbedding: number; readonly matmul: number }
  /** Of one optimizer step, all accumulation passes and the optimizer itself included, by structure. */
  readonly flopsPerStep: number
  readonly tokensPerStep: number
  /** Exact bytes of states, activations and scratch. */
  readonly plannedBytes: number
  readonly device: {
    readonly kind: string
    readonly lanes: number
    readonly choices: { readonly [name: string]: string | number | boolean }
  }
  readonly data: DataSummary
  /** Absolute or as given; absent for a run in memory. */
  readonly dir?: string
  /** Steps already done when this run took up an older one. */
  readonly resumedFromStep?: number
}

export interface StepEndEvent {
  readonly type: "step-end"
  /** Steps done, this one included: 1 … recipe.steps. */
  readonly step: number
  /** Mean over the step's tokens, before its update, in nats per token. */
  readonly loss: number
  readonly learningRate: number
  /** Global norm before clipping. */
  readonly gradientNorm: number
  /** Norm of the update over norm of the parameters, where the optimizer tells. */
  readonly updateRatio?: number
  /** Tokens of this step. */
  readonly tokens: number
  /** Over the last second or so. */
  readonly tokensPerSecond: number
  /** Since the run (or its resumption) started. */
  readonly seconds: number
}

export interface EvaluationStartEvent {
  readonly type: "evaluation-start"
  readonly step: number
  /** Held-out tokens that will be predicted. */
  readonly tokens: number
}

export interface EvaluationProgressEvent {
  readonly type: "evaluation-progress"
  readonly step: number
  readonly tokens: number
  readonly totalTokens: number
}

export interface EvaluationEndEvent {
  readonly type: "evaluation-end"
  readonly step: number
  /** Mean over held-out tokens, nats per token. */
  readonly nats: number
  /** Over the exact UTF-8 bytes of the held-out text. */
  readonly bitsPerByte: number
  readonly tokens: number
  /** All of the held-out text was read (always true of the last evaluation). */
  readonly whole: boolean
  readonly seconds: number
  /** The lowest so far. */
  readonly best: boolean
}

export interface SampleEvent {
  readonly type: "sample"
  readonly step: number
  readonly prompt: string
  /** Continuation, without the prompt. */
  readonly text: string
}

export interface CheckpointEndEvent {
  readonly type: "checkpoint-end"
  readonly step: number
  readonly path: string
  readonly bytes: number
  /** These parameters have the lowest held-out loss so far. */
  readonly best: boolean
}

/** The disk was full, say; the previous checkpoint is as it was, and the run ends with an error after this. */
export interface CheckpointFailedEvent {
  readonly type: "checkpoint-failed"
  readonly step: number
  readonly message: string
}

export interface WarningEvent {
  readonly type: "warning"
  /** Stable, for programs: "bits-may-differ", "checkpoint-damaged", ... */
  readonly code: string
  readonly message: string
}

/** Always the last event. */
export interface RunEndEvent {
  readonly type: "run-end"
  readonly reason: "finished" | "stopped" | "failed"
  readonly step: number
  readonly seconds: number
  /** Last training loss, nats per token; absent if no step was made. */
  readonly loss?: number
  /** Lowest held-out loss and where it was. */
  readonly best?: { readonly step: number; readonly nats: number; readonly bitsPerByte: number }
  /** Why it failed, and what to try. */
  readonly message?: string
  readonly hint?: string
}

export type TrainEvent =
  | RunStartEvent
  | StepEndEvent
  | EvaluationStartEvent
  | EvaluationProgressEvent
  | EvaluationEndEvent
  | SampleEvent
  | CheckpointEndEvent
  | CheckpointFailedEvent
  | WarningEvent
  | RunEndEvent
