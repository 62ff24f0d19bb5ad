// Evaluate: bits per byte of a text and suites of tasks, beside what n-grams and compressors reach with the same bytes.
export * from "./baselines/index.ts"
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts"
export { BLOCK_BYTES, type DocumentScore } from "./score/document-score.ts"
export type { Reliability } from "./score/reliability.ts"
export { type EndingScore, type EndingsItem, type ScoreEndingsOptions, scoreEndings } from "./score/score-endings.ts"
export { type ScoreProgress, type ScoreTextOptions, scoreText, type TextScore } from "./score/score-text.ts"
export * from "./statistics/index.ts"
export * from "./suites/index.ts"
