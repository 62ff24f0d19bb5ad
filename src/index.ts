// The front door: what a program that trains, evaluates and runs a model needs. Everything else has a door of its own.
export { type Device, type DeviceOptions, openDevice } from "./backends/index.ts"
export {
  ConfigError,
  DataError,
  DeviceError,
  FormatError,
  KINGLET_VERSION,
  KingletError,
  ShapeError,
} from "./core/index.ts"
export { files, text } from "./data/index.ts"
export { type BaselineResult, type EvaluateOptions, type Evaluation, evaluate, runBaselines } from "./evaluate/index.ts"
export {
  createModel,
  type Generated,
  type GeneratedOf,
  type GenerateOptions,
  generate,
  generateBatch,
  loadModel,
  type Model,
} from "./generate/index.ts"
export { type PlanOptions, plan } from "./plan/index.ts"
export { type Recipe, type Run, resume, type TrainEvent, type TrainOptions, train } from "./train/index.ts"
