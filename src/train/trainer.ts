// The numbers of a run: one step, one evaluation, one sample, and the states a checkpoint keeps. Knows no files and tells no
// events. Batches, learning rates and random streams are functions of (seed, step) or of state that can be stored.

import type { Executable, Feed, Results, Workspace } from "../backends/index.ts"
import { ConfigError, randomStream } from "../core/index.ts"
import { type Batch, type Batches, type EvaluationWindows, IGNORED_TARGET } from "../data/index.ts"
import { createSampler } from "../generate/index.ts"
import type { Optimizer, Schedule } from "../optim/index.ts"
import type { Tensor } from "../tensor/index.ts"
import type { StoredTensor } from "./checkpoint.ts"
import type { TrainingPrograms } from "./programs.ts"
import type { Recipe } from "./recipe.ts"

export interface TrainerParts {
  readonly recipe: Recipe
  readonly workspace: Workspace
  readonly executables: { readonly [name: string]: Executable }
  readonly programs: TrainingPrograms
  readonly optimizer: Optimizer
  readonly schedule: Schedule
  readonly batches: Batches
  readonly heldOut: EvaluationWindows
}

export interface StepResult {
  readonly loss: number
  readonly learningRate: number
  readonly gradientNorm: number
  readonly updateRatio?: number
  readonly tokens: number
}

export interface EvaluationResult {
  /** Over all that was read, nats per token. */
  readonly nats: number
  /** Over the part that every evaluation reads: comparable from one evaluation to the next. */
  readonly commonNats: number
  readonly tokens: number
}

export interface Trainer {
  /** FLOPs of one optimizer step, by structure. */
  readonly flopsPerStep: number
  readonly parameters: { readonly [name: string]: StoredTensor }
  readonly optimizerStates: { readonly [name: string]: StoredTensor }
  /**
   * Makes step `index` (from 0). Undefined if the signal was aborted between two accumulation passes: parameters and batches
   * are then as they were, and no further step may follow.
   */
  step(index: number, signal?: AbortSignal): Promise<StepResult | undefined>
  /** Held-out nats; tells after each batch how many tokens were read. Undefined if aborted. */
  evaluate(whole: boolean, signal: AbortSignal | undefined): AsyncGenerator<number, EvaluationResult | undefined>
  /** Tokens that {@link evaluate} will read. */
  evaluationTokens(whole: boolean): number
  /** Continues `prompt` (at least one id) by up to `count` ids, ending before `endOfText`. */
  sample(prompt: readonly number[], count: number, step: number, endOfText: number | undefined): Promise<number[]>
  restore(parameters: Arrays, optimizer: Arrays): void
}
type Arrays = { readonly [name: string]: Float32Array }

/** Softens the choice of samples shown while training, so that they read better than plain draws. */
const SAMPLE_TEMPERATURE = 0.8

export function createTrainer(parts: TrainerParts): Trainer {
  const { recipe, workspace, executables, programs } = parts
  const stored = (tensors: { readonly [name: string]: Tensor }) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [
        name,
        { shape: tensor.shape, read: () => workspace.read(tensor) },
      ]),
    )
  const evaluation = evaluationPlan(parts)
  return {
    flopsPerStep: flopsOfStep(executables, recipe.accumulationSteps),
    parameters: stored(programs.parameters),
    optimizerStates: stored(programs.optimizerStates),
    step: (index, signal) => makeStep(parts, index, signal),
    evaluate: (whole, signal) => evaluate(parts, evaluation.isCommon, whole, signal),
    evaluationTokens: (whole) => (whole ? parts.heldOut.targets : evaluation.tokens),
    sample: (prompt, count, step, endOfText) => sample(parts, prompt, count, step, endOfText),
    restore: (parameters, optimizer) => {
      restoreStates(workspace, programs.parameters, parameters)
      restoreStates(workspace, programs.optimizerStates, optimizer)
    },
  }
}

function flopsOfStep(executables: TrainerParts["executables"], accumulationSteps: number): number {
  const { train, accumulate, apply } = executables
  return train ? train.flops : accumulationSteps * accumulate!.flops + apply!.flops
}

/** @throws ConfigError  if the stored numbers do not belong to these states */
function restoreStates(workspace: Workspace, states: { readonly [name: string]: Tensor }, values: Arrays): void {
  for (const [name, tensor] of Object.entries(states)) {
    const given = values[name]
    if (given === undefined)
      throw new ConfigError(`the checkpoint lacks "${name}"`, "recipe and checkpoint do not belong together")
    workspace.write(tensor, given)
  }
}

/** Runs a program with those of `values` that it asks for. */
function run(executable: Executable, values: Feed): Promise<Results> {
  const names = Object.keys(executable.program.inputs)
  return executable.run(Object.fromEntries(names.filter((name) => name in values).map((name) => [name, values[name]!])))
}

// A step

