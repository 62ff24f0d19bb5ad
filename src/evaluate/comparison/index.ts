// Comparison: models on the same text, and what each costs.
export { type AxisUnit, COST_AXES, type ComparisonAxis } from "./axes.ts"
export {
  type ComparedAxis,
  type ComparisonOfTwo,
  compareTwo,
  type Ranked,
  type Ranking,
  rank,
  type SeedGroup,
} from "./compare.ts"
export type { Contestant } from "./contestant.ts"
export { differenceSentence, pText } from "./sentence.ts"
