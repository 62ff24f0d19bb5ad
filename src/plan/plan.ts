// From a text and a budget to a recipe in which every number says why it is what it is. First version: the shape from a size,
// the steps from a budget of time through a short probe of this machine.

import { platform } from "#platform"
import type { Device } from "../backends/index.ts"
import { ConfigError, formatBytes, formatCount, formatDuration } from "../core/index.ts"
import type { DataInput } from "../data/index.ts"
import { parameterCounts, validateConfig } from "../models/index.ts"
import {
  type DefaultRecipeOptions,
  defaultReasons,
  defaultRecipe,
  type Explained,
  FRESH_EPOCHS,
  flopsPerStepOf,
  MEASURED_RUN,
  nanogpt384Recipe,
  nanogptCpuRecipe,
  type Probe,
  probeRecipe,
  type Recipe,
  setRecipeValue,
  type TokenizerRecipe,
  validateRecipe,
} from "../train/index.ts"
import { predictedPeakBytes } from "./peak-memory.ts"
import { readTextFacts, type TextFacts } from "./text-facts.ts"

export interface PlanOptions {
  readonly device: Device
  readonly data: DataInput
  /** As they go into the recipe; "inline" when the text came from the program. */
  readonly paths?: readonly string[] | "inline"
  readonly validPaths?: readonly string[]
  /** Wall clock, start to end: reading, tokenizer, training, evaluation. Excludes `steps`. */
  readonly budgetSeconds?: number
  /** When the budget began to run, in `platform.now()` milliseconds; now if not given. */
  readonly startedMs?: number
  /** Time the caller will spend after training on things of its own, such as baselines; given the facts of the text. */
  readonly reserveSeconds?: (facts: TextFacts) => number
  readonly steps?: number
  /** Parameters wanted. */
  readonly size?: number
  /** `default`, `nanogpt-cpu` or `nanogpt-384`. */
  readonly preset?: string
  /** Single values that overrule the plan, as `["optimizer.learningRate", "0.01"]`. */
  readonly set?: readonly (readonly [string, string])[]
  readonly seed?: number
  readonly strict?: boolean
  readonly onProgress?: (message: string) => void
}

/** Of the measured run, to one decimal, as it is told. */
const TOKENS_PER_PARAMETER = Math.round((10 * MEASURED_RUN.tokens) / MEASURED_RUN.parameters) / 10
const SMALLEST_SIZE = 50_000
const LARGEST_SIZE = 100_000_000
/** Alphabets up to this size, in texts up to this length, are best served by characters (assumption: not yet compared at equal compute). */
const CHARACTERS_ALPHABET = 128
const CHARACTERS_BYTES = 3_000_000
const PROBE_SECONDS = 1
/** Seconds per megabyte of text on the machine of LOG.md: learning a vocabulary, splitting and encoding. */
const BPE_SECONDS_PER_MB = 0.25
const PREPARE_SECONDS_PER_MB = 0.3
const OPENING_SECONDS = 0.5
/** Part of the time that goes to checkpoints, samples and events. */
const OVERHEAD = 0.02

type Reasons = { [key: string]: Explained }

/**
 * A complete, validated recipe.
 *
 * @throws ConfigError  if the budget is too small for one step, or options contradict each other
 * @throws DataError    if the text cannot be read
 * @throws DeviceError  if the model does not fit in memory
 */
export async function plan(options: PlanOptions): Promise<Recipe> {
  if (options.steps !== undefined && options.budgetSeconds !== undefined)
    throw new ConfigError("a budget and a number of steps contradict each other", "give one of them")
  const started = options.startedMs ?? platform.now()
  options.onProgress?.("reading the text")
  const facts = await readTextFacts(options.data)
  const reasons: Reasons = {}
  const base = isPreset(options) ? presetPlan(options) : await defaultPlan(options, facts, started, reasons)
  const sized = overrule(options, base)
  const steps = await chooseSteps(options, sized, facts, started, reasons)
  const recipe = validateRecipe({ ...withSteps(sized, steps, options), explained: reasons })
  return overrule({ ...options, set: options.set?.filter(([key]) => key !== "steps") ?? [] }, recipe)
}