async function makeStep(
  parts: TrainerParts,
  index: number,
  signal: AbortSignal | undefined,
): Promise<StepResult | undefined> {
  const { recipe, batches, optimizer } = parts
  const before = batches.state()
  const passes: Batch[] = []
  for (let pass = 0; pass < recipe.accumulationSteps; pass++) passes.push(await batches.next())
  const tokens = passes.reduce((count, { targets }) => count + countTargets(targets), 0)
  const learningRate = recipe.optimizer.learningRate * factorAt(parts.schedule, index)
  const scalars = { lossScale: 1 / Math.max(1, tokens), learningRate, ...optimizer.scalars(index) }
  const results = await runPasses(parts, passes, index, scalars, signal)
  if (results === undefined) return void batches.restore(before)
  return { ...results, learningRate, tokens }
}

async function runPasses(
  { recipe, executables }: TrainerParts,
  passes: readonly Batch[],
  index: number,
  scalars: Feed,
  signal: AbortSignal | undefined,
): Promise<Pick<StepResult, "loss" | "gradientNorm" | "updateRatio"> | undefined> {
  let loss = 0
  let results: Results = {}
  for (const [pass, { inputs: tokens, targets }] of passes.entries()) {
    if (pass > 0 && signal?.aborted) return undefined
    const feed = { ...scalars, tokens, targets, dropoutSeed: dropoutSeed(recipe.seed, index, pass) }
    results = await run((executables["train"] ?? executables["accumulate"])!, feed)
    loss += results["loss"]![0]!
  }
  if (executables["apply"]) results = await run(executables["apply"], scalars)
  const updateRatio = results["updateRatio"]?.[0]
  const gradientNorm = results["gradientNorm"]?.[0] ?? 0
  return { loss, gradientNorm, ...(updateRatio === undefined ? {} : { updateRatio }) }
}

/** Another one for each pass of each step; a signed 32-bit integer. */
const dropoutSeed = (seed: number, index: number, pass: number): number =>
  randomStream(seed, "dropout", index, pass).uint32() | 0

function factorAt(schedule: Schedule, index: number): number {
  const factor = schedule(index)
  if (!Number.isFinite(factor) || factor < 0)
    throw new ConfigError(`the schedule must give a number, 0 or more, got ${factor} at step ${index}`)
  return factor
}

function countTargets(targets: Int32Array): number {
  let count = 0
  for (const target of targets) if (target !== IGNORED_TARGET) count++
  return count
}

// Evaluation

/** What every evaluation reads: batches spread evenly over the whole held-out text, `maxTokens` in all, the last among them. */
interface EvaluationPlan {
  isCommon(batch: number): boolean
  readonly tokens: number
}

function evaluationPlan({ recipe, heldOut }: TrainerParts): EvaluationPlan {
  const { batches, targets } = heldOut
  const batchTokens = recipe.batchSize * recipe.sequenceLength
  const wanted = Math.max(1, Math.min(batches, Math.floor((recipe.evaluation.maxTokens ?? Infinity) / batchTokens)))
  const before = (batch: number): number => Math.floor((batch * wanted) / batches)
  const padding = batches * batchTokens - targets
  return { isCommon: (batch) => before(batch + 1) > before(batch), tokens: wanted * batchTokens - padding }
}

async function* evaluate(
  { heldOut, executables }: TrainerParts,
  isCommon: EvaluationPlan["isCommon"],
  whole: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, EvaluationResult | undefined> {
  const all = { nats: 0, tokens: 0 }
  const common = { nats: 0, tokens: 0 }
  let index = -1
  for await (const { inputs: tokens, targets } of heldOut) {
    index++
    if (!whole && !isCommon(index)) continue
    if (signal?.aborted) return undefined
    const nats = sumOf((await run(executables["evaluate"]!, { tokens, targets }))["nats"]!)
    const count = countTargets(targets)
    for (const total of isCommon(index) ? [all, common] : [all]) {
      total.nats += nats
      total.tokens += count
    }
    yield all.tokens
  }
  return { nats: all.nats / all.tokens, commonNats: common.nats / common.tokens, tokens: all.tokens }
}

const sumOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0)

// Samples

/** The whole context is read again for each token: slower than a cache, and right for any model. */
async function sample(
  { recipe, executables }: TrainerParts,
  prompt: readonly number[],
  count: number,
  step: number,
  endOfText: number | undefined,
): Promise<number[]> {
  const T = recipe.sequenceLength
  const seed = randomStream(recipe.seed, "sample", step).uint32()
  const sampler = createSampler({ temperature: SAMPLE_TEMPERATURE, seed })
  const ids = [...prompt]
  while (ids.length < prompt.length + count) {
    const context = ids.slice(-T)
    const tokens = new Int32Array(T)
    tokens.set(context)
    const { logits } = await run(executables["sample"]!, { tokens, at: [context.length - 1] })
    const next = sampler.sample(logits!, ids).id
    if (next === endOfText) break
    ids.push(next)
  }
  return ids.slice(prompt.length)
}
