// The run itself: steps, evaluations, samples and checkpoints in order, told as events. It advances only while it is read.

import { platform } from "#platform"
import { ConfigError, DataError, KingletError } from "../core/index.ts"
import { createModel } from "../generate/index.ts"
import { type HeldOut, LOWER_LEARNING_RATE, pruneCheckpoints, saveCheckpoint } from "./checkpoint.ts"
import type { EvaluationEndEvent, RunEndEvent, RunStartEvent, StepEndEvent, TrainEvent } from "./events.ts"
import type { HeldOutResult, ResumeOptions, Run, RunResult, TrainOptions } from "./options.ts"
import { createRateMeter } from "./rate-meter.ts"
import type { Recipe } from "./recipe.ts"
import { configJson, openNewRun, openOldRun, type Session } from "./session.ts"

/**
 * Trains a model by a recipe.
 *
 * @throws (from the iteration and from `result`) ConfigError, DataError, DeviceError before the first step for what cannot be
 *   trained; DataError when the loss becomes NaN or infinite, with the last checkpoint kept; DeviceError when a checkpoint
 *   cannot be written
 */
export function train(recipe: Recipe, options: TrainOptions): Run {
  return createRun(() => openNewRun(recipe, options))
}

/**
 * Takes up the run in `dir` at its newest whole checkpoint: on the same device with the same choices it gives, bit for bit,
 * what never stopping would have given. A finished run only tells that it is finished.
 */
export function resume(dir: string, options: ResumeOptions): Run {
  return createRun(() => openOldRun(dir, options))
}

// Reading a run

function createRun(open: () => Promise<Session>): Run {
  let taken = false
  let settle: { resolve(result: RunResult): void; reject(error: unknown): void }
  const result = new Promise<RunResult>((resolve, reject) => (settle = { resolve, reject }))
  result.catch(() => {}) // whoever iterates gets the error there
  const take = (): AsyncGenerator<TrainEvent> => {
    if (taken)
      throw new ConfigError(
        "a run is read once: it is already being read",
        "collect its events, or await run.result alone",
      )
    taken = true
    return runToEnd(open, settle)
  }
  const drain = async (): Promise<void> => {
    for await (const _ of take());
  }
  return {
    [Symbol.asyncIterator]: take,
    get result() {
      if (!taken) drain().catch(() => {}) // the error is in `result`
      return result
    },
  }
}

async function* runToEnd(
  open: () => Promise<Session>,
  settle: { resolve(result: RunResult): void; reject(error: unknown): void },
): AsyncGenerator<TrainEvent> {
  let session: Session | undefined
  try {
    session = await open()
    const progress = createProgress(session)
    yield* steps(session, progress, settle.resolve)
  } catch (error) {
    settle.reject(error)
    throw error
  } finally {
    await session?.close()
  }
}

// Progress

/** What changes while a run goes on. */
interface Progress {
  /** Steps done. */
  step: number
  tokens: number
  loss: number | undefined
  readonly recentLosses: number[]
  /** The last evaluation, whole or not. */
  heldOut: HeldOutResult | undefined
  best: HeldOutResult | undefined
  savedStep: number | undefined
  savedAtMs: number
  readonly startedAtMs: number
  /** Seconds of earlier sittings. */
  readonly secondsBefore: number
  readonly now: () => number
}

const RECENT_LOSSES = 100

function createProgress({ options, resumed }: Session): Progress {
  const now = options.clock ?? platform.now
  const state = resumed?.state
  const recentLosses = [...(state?.recentLosses ?? [])]
  return {
    step: state?.step ?? 0,
    tokens: state?.tokens ?? 0,
    loss: recentLosses.at(-1),
    recentLosses,
    heldOut: state?.heldOut ? { ...state.heldOut, step: state.step } : undefined,
    best: state?.best,
    savedStep: state?.step,
    savedAtMs: now(),
    startedAtMs: now(),
    secondsBefore: state?.seconds ?? 0,
    now,
  }
}

const secondsOf = ({ now, startedAtMs }: Progress): number => (now() - startedAtMs) / 1000

// The loop

/** All events of an opened run; whatever way it ends, it is saved (unless it failed), closed, and `finish` is called. */
async function* steps(
  session: Session,
  progress: Progress,
  finish: (result: RunResult) => void,
): AsyncGenerator<TrainEvent> {
  const tell = <E extends TrainEvent>(event: E): E => {
    session.journal.write(event)
    return event
  }
  let ended = false
  const end = async (event: RunEndEvent): Promise<RunEndEvent> => {
    ended = true
    tell(event)
    const result = event.reason === "failed" ? undefined : await resultOf(session, progress, event.reason)
    await session.close()
    if (result) finish(result)
    return event
  }
  try {
    yield tell(startEvent(session))
    for (const warning of session.warnings) yield tell(warning)
    for await (const event of allSteps(session, progress)) yield tell(event)
    const stopped = progress.step < session.recipe.steps || lacksLastEvaluation(session, progress)
    if (stopped) for await (const event of save(session, progress)) yield tell(event)
    yield await end(endEvent(progress, stopped ? "stopped" : "finished"))
  } catch (error) {
    if (!ended) yield await end({ ...endEvent(progress, "failed"), ...describe(error) })
    throw error
  } finally {
    if (!ended) {
      for await (const event of save(session, progress)) tell(event) // the reader has left the loop
      await end(endEvent(progress, "stopped"))
    }
  }
}

