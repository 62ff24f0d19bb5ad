// Core: dtypes, shapes, random streams, parameter trees, errors, units. Imports nothing, does no I/O, keeps no state.
export * from "./dtype.ts"
export * from "./errors.ts"
export * from "./math.ts"
export * from "./random.ts"
export * from "./shape.ts"
export * from "./tree.ts"
export * from "./units.ts"
export * from "./version.ts"
