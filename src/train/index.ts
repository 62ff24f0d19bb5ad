// Train: the recipe, the step, events, checkpoints, resume. Nothing here prints.
export {
  type Checkpoint,
  type CheckpointState,
  checkpointPath,
  checkpointSteps,
  latestCheckpoint,
  loadCheckpoint,
  readCheckpointState,
} from "./checkpoint.ts"
export {
  type DefaultRecipeOptions,
  defaultModel,
  defaultOptimizer,
  defaultReasons,
  defaultRecipe,
  defaultSchedule,
  FRESH_EPOCHS,
  MEASURED_RUN,
  shapeOfSize,
} from "./default-recipe.ts"
export type * from "./events.ts"
export { readEvents } from "./journal.ts"
export { type ForwardContext, type LossFunction, type ModelDefinition, type ModelHead } from "./model.ts"
export type * from "./options.ts"
export { flopsPerStepOf, type Probe, probeRecipe } from "./probe.ts"
export * from "./recipe.ts"
export { tokenizerOf } from "./recipe-tokenizer.ts"
export { nanogpt384Recipe, nanogptCpuRecipe } from "./reference-recipes.ts"
export { resume, train } from "./run.ts"
export { inspectRun, type RunInspection, readRecipe } from "./run-folder.ts"
export { dataFolderOf } from "./session.ts"
export { setRecipeValue, validateRecipe } from "./validate-recipe.ts"
export { vanillaRecipe } from "./vanilla-recipe.ts"
