// Suites: tasks from small declarative files, set to a model without training on them, with what counting alone gives.
export { type BuiltinSuite, blimpTask, builtinSuites } from "./builtin.ts"
export { byteExaminee, kneserNeyScorer, unigramScorer } from "./count-scorers.ts"
export {
  type Beginning,
  type EndingScorer,
  type Examinee,
  modelExaminee,
} from "./examinee.ts"
export { type LoadTaskOptions, loadTask, openTask } from "./load-task.ts"
export { type RunTaskOptions, runTask } from "./run-task.ts"
export type { Task, TaskFacts, TaskItem, TaskKind } from "./task.ts"
export {
  runTaskBaselines,
  type TaskBaseline,
  type TaskBaselineName,
  type TaskBaselineOptions,
  whichBaselineWins,
} from "./task-baselines.ts"
export type { GroupResult, PhenomenonResult, TaskResult } from "./task-result.ts"
