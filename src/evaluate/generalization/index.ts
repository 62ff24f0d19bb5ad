// Generalization: does a model know the language, or its training text by heart? Every measure stands beside a control. The
// measures are made together, from passages drawn once; what can be asked alone is exported alone.
export type { CapacityRatio } from "./capacity-ratio.ts"
export {
  type ByteSpan,
  type Contamination,
  type ContaminationOptions,
  contamination,
  type TouchedDocument,
} from "./contamination.ts"
export type { CopiedNgrams, CopiedOfLength } from "./copied-ngrams.ts"
export type { Extraction, ExtractionSide } from "./extraction.ts"
export type { GeneralizationMeasures, Memorization } from "./generalization-measures.ts"
export type { GeneralizationPart } from "./generalization-parts.ts"
export {
  type GeneralizationOptions,
  type GeneralizationProgress,
  type GeneralizationReport,
  type GeneralizationStage,
  generalizationReport,
} from "./generalization-report.ts"
export type { Membership } from "./membership.ts"
export { type LossPoint, type OverfittingCurve, overfittingCurve, type TrainingHistory } from "./overfitting-curve.ts"
export { type StrippedScore, strippedScore } from "./stripped.ts"
export type { TrainTestGap } from "./train-test-gap.ts"
