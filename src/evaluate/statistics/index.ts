// Statistics: how far a measured number may be off, and whether two differ.
export { type AreaUnderCurve, areaUnderCurve } from "./auc.ts"
export { type BootstrapOptions, bitsPerByteInterval } from "./bootstrap.ts"
export type { Interval, Unit } from "./interval.ts"
export { meanInterval } from "./mean.ts"
export { type PairedDifference, pairedDifference } from "./paired.ts"
export { type Axis, paretoFront } from "./pareto.ts"
export { type SeedSpread, seedSpread } from "./seeds.ts"
export { type Units, unitsOf } from "./units.ts"
