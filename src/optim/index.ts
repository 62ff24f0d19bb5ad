// Optimizers as pieces of graph, in order of increasing complexity; schedules as plain functions.
export { type AdamWOptions, adamW, DECAY_ROLES } from "./adamw.ts"
export { clipByGlobalNorm, globalNorm } from "./clip.ts"
export { type MuonOptions, muon, orthogonalize } from "./muon.ts"
export type { OptimizedParameter, Optimizer, OptimizerGraph, Role } from "./optimizer.ts"
export {
  constantSchedule,
  cosineSchedule,
  linearSchedule,
  type Schedule,
  type ScheduleOptions,
  wsdSchedule,
} from "./schedules.ts"
export { type SgdOptions, sgd } from "./sgd.ts"
