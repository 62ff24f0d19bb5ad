// A step as programs: with one pass a step "train" does everything; with more, "accumulate" adds gradients up and "apply"
// updates. "evaluate" and "sample" read the same parameters. All share one arena, because no two run at the same time.
import { sizeOf } from "../core/index.ts"
import type { Optimizer } from "../optim/index.ts"
import {
  add,
  broadcast,
  constant,
  gather,
  gradients,
  input,
  linearCrossEntropy,
  linearCrossEntropySum,
  multiply,
  type Program,
  program,
  reshape,
  state,
  sum,
  type Tensor,
} from "../tensor/index.ts"
import { defaultLoss, type ForwardContext, type LossFunction, type ModelDefinition, type ModelHead } from "./model.ts"

export interface TrainingPrograms {
  readonly programs: { readonly [name: string]: Program }
  readonly parameters: { readonly [name: string]: Tensor }
  /** Moments and the like, by path. */
  readonly optimizerStates: { readonly [path: string]: Tensor }
}

export interface ProgramSizes {
  readonly batchSize: number
  readonly sequenceLength: number
  readonly accumulationSteps: number
  /** Whether "sample" is wanted. */
  readonly samples: boolean
}

/** Names of the inputs, beside the optimizer's own scalars. */
const TOKENS = "tokens"
const TARGETS = "targets"

export function buildPrograms(
  model: ModelDefinition,
  optimizer: Optimizer,
  loss: LossFunction,
  sizes: ProgramSizes,
): TrainingPrograms {
  const specs = Object.entries(model.parameters)
  const parameters = Object.fromEntries(specs.map(([name, { shape }]) => [name, state(name, shape)]))
  const update = sizes.accumulationSteps === 1 ? trainAtOnce : accumulateThenApply
  const { programs, optimizerStates } = update({ model, optimizer, loss, sizes, parameters })
  return {
    programs: {
      ...programs,
      evaluate: evaluateProgram(model, parameters, sizes),
      ...(sizes.samples ? { sample: sampleProgram(model, parameters, sizes.sequenceLength) } : {}),
    },
    parameters,
    optimizerStates,
  }
}

interface Building {
  readonly model: ModelDefinition
  readonly optimizer: Optimizer
  readonly loss: LossFunction
  readonly sizes: ProgramSizes
  readonly parameters: { readonly [name: string]: Tensor }
}

type Update = Pick<TrainingPrograms, "programs" | "optimizerStates">

const batchInput = (name: string, B: number, T: number): Tensor => input(name, [B, T], "i32")

/** The last axis as rows: `[B·T, …]`. */
const rowsOf = (x: Tensor): Tensor => reshape(x, [-1, x.shape.at(-1)!])
const flat = (targets: Tensor): Tensor => reshape(targets, [sizeOf(targets.shape)])

/**
 * From this many tokens in the vocabulary on, a head does without stored logits. It takes the time of one with them (2,048 rows,
 * C 64 to 384, V 2,048 to 32,768: 0.90 to 1.09 times) and the memory of a few hundred rows; below there is little to save.
 */
const LARGE_VOCABULARY = 2048

/** The model's head, if it should be trained and evaluated without stored logits. */
function largeHead(
  { model, parameters }: Pick<Building, "model" | "parameters">,
  tokens: Tensor,
  context: ForwardContext,
): ModelHead | undefined {
  const head = model.head?.(parameters, tokens, context)
  return head !== undefined && head.weight.shape[0]! >= LARGE_VOCABULARY ? head : undefined
}

/** `Σ loss(logits, target) · lossScale`; `lossScale` is one over the targets that count in the whole step. */
function scaledLoss(building: Building): Tensor {
  const { model, loss, sizes, parameters } = building
  const tokens = batchInput(TOKENS, sizes.batchSize, sizes.sequenceLength)
  const targets = flat(batchInput(TARGETS, sizes.batchSize, sizes.sequenceLength))
  const dropoutSeed = input("dropoutSeed", [], "i32")
  const lossScale = input("lossScale", [])
  const head = loss === defaultLoss ? largeHead(building, tokens, { dropoutSeed }) : undefined
  if (head !== undefined)
    return linearCrossEntropySum(rowsOf(head.hidden), head.weight, targets, broadcast(lossScale, targets.shape), head)
  const logits = model.forward(parameters, tokens, { dropoutSeed })
  return multiply(sum(loss(rowsOf(logits), targets)), lossScale)
}

/** The optimizer's updates for these gradients, one per parameter in order. */
function optimize({ model, optimizer, parameters }: Building, dParameters: readonly Tensor[]) {
  const learningRate = input("learningRate", [])
  const trained = Object.entries(parameters).map(([name, parameter], index) => ({
    name,
    state: parameter,
    gradient: dParameters[index]!,
    role: model.parameters[name]!.role,
  }))
  return optimizer.build(trained, learningRate)
}

function trainAtOnce(building: Building): Update {
  const loss = scaledLoss(building)
  const dParameters = gradients(loss, Object.values(building.parameters))
  const { updates, states, metrics } = optimize(building, dParameters)
  return { programs: { train: program({ outputs: { loss, ...metrics }, updates }) }, optimizerStates: states }
}

function accumulateThenApply(building: Building): Update {
  const loss = scaledLoss(building)
  const dParameters = gradients(loss, Object.values(building.parameters))
  const sums = Object.entries(building.parameters).map(([name, { shape }]) => state(`accumulator.${name}`, shape))
  const added = sums.map((total, index) => ({ state: total, value: add(total, dParameters[index]!) }))
  const { updates, states, metrics } = optimize(building, sums)
  const cleared = sums.map((total) => ({ state: total, value: broadcast(constant(0), total.shape) }))
  return {
    programs: {
      accumulate: program({ outputs: { loss }, updates: added }),
      apply: program({ outputs: metrics, updates: [...updates, ...cleared] }),
    },
    optimizerStates: states,
  }
}

/** Nats of each target, `[B·T]`, 0 where it is padding; summed by the host in f64. Always cross-entropy, nothing dropped. */
function evaluateProgram(model: ModelDefinition, parameters: Building["parameters"], sizes: ProgramSizes): Program {
  const tokens = batchInput(TOKENS, sizes.batchSize, sizes.sequenceLength)
  const targets = flat(batchInput(TARGETS, sizes.batchSize, sizes.sequenceLength))
  const head = largeHead({ model, parameters }, tokens, {})
  const nats = head
    ? linearCrossEntropy(rowsOf(head.hidden), head.weight, targets, head)
    : defaultLoss(rowsOf(model.forward(parameters, tokens, {})), targets)
  return program({ outputs: { nats } })
}

/** Logits `[1, V]` after row `at` of one sequence. */
function sampleProgram(model: ModelDefinition, parameters: Building["parameters"], T: number): Program {
  const logits = model.forward(parameters, batchInput(TOKENS, 1, T), {})
  return program({ outputs: { logits: gather(rowsOf(logits), input("at", [1], "i32")) } })
}
