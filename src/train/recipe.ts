// The recipe: everything that decides a run, as versioned plain JSON. `train` defines and validates it, `plan` fills it in
// and says why. What is not in here (device, files, clock, signal) is handed to `train` beside it.
import type { DecoderConfig } from "../models/index.ts"

export const RECIPE_VERSION = 1

/** A number that was derived: how, and from which paper, rule or measurement. */
export interface Explained {
  readonly value: unknown
  readonly because: string
  readonly source: string
}

/** The decoder without its vocabulary, which the tokenizer decides. */
export type ModelRecipe = Omit<DecoderConfig, "vocabSize">

export interface TokenizerRecipe {
  readonly kind: "characters" | "bytes" | "bpe"
  /** Wanted size of a BPE vocabulary; characters and bytes have their own. */
  readonly vocabSize?: number
  /** Each document ends with a token of its own. */
  readonly endOfText: boolean
}

export interface DataRecipe {
  /** Files, folders and globs; "inline" when the texts were handed in by the program. */
  readonly paths: readonly string[] | "inline"
  /** Files held out instead of a split. */
  readonly validPaths?: readonly string[]
  /** Part of the documents that is held out. */
  readonly validFraction: number
  /** "documents": whole documents; "exact": the last part of the text, cut at a character, as nanoGPT does. */
  readonly split: "documents" | "exact"
  /** "windows": every window once an epoch, shuffled; "random": random offsets with replacement, as nanoGPT does. */
  readonly batchMode: "windows" | "random"
}

export interface OptimizerRecipe {
  readonly name: "adamw" | "muon" | "sgd"
  /** Peak learning rate; under Muon that of the matrices. */
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Momentum of SGD; Muon's final momentum. */
  readonly momentum: number
  /** Decoupled, times the learning rate; on weight matrices only, unless `decayEmbeddings`. */
  readonly weightDecay: number
  /** Embeddings and head decay too, as in nanoGPT. */
  readonly decayEmbeddings: boolean
  /** Largest global norm of the gradient; 0 for no clipping. */
  readonly clipNorm: number
  /** Under Muon: AdamW's learning rate for embeddings, head, and gains, biases and scalars. */
  readonly embeddingLearningRate?: number
  readonly headLearningRate?: number
  readonly scalarLearningRate?: number
}

export interface ScheduleRecipe {
  readonly name: "constant" | "cosine" | "linear" | "wsd"
  readonly warmupSteps: number
  /** WSD: part of all steps spent decaying. */
  readonly decayFraction: number
  /** Factor at the last step. */
  readonly finalFactor: number
}

export interface Recipe {
  readonly version: typeof RECIPE_VERSION
  /** For people: "nanogpt-cpu", "default". */
  readonly name: string
  readonly model: ModelRecipe
  readonly tokenizer: TokenizerRecipe
  readonly data: DataRecipe
  /** Sequences a forward pass, B. */
  readonly batchSize: number
  /** Tokens a sequence, T. */
  readonly sequenceLength: number
  /** Forward and backward passes a step. */
  readonly accumulationSteps: number
  readonly steps: number
  readonly optimizer: OptimizerRecipe
  readonly schedule: ScheduleRecipe
  /** `everySteps` 0: only at the end. `maxTokens` bounds the held-out tokens of an evaluation under way; the last is whole. */
  readonly evaluation: { readonly everySteps: number; readonly maxTokens?: number }
  /** `everySteps` 0: never. */
  readonly sampling: { readonly everySteps: number; readonly prompt: string; readonly tokens: number }
  /** Whichever comes first; 0 or absent: not for that reason. The last step is always saved. */
  readonly checkpoint: { readonly everySteps: number; readonly everySeconds?: number }
  readonly seed: number
  /** Same bits on any machine and lane count, at some cost of speed. */
  readonly strict: boolean
  readonly explained?: { readonly [key: string]: Explained }
}
