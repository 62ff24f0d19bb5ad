// Plan: from a text and a budget to a recipe, each number with its reason; and the scaling laws that reasons come from.

export * from "./laws/index.ts"
export { predictedPeakBytes } from "./peak-memory.ts"
export { type PlanOptions, plan } from "./plan.ts"
export { readTextFacts, type TextFacts } from "./text-facts.ts"
