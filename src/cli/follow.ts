// A run from its first event to what the user types next: views, Ctrl-C, comparison, last words. Shared by train, start, resume.

import { platform } from "#platform"
import type { Device } from "../backends/index.ts"
import { formatCount, formatDuration } from "../core/index.ts"
import { openData } from "../data/index.ts"
import { evaluate } from "../evaluate/index.ts"
import { generate, loadModel, type Model } from "../generate/index.ts"
import { dataFolderOf, type Run, type RunEndEvent, readEvents, type TrainEvent } from "../train/index.ts"
import { compare, comparisonLines, comparisonSeconds, verdict } from "./comparison.ts"
import { sampleLines } from "./happenings.ts"
import { INTERRUPTED, interruptible } from "./interrupts.ts"
import { liveView } from "./live-view.ts"
import { count } from "./numbers.ts"
import type { Output } from "./output.ts"
import { plainView } from "./plain-view.ts"
import { createProgress } from "./progress.ts"
import type { Reader } from "./reader.ts"
import { tensorboardReader } from "./tensorboard.ts"
import { wrap } from "./text.ts"
import { transientLine } from "./transient-line.ts"

export interface Following {
  readonly output: Output
  readonly device: Device
  readonly dir: string
  readonly startRun: (signal: AbortSignal) => Run
  /** FLOPs a second in a large product; 0 if not measured. */
  readonly peak: number
  /** On the platform's clock. */
  readonly startedMs: number
  readonly baselines: boolean
  readonly tensorboard: boolean
}

/** @returns  the exit code */
export async function followRun(following: Following): Promise<number> {
  const { output } = following
  const interrupted = { already: false }
  const work = async (signal: AbortSignal) => {
    const end = await readRun(following, signal)
    if (end?.reason === "finished" && !signal.aborted) await report(following, end, signal)
    return end
  }
  const onInterrupt = (): void => {
    interrupted.already = true
    if (!output.isLive) void output.note("saving a checkpoint … (once more ends at once)")
  }
  try {
    const end = await interruptible(output, (signal) => work(signal), onInterrupt)
    if (!interrupted.already) return 0
    await sayHowToResume(following, end)
  } catch (error) {
    if (!interrupted.already || (error as { name?: string }).name !== "AbortError") throw error
    await output.note("stopped before the first step; nothing was saved")
  }
  return INTERRUPTED
}

/** Reads the run to its end; the last event, if it came to that. */
async function readRun(following: Following, signal: AbortSignal): Promise<RunEndEvent | undefined> {
  const { output, dir, startRun, peak, baselines, tensorboard } = following
  const progress = createProgress(baselines ? comparisonSeconds : undefined)
  const view = output.isLive
    ? liveView({ output, progress, peak, isStopping: () => signal.aborted })
    : plainView({ output, progress, peak })
  const readers: Reader[] = [view, ...(tensorboard ? [tensorboardReader(dir)] : [])]
  let end: RunEndEvent | undefined
  try {
    for await (const event of startRun(signal)) {
      progress.read(event)
      await output.event(event)
      for (const reader of readers) await reader.read(event)
      if (event.type === "run-end") end = event
    }
  } finally {
    for (const reader of readers) await reader.close()
  }
  return end
}

async function sayHowToResume({ dir, output }: Following, end: RunEndEvent | undefined): Promise<void> {
  const at = end === undefined ? "" : ` at step ${count(end.step)}`
  if (end?.reason === "finished")
    await output.note(`the run is finished and saved; compare it with: npx kinglet evaluate ${dir}`)
  else await output.note(`saved${at}; go on with: npx kinglet resume ${dir}`)
}

// What comes after

