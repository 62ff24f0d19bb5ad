// Scaling laws: fitting them to tables of runs, how sure they are, and what they say about size, tokens and repeated text.
export { type FitOptions, fitLaw, HUBER_DELTA, type LawFit } from "./fit-law.ts"
export { type LawUncertainty, lawUncertainty, type Range, type UncertaintyOptions } from "./law-intervals.ts"
export {
  type Allocation,
  lossOf,
  optimalAllocation,
  type ParametricLaw,
  PUBLISHED_LAWS,
  type ScalingRun,
} from "./parametric-law.ts"
export { effectiveTokens, lossOnRepeatedText, MUENNIGHOFF, type RepetitionLaw } from "./repeated-data.ts"
export { cheapestToServe, type ServingAllocation } from "./serving.ts"
