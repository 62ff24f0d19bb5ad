// Evaluate: bits per byte of a text, beside what counts and compressors reach on the same bytes.
export * from "./baselines/index.ts"
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts"
export * from "./report/facts.ts"
export { reportHtml } from "./report/report-html.ts"
export type { Interval } from "./statistics/interval.ts"