const describe = (error: unknown): { message: string; hint?: string } => {
  const { message } = error as Error
  return error instanceof KingletError && error.hint !== undefined ? { message, hint: error.hint } : { message }
}

/** Steps until the recipe is done or the signal aborted. */
async function* allSteps(session: Session, progress: Progress): AsyncGenerator<TrainEvent> {
  const { recipe, options, trainer } = session
  const meter = createRateMeter()
  if (lacksLastEvaluation(session, progress)) yield* afterStep(session, progress)
  while (progress.step < recipe.steps && !options.signal?.aborted) {
    const startedMs = progress.now()
    const result = await trainer.step(progress.step, options.signal)
    if (result === undefined) return
    await platform.yieldToEventLoop() // a device that computes on this thread would starve timers and signals
    requireFinite(session, progress, result)
    meter.add(result.tokens, progress.now() - startedMs)
    advance(progress, result)
    yield {
      type: "step-end",
      step: progress.step,
      ...result,
      tokensPerSecond: meter.tokensPerSecond(),
      seconds: secondsOf(progress),
    }
    yield* afterStep(session, progress)
  }
}

/** Interrupted after the last step and before its evaluation. */
function lacksLastEvaluation({ recipe }: Session, { step, heldOut }: Progress): boolean {
  return step === recipe.steps && heldOut?.step !== step
}

function advance(progress: Progress, { loss, tokens }: Pick<StepEndEvent, "loss" | "tokens">): void {
  progress.step++
  progress.tokens += tokens
  progress.loss = loss
  progress.recentLosses.push(loss)
  if (progress.recentLosses.length > RECENT_LOSSES) progress.recentLosses.shift()
}

/** @throws DataError  if the loss or the gradient is NaN or infinite: the parameters are lost, the last checkpoint is not */
function requireFinite(
  { folder }: Session,
  { step, savedStep }: Progress,
  { loss, gradientNorm }: Pick<StepEndEvent, "loss" | "gradientNorm">,
): void {
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return
  const what = Number.isFinite(loss) ? `the gradient's norm is ${gradientNorm}` : `the loss is ${loss}`
  const kept = folder && savedStep !== undefined ? `; the checkpoint of step ${savedStep} is kept` : ""
  throw new DataError(`training diverged at step ${step + 1}: ${what}${kept}`, LOWER_LEARNING_RATE)
}

/** Evaluation first, so that the checkpoint knows whether it is the best. */
async function* afterStep(session: Session, progress: Progress): AsyncGenerator<TrainEvent> {
  const { recipe, options } = session
  const last = progress.step === recipe.steps
  const due = (everySteps: number): boolean => everySteps > 0 && progress.step % everySteps === 0
  const evaluated = last || due(recipe.evaluation.everySteps) ? yield* evaluate(session, progress, last) : undefined
  if (options.signal?.aborted) return
  if (recipe.sampling.tokens > 0 && recipe.sampling.everySteps > 0 && (last || due(recipe.sampling.everySteps)))
    yield await sampleEvent(session, progress)
  const { everySteps, everySeconds = 0 } = recipe.checkpoint
  const late = everySeconds > 0 && progress.now() - progress.savedAtMs >= 1000 * everySeconds
  if (last || due(everySteps) || late || evaluated?.best) yield* save(session, progress)
}

// Evaluation and samples

/** How often an evaluation tells how far it is. */
const PROGRESS_EVERY_MS = 500

async function* evaluate(
  session: Session,
  progress: Progress,
  whole: boolean,
): AsyncGenerator<TrainEvent, EvaluationEndEvent | undefined> {
  const { trainer, options } = session
  const { step, now } = progress
  const totalTokens = trainer.evaluationTokens(whole)
  const startedMs = now()
  yield { type: "evaluation-start", step, tokens: totalTokens }
  const reading = trainer.evaluate(whole, options.signal)
  let told = startedMs
  let next = await reading.next()
  for (; !next.done; next = await reading.next()) {
    await platform.yieldToEventLoop()
    if (now() - told < PROGRESS_EVERY_MS) continue
    told = now()
    yield { type: "evaluation-progress", step, tokens: next.value, totalTokens }
  }
  if (next.value === undefined) return undefined
  const { nats, commonNats, tokens } = next.value
  const best = progress.best === undefined || commonNats < progress.best.nats
  if (best) progress.best = { step, ...heldOutOf(session, commonNats) }
  progress.heldOut = { step, ...heldOutOf(session, nats) }
  progress.savedStep = progress.savedStep === step ? undefined : progress.savedStep // it does not know this yet
  const { bitsPerByte } = progress.heldOut
  const event: EvaluationEndEvent = {
    type: "evaluation-end",
    step,
    nats,
    bitsPerByte,
    tokens,
    whole: tokens === trainer.evaluationTokens(true),
    seconds: (now() - startedMs) / 1000,
    best,
  }
  yield event
  return event
}