const isPreset = ({ preset }: PlanOptions): boolean => preset !== undefined && preset !== "default"

function presetPlan(options: PlanOptions): Recipe {
  const presets: { readonly [name: string]: () => Recipe } = {
    "nanogpt-cpu": nanogptCpuRecipe,
    "nanogpt-384": nanogpt384Recipe,
  }
  const preset = presets[options.preset!]
  if (preset === undefined)
    throw new ConfigError(
      `unknown preset "${options.preset}"`,
      `the presets are default, ${Object.keys(presets).join(", ")}`,
    )
  return common(options, preset())
}

/** What the caller says of every recipe. */
function common(options: PlanOptions, recipe: Recipe): Recipe {
  const { paths = "inline", validPaths, seed, strict } = options
  return {
    ...recipe,
    data: { ...recipe.data, paths, ...(validPaths ? { validPaths } : {}) },
    ...(seed === undefined ? {} : { seed }),
    ...(strict === undefined ? {} : { strict }),
  }
}

async function defaultPlan(options: PlanOptions, facts: TextFacts, started: number, reasons: Reasons): Promise<Recipe> {
  const tokenizer = chooseTokenizer(facts, reasons)
  const vocabSize = vocabularyOf(tokenizer, facts)
  const corpusTokens = Math.round(tokensOf(tokenizer, facts))
  const asked: DefaultRecipeOptions = {
    tokenizer,
    vocabSize,
    corpusTokens,
    ...(options.size === undefined ? {} : { size: options.size }),
    ...(options.steps === undefined ? {} : { steps: options.steps }),
  }
  const budgeted =
    options.budgetSeconds === undefined ? asked : await fitBudget(options, asked, facts, started, reasons)
  Object.assign(reasons, { ...defaultReasons(budgeted), ...reasons })
  return common(options, defaultRecipe(budgeted))
}

function chooseTokenizer(facts: TextFacts, reasons: Reasons): TokenizerRecipe {
  const { distinctCharacters, bytes, documents } = facts
  const endOfText = documents > 1
  if (distinctCharacters <= CHARACTERS_ALPHABET && bytes <= CHARACTERS_BYTES) {
    explain(
      reasons,
      "tokenizer",
      "characters",
      `${distinctCharacters} different characters in ${formatBytes(bytes)}: each is a token`,
      "assumption",
    )
    return { kind: "characters", endOfText }
  }
  const wanted = 2 ** Math.round(Math.log2(Math.sqrt(bytes)))
  const vocabSize = Math.min(8192, Math.max(512, wanted))
  explain(
    reasons,
    "tokenizer",
    `bpe ${vocabSize}`,
    `about √bytes of ${formatBytes(bytes)}, between 512 and 8192: rarer tokens would be seen too seldom`,
    "assumption",
  )
  return { kind: "bpe", vocabSize, endOfText }
}

const vocabularyOf = ({ kind, vocabSize, endOfText }: TokenizerRecipe, facts: TextFacts): number =>
  kind === "bpe" ? vocabSize! : (kind === "bytes" ? 256 : facts.distinctCharacters) + (endOfText ? 1 : 0)

/** Bytes a token stands for; BPE on prose, before the vocabulary is known. */
const bytesPerToken = ({ kind, vocabSize }: TokenizerRecipe): number =>
  kind === "bpe" ? Math.log2(vocabSize!) / 3.2 : 1
const tokensOf = (tokenizer: TokenizerRecipe, facts: TextFacts): number =>
  (0.9 * facts.bytes) / bytesPerToken(tokenizer)