/** Held-out quality beside the baselines, samples, what to type next. */
async function report(following: Following, end: RunEndEvent, signal: AbortSignal): Promise<void> {
  const { output, dir, device } = following
  const { colors } = output
  const model = await loadModel(dir, { device })
  try {
    const ours = await measureBest(following, model, end)
    const baselines = following.baselines ? await baselinesOf(following, model, signal) : []
    if (signal.aborted) return
    await output.event({
      type: "summary",
      dir,
      ...ours,
      baselines,
      seconds: (platform.now() - following.startedMs) / 1000,
    })
    const texts = await samplesOf(model, dir)
    const parameters = Object.values(model.parameters).reduce(
      (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    )
    const shown = {
      bitsPerByte: ours.bitsPerByte,
      note: `${formatCount(parameters)} parameters, step ${count(ours.step)}`,
    }
    await output.say("", `  ${colors.bold("bits per byte on held-out text")} ${colors.dim("(fewer is better)")}`, "")
    await output.say(...comparisonLines(shown, baselines, output))
    if (baselines.length > 0)
      await output.say("", ...wrap(verdict(ours.bitsPerByte, baselines), output.width - 2).map((line) => `  ${line}`))
    await output.say("", `  ${colors.bold("samples")} ${colors.dim("(held-out beginnings, continued by the model)")}`)
    for (const text of texts) await output.say("", ...sampleLines(text, output))
    await output.say("", ...nextLines(following, texts[0]?.prompt ?? ""))
    if (output.quiet) await output.answer(`${ours.bitsPerByte.toFixed(4)} bits per byte  ${dir}\n`)
  } finally {
    await model.close()
  }
}

/** The best checkpoint's held-out bits per byte: the run's last evaluation where the last step was the best. */
async function measureBest(
  { dir }: Following,
  model: Model,
  { step, best }: RunEndEvent,
): Promise<{ bitsPerByte: number; step: number }> {
  const last = await lastHeldOut(dir, step)
  if (last !== undefined && (best === undefined || best.step === step)) return { bitsPerByte: last, step }
  const data = await openData(dataFolderOf(platform.files!, dir))
  try {
    const { bitsPerByte } = await evaluate(model, { data: data.validDocuments, allowShort: true })
    return { bitsPerByte, step: best?.step ?? step }
  } finally {
    await Promise.all([data.train.close(), data.valid.close()])
  }
}

async function lastHeldOut(dir: string, step: number): Promise<number | undefined> {
  const events: readonly TrainEvent[] = await readEvents(platform.files!, platform.files!.join(dir, "events.jsonl"))
  const last = events.findLast((event) => event.type === "evaluation-end" && event.step === step && event.whole)
  return last?.type === "evaluation-end" ? last.bitsPerByte : undefined
}

async function baselinesOf({ output, dir }: Following, { tokenizer }: Model, signal: AbortSignal) {
  const line = transientLine(output)
  try {
    return await compare({ files: platform.files!, dir, tokenizer, signal, onProgress: line.tell })
  } finally {
    await line.clear()
  }
}

const SAMPLES = 2
const PROMPT_CHARACTERS = 48
const SAMPLE_TOKENS = 120

/** Continuations of beginnings the model never saw. */
async function samplesOf(model: Model, dir: string): Promise<{ prompt: string; text: string }[]> {
  const data = await openData(dataFolderOf(platform.files!, dir))
  await Promise.all([data.train.close(), data.valid.close()])
  const prompts = data.validDocuments.slice(0, SAMPLES).map(({ text }) => beginning(text))
  const samples: { prompt: string; text: string }[] = []
  for (const prompt of prompts) {
    let text = ""
    for await (const piece of generate(model, prompt, { maxTokens: SAMPLE_TOKENS, temperature: 0.7, seed: 1 }))
      text += piece.text
    samples.push({ prompt, text })
  }
  return samples
}

/** The first words of a text. */
function beginning(text: string): string {
  const start = text.trimStart().slice(0, PROMPT_CHARACTERS)
  const cut = start.lastIndexOf(" ")
  return cut > 8 ? start.slice(0, cut) : start
}

function nextLines({ output, dir, startedMs }: Following, prompt: string): string[] {
  const { colors } = output
  const words =
    prompt
      .replace(/[^\p{L}\p{N} ]/gu, " ")
      .split(/\s+/)
      .filter(Boolean)
      .slice(0, 3)
      .join(" ") || "The"
  return [
    `  ${colors.dim(`${formatDuration((platform.now() - startedMs) / 1000)} in all; the run is in`)} ${dir}`,
    "",
    `  ${colors.bold("next")}`,
    `    npx kinglet generate ${dir} --prompt "${words}"`,
    `    npx kinglet chat ${dir}`,
    `    npx kinglet train YOUR-TEXT --budget 10m`,
  ]
}
