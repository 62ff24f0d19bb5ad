// Generalization: does a model know the language, or its training text by heart? Every measure stands beside a control.
export { BITS_PER_PARAMETER, type CapacityRatio, capacityRatio } from "./capacity-ratio.ts"
export {
  type ByteSpan,
  CONTAMINATED_SHARE,
  type Contamination,
  type ContaminationOptions,
  contamination,
  type TouchedDocument,
} from "./contamination.ts"
export { type CopiedNgrams, type CopiedOfLength, type CopiedOptions, copiedNgrams } from "./copied-ngrams.ts"
export { type Extraction, type ExtractionOptions, type ExtractionSide, extraction } from "./extraction.ts"
export type { GeneralizationMeasures, Memorization } from "./generalization-measures.ts"
export type { GeneralizationPart } from "./generalization-parts.ts"
export {
  type GeneralizationOptions,
  type GeneralizationProgress,
  type GeneralizationReport,
  type GeneralizationStage,
  generalizationReport,
} from "./generalization-report.ts"
export { MEMBERSHIP_MARGIN, type Membership, membership } from "./membership.ts"
export {
  LOST_PART,
  type LossPoint,
  type OverfittingCurve,
  overfittingCurve,
  type TrainingHistory,
} from "./overfitting-curve.ts"
export { type Passage, type PassageOptions, type Passages, samplePassages } from "./passages.ts"
export { type ScoredPassage, type ScoredPassages, scorePassages } from "./score-passages.ts"
export { cleanPart, type StrippedScore, strippedScore } from "./stripped.ts"
export { type TrainTestGap, trainTestGap } from "./train-test-gap.ts"