/**
 * Size and tokens for the compute that the budget buys on this machine: `N = N₀·√(C / C₀)` from the measured point, as size
 * and data grow together, and no more than the text can feed.
 *
 * @see Hoffmann et al. 2022, arXiv:2203.15556
 */
async function fitBudget(
  options: PlanOptions,
  asked: DefaultRecipeOptions,
  facts: TextFacts,
  started: number,
  reasons: Reasons,
): Promise<DefaultRecipeOptions> {
  options.onProgress?.("measuring this machine")
  const vocabSize = asked.vocabSize!
  const probe = await probeRecipe(defaultRecipe(asked), vocabSize, options.device, PROBE_SECONDS / 2)
  const seconds = Math.max(1, trainingSeconds(options, asked.tokenizer!, facts, started) - PROBE_SECONDS)
  const flops = (seconds * probe.flopsPerStep) / probe.secondsPerStep
  const size = options.size ?? chooseSize(flops, seconds, asked.corpusTokens!, reasons)
  const draft = defaultRecipe({ ...asked, size })
  const tokenBudget = (flops * tokensPerStep(draft)) / flopsPerStepOf(draft, vocabSize)
  return { ...asked, size, tokenBudget }
}

function chooseSize(flops: number, seconds: number, corpusTokens: number, reasons: Reasons): number {
  const compute = MEASURED_RUN.parameters * Math.sqrt(flops / MEASURED_RUN.flops)
  const data = (FRESH_EPOCHS * corpusTokens) / TOKENS_PER_PARAMETER
  const size = Math.round(clamp(Math.min(compute, data), SMALLEST_SIZE, LARGEST_SIZE))
  const bought = `${formatCount(flops)}FLOP in ${formatDuration(seconds)}`
  if (data < compute)
    explain(
      reasons,
      "size",
      size,
      `all that ${formatCount(corpusTokens)} tokens feed in ${FRESH_EPOCHS} epochs, ${TOKENS_PER_PARAMETER} a parameter`,
      "LOG.md, default recipe; arXiv:2305.16264",
    )
  else
    explain(
      reasons,
      "size",
      size,
      `${bought}: ${formatCount(MEASURED_RUN.parameters)}·√(C / ${formatCount(MEASURED_RUN.flops)})`,
      "LOG.md, default recipe; arXiv:2203.15556",
    )
  return size
}

/** What of the budget is left for steps. */
function trainingSeconds(options: PlanOptions, tokenizer: TokenizerRecipe, facts: TextFacts, started: number): number {
  const megabytes = facts.bytes / 1e6
  const preparing =
    OPENING_SECONDS +
    facts.seconds +
    megabytes * (PREPARE_SECONDS_PER_MB + (tokenizer.kind === "bpe" ? BPE_SECONDS_PER_MB : 0))
  const spent = (platform.now() - started) / 1000
  return options.budgetSeconds! - spent - preparing - (options.reserveSeconds?.(facts) ?? 0)
}

async function chooseSteps(
  options: PlanOptions,
  recipe: Recipe,
  facts: TextFacts,
  started: number,
  reasons: Reasons,
): Promise<number> {
  const asked = options.set?.find(([key]) => key === "steps")
  if (asked !== undefined) return setRecipeValue(recipe, "steps", asked[1]).steps
  if (options.steps !== undefined) {
    explain(reasons, "steps", options.steps, "as asked", "--steps")
    return options.steps
  }
  const vocabSize = vocabularyOf(recipe.tokenizer, facts)
  if (options.budgetSeconds === undefined) {
    if (isPreset(options)) explain(reasons, "steps", recipe.steps, `the preset ${options.preset}`, "peers.md")
    return recipe.steps
  }
  options.onProgress?.("measuring this machine")
  const probe = await probeRecipe(recipe, vocabSize, options.device, PROBE_SECONDS)
  const seconds = trainingSeconds(options, recipe.tokenizer, facts, started) - probe.compileSeconds
  const steps = stepsInTime(seconds, probe, recipe, facts)
  if (steps < 1)
    throw new ConfigError(
      `the budget of ${formatDuration(options.budgetSeconds)} is too small for one step`,
      `reading, measuring and evaluating take ${formatDuration(options.budgetSeconds - seconds)}, one step ${formatDuration(probe.secondsPerStep)}: give more time, or a smaller --size`,
    )
  explainMemory(options, recipe, vocabSize, probe.plannedBytes, reasons)
  const epochs = (steps * tokensPerStep(recipe)) / tokensOf(recipe.tokenizer, facts)
  explain(
    reasons,
    "steps",
    steps,
    `${formatDuration(seconds)} left for training at ${formatDuration(probe.secondsPerStep)} a step, evaluations taken off; about ${epochs.toFixed(1)} epochs`,
    "measured on this machine just now",
  )
  return steps
}

