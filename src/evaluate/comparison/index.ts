// Comparison: models on the same text, and what each costs.
export { type AxisUnit, COMPARISON_AXES, COST_AXES, type ComparisonAxis, winnerOf } from "./axes.ts"
export {
  type ComparedAxis,
  type ComparisonOfTwo,
  compareTwo,
  type Ranked,
  type Ranking,
  rank,
  type SeedGroup,
  seedGroups,
} from "./compare.ts"
export type { Contestant } from "./contestant.ts"
export { differenceSentence, pText } from "./sentence.ts"
