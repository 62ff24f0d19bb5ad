// Evaluate: bits per byte of a text, beside what counts and compressors reach on the same bytes.
export * from "./baselines/index.ts"
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts"
export { BLOCK_BYTES, type DocumentScore } from "./score/document-score.ts"
export * from "./statistics/index.ts"