function explainMemory(
  options: PlanOptions,
  recipe: Recipe,
  vocabSize: number,
  plannedBytes: number,
  reasons: Reasons,
): void {
  const parameters = parameterCounts(validateConfig({ ...recipe.model, vocabSize })).total
  const peak = predictedPeakBytes({ plannedBytes, parameters, lanes: options.device.lanes })
  const because = `${formatBytes(plannedBytes)} planned to the byte, the rest is engine and workers`
  explain(reasons, "memory", formatBytes(peak), because, "LOG.md, peak memory")
}

const tokensPerStep = ({ batchSize, sequenceLength, accumulationSteps }: Recipe): number =>
  batchSize * sequenceLength * accumulationSteps

/** The last evaluation reads all held-out text, the ones under way a part that grows with the run. */
function stepsInTime(seconds: number, probe: Probe, recipe: Recipe, facts: TextFacts): number {
  const heldOut = tokensOf(recipe.tokenizer, facts) * (recipe.data.validFraction / (1 - recipe.data.validFraction))
  const perStep =
    probe.secondsPerStep + EVALUATIONS * EVALUATED_PART * tokensPerStep(recipe) * probe.secondsPerEvaluatedToken
  const last = heldOut * probe.secondsPerEvaluatedToken
  return Math.floor(((seconds - last) * (1 - OVERHEAD)) / perStep)
}

const clamp = (x: number, least: number, most: number): number => Math.min(most, Math.max(least, x))

const EVALUATIONS = 8
const SAMPLES = 4
/** Part of the training tokens that one evaluation under way may read; it costs a third as much a token. */
const EVALUATED_PART = 0.015
const FEWEST_EVALUATED = 4096

const evaluatedTokens = (recipe: Recipe, steps: number): number =>
  Math.round(
    clamp(EVALUATED_PART * steps * tokensPerStep(recipe), FEWEST_EVALUATED, recipe.evaluation.maxTokens ?? Infinity),
  )

/** Evaluations and samples are spread evenly over the steps. */
function withSteps(recipe: Recipe, steps: number, options: PlanOptions): Recipe {
  const { warmupSteps } = recipe.schedule
  return {
    ...recipe,
    steps,
    schedule: {
      ...recipe.schedule,
      warmupSteps: isPreset(options) ? Math.min(warmupSteps, steps) : Math.min(warmupSteps, Math.floor(steps / 10)),
    },
    evaluation: { everySteps: Math.max(1, Math.ceil(steps / EVALUATIONS)), maxTokens: evaluatedTokens(recipe, steps) },
    sampling: { ...recipe.sampling, everySteps: Math.max(1, Math.ceil(steps / SAMPLES)) },
  }
}

const overrule = (options: PlanOptions, recipe: Recipe): Recipe =>
  (options.set ?? []).reduce((changed, [key, value]) => setRecipeValue(changed, key, value), recipe)

function explain(reasons: Reasons, key: string, value: unknown, because: string, source: string): void {
  reasons[key] = { value, because, source }
}
