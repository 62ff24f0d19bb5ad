// Tensor: what to compute. The list of operations, symbolic tensors, shape rules, gradients, programs, fusion and the memory plan.
export { flopsOf, flopsOfNode } from "./cost.ts"
export * from "./functions.ts"
export { gradients } from "./gradients.ts"
export { alignUp, BUFFER_ALIGNMENT, type Lifetime, planArena } from "./memory-plan.ts"
export { type BinaryOp, type ElementwiseOp, isElementwise, type Op, type OpAttributes, type UnaryOp } from "./ops.ts"
export { eachPanel, PANEL_COLUMNS, packPanels, panelShape, unpackPanels } from "./panels.ts"
export { type Program, program, type Update } from "./program.ts"
export {
  type AttachedReduction,
  collapse,
  type ElementProgram,
  type Instruction,
  readsOf,
  resultsOf,
  type Step,
  schedule,
  stretchedStrides,
} from "./schedule.ts"
export type { TensorSpec } from "./shape-rules.ts"
export { applyOp, isOp, type Node, storageOf, type Tensor } from "./tensor.ts"
