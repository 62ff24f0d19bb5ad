// Generate: a model that runs, the engine over its key/value cache, samplers, stop strings.
export { type Engine, engineOf } from "./engine.ts"
export {
  type AbortSignalLike,
  type Generated,
  type GeneratedOf,
  type GenerateOptions,
  generate,
  generateBatch,
} from "./generate.ts"
export {
  createModel,
  findCheckpoint,
  type LoadOptions,
  loadModel,
  type Model,
  type ModelOptions,
  type ModelParts,
  readModel,
} from "./model.ts"
export {
  type Candidates,
  createSampler,
  type Sampled,
  type Sampler,
  type SamplerOptions,
  samplingDistribution,
} from "./sampler.ts"
export { createStopMatcher, type StopMatcher } from "./stop-strings.ts"
