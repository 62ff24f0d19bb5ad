// Evaluate: bits per byte of a text, beside what counts and compressors reach on the same bytes.
export * from "./baselines/index.ts"
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts"
export * from "./generalization/index.ts"
