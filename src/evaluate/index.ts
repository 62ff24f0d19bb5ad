// Evaluate: bits per byte of a text and suites of tasks, beside what n-grams and compressors reach with the same bytes.
export * from "./baselines/index.ts"
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts"
export type { EndingScore, EndingsItem, ScoreEndingsOptions } from "./score/endings.ts"
export type { Interval } from "./statistics/interval.ts"
export * from "./suites/index.ts"
