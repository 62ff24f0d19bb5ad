// Baselines: what counts and compressors reach on the same bytes. A report without them proves little.
export { type BigramModel, bigramCounts } from "./bigram.ts"
export {
  chooseKneserNeyOrder,
  type KneserNeyModel,
  type KneserNeyOptions,
  type OrderChoice,
  type OrderChoiceOptions,
  trainKneserNey,
} from "./kneser-ney.ts"
export {
  BASELINE_NAMES,
  type BaselineName,
  type BaselineOptions,
  type BaselineProgress,
  type BaselineResult,
  runBaselines,
} from "./run-baselines.ts"
export type { SymbolArray } from "./symbols.ts"
export { trainUnigram, type UnigramModel } from "./unigram.ts"