/** `bits/byte = nats/token · tokens / bytes / ln 2` over the held-out text's exact UTF-8 bytes. */
function heldOutOf({ data, trainer }: Session, nats: number): HeldOut {
  const tokens = trainer.evaluationTokens(true)
  return { nats, bitsPerByte: (nats * tokens) / data.summary.valid.bytes / Math.LN2 }
}

async function sampleEvent(session: Session, progress: Progress): Promise<TrainEvent> {
  const { recipe, tokenizer, trainer } = session
  const prompt = await promptIds(session)
  const ids = await trainer.sample(prompt, recipe.sampling.tokens, progress.step, tokenizer.endOfText)
  return { type: "sample", step: progress.step, prompt: tokenizer.decode(prompt), text: tokenizer.decode(ids) }
}

/** The recipe's prompt; the first held-out token where the tokenizer cannot say it. */
async function promptIds({ recipe, tokenizer, data }: Session): Promise<number[]> {
  try {
    const ids = [...tokenizer.encode(recipe.sampling.prompt)]
    if (ids.length > 0) return ids
  } catch (error) {
    if (!(error instanceof DataError)) throw error
  }
  return [...(await data.valid.read(0, 1))]
}

// Checkpoints

/** Saves what is not saved yet and removes what is no longer wanted; nothing for a run in memory. */
async function* save(session: Session, progress: Progress): AsyncGenerator<TrainEvent> {
  const { folder } = session
  if (!folder || progress.savedStep === progress.step) return
  const { step, best } = progress
  try {
    await session.journal.flush()
    const { path, bytes } = await saveCheckpoint(folder.files, folder.dir, contentsOf(session, progress))
    await pruneCheckpoints(folder.files, folder.dir, best?.step)
    progress.savedStep = step
    progress.savedAtMs = progress.now()
    yield { type: "checkpoint-end", step, path, bytes, best: best?.step === step }
  } catch (error) {
    yield { type: "checkpoint-failed", step, message: (error as Error).message }
    throw error
  }
}

function contentsOf(session: Session, progress: Progress): Parameters<typeof saveCheckpoint>[2] {
  const { recipe, trainer, batches, device, tokenizerSha256 } = session
  const { step, tokens, recentLosses, heldOut, best } = progress
  return {
    state: {
      step,
      seed: recipe.seed,
      tokens,
      seconds: progress.secondsBefore + secondsOf(progress),
      ...(heldOut?.step === step ? { heldOut: { nats: heldOut.nats, bitsPerByte: heldOut.bitsPerByte } } : {}),
      ...(best ? { best } : {}),
      batches: batches.state(),
      recentLosses,
      device,
      tokenizerSha256,
    },
    config: configJson(session),
    parameters: trainer.parameters,
    optimizer: trainer.optimizerStates,
  }
}

// First and last words

function startEvent({
  recipe,
  config,
  trainer,
  device,
  data,
  folder,
  resumed,
  parameterCounts,
  plannedBytes,
}: Session): RunStartEvent {
  return {
    type: "run-start",
    recipe,
    vocabSize: config.vocabSize,
    parameters: parameterCounts,
    flopsPerStep: trainer.flopsPerStep,
    tokensPerStep: recipe.batchSize * recipe.sequenceLength * recipe.accumulationSteps,
    plannedBytes,
    device,
    data: data.summary,
    ...(folder ? { dir: folder.dir } : {}),
    ...(resumed ? { resumedFromStep: resumed.state.step } : {}),
  }
}

function endEvent(progress: Progress, reason: RunEndEvent["reason"]): RunEndEvent {
  const { step, loss, best } = progress
  return {
    type: "run-end",
    reason,
    step,
    seconds: secondsOf(progress),
    ...(loss === undefined ? {} : { loss }),
    ...(best ? { best } : {}),
  }
}

async function resultOf(session: Session, progress: Progress, reason: "finished" | "stopped"): Promise<RunResult> {
  const { config, tokenizer, trainer, recipe, folder, options } = session
  const { step, loss, heldOut, best } = progress
  const parameters = Object.fromEntries(
    Object.entries(trainer.parameters).map(([name, tensor]) => [name, tensor.read()]),
  )
  const source = folder?.dir ?? "memory"
  const model = options.model
    ? undefined
    : await createModel({ config, tokenizer, parameters, source }, { device: options.device })
  return {
    get model() {
      if (model === undefined)
        throw new ConfigError(
          "a model of one's own cannot be generated from",
          "its parameters are in result.parameters",
        )
      return model
    },
    config,
    tokenizer,
    parameters,
    summary: {
      reason,
      step,
      steps: recipe.steps,
      seconds: secondsOf(progress),
      ...(loss === undefined ? {} : { loss }),
      ...(heldOut ? { heldOut } : {}),
      ...(best ? { best } : {}),
    },
    ...(folder ? { dir: folder.dir } : {}),
  }
}
