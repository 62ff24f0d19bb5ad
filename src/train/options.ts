// What is handed to a run beside its recipe, and what comes back.

import type { FileSystem } from "#platform"
import type { Device } from "../backends/index.ts"
import type { DataInput, PreparedData } from "../data/index.ts"
import type { Model } from "../generate/index.ts"
import type { DecoderConfig } from "../models/index.ts"
import type { Optimizer, Schedule } from "../optim/index.ts"
import type { Tokenizer } from "../tokenizer/index.ts"
import type { TrainEvent } from "./events.ts"
import type { LossFunction, ModelDefinition } from "./model.ts"

export interface RunOptions {
  readonly device: Device
  /** Aborted: the run saves a checkpoint and ends, within a step. */
  readonly signal?: AbortSignal
  /** Milliseconds; the platform's own if not given. */
  readonly clock?: () => number
  /** Where the run folder lies; the platform's own if not given. */
  readonly files?: FileSystem
  /** Factor of the peak learning rate at step 0, 1, …, instead of the recipe's schedule. Must be the same function on resume. */
  readonly schedule?: Schedule
  /** Loss per token instead of cross-entropy. Held-out text is always measured in cross-entropy. */
  readonly loss?: LossFunction
  /** Instead of the recipe's. */
  readonly optimizer?: Optimizer
  /** A model of one's own; it gets the recipe's decoder config with the vocabulary filled in. */
  readonly model?: (config: DecoderConfig) => ModelDefinition
}

export interface TrainOptions extends RunOptions {
  /** Text, or text already prepared; the recipe's `data.paths` if not given. */
  readonly data?: DataInput | PreparedData<Tokenizer>
  /** Run folder, made if absent; without it the run lives in memory and nothing is written. */
  readonly dir?: string
  /** Instead of the recipe's. */
  readonly seed?: number
}

export interface ResumeOptions extends RunOptions {
  /** Only for a folder whose data was handed in prepared and kept elsewhere. */
  readonly data?: PreparedData<Tokenizer>
}

export interface HeldOutResult {
  readonly step: number
  readonly nats: number
  readonly bitsPerByte: number
}

export interface RunSummary {
  readonly reason: "finished" | "stopped"
  readonly step: number
  readonly steps: number
  readonly seconds: number
  /** Of the last step, nats per token. */
  readonly loss?: number
  /** The last evaluation. */
  readonly heldOut?: HeldOutResult
  readonly best?: HeldOutResult
}

export interface RunResult {
  /** As `generate` and `evaluate` take it, with the last step's parameters; reading it throws ConfigError for a model of one's own. */
  readonly model: Model
  readonly config: DecoderConfig
  readonly tokenizer: Tokenizer
  /** As they were after the last step, by name. */
  readonly parameters: { readonly [name: string]: Float32Array }
  readonly summary: RunSummary
  readonly dir?: string
}

/**
 * A run: facts to be read once. Training advances while it is iterated, or while `result` is awaited; leaving the loop saves a
 * checkpoint and ends the run.
 */
export interface Run extends AsyncIterable<TrainEvent> {
  /** Reading it without iterating runs to the end. Rejects with what made the run fail. */
  readonly result: Promise<RunResult>
}
