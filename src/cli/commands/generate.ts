// kinglet generate: a prompt continued, streaming; or several together, each printed when it is complete.

import { platform } from "#platform"
import { openDevice } from "../../backends/index.ts"
import {
  createModel,
  type GenerateOptions,
  generate,
  generateBatch,
  type Model,
  readModel,
} from "../../generate/index.ts"
import { parameterCounts } from "../../models/index.ts"
import { INTERRUPTED, interruptible } from "../interrupts.ts"
import { count, plural } from "../numbers.ts"
import type { Output } from "../output.ts"
import { printable } from "../text.ts"

export interface SamplingArguments {
  readonly tokens: number
  readonly temperature: number
  readonly topK?: number | undefined
  readonly topP?: number | undefined
  readonly minP?: number | undefined
  readonly repetitionPenalty?: number | undefined
  readonly stop?: readonly string[] | undefined
  readonly seed?: number | undefined
}

export interface ModelArguments {
  readonly checkpoint: "best" | "last"
  readonly threads?: number | undefined
  readonly blas: "auto" | "off"
  readonly device: "wasm" | "reference"
  readonly weights: "f32" | "f16"
}

export interface GenerateCommandOptions extends SamplingArguments, ModelArguments {
  readonly prompt?: readonly string[] | undefined
}

export async function generateCommand(path: string, options: GenerateCommandOptions, output: Output): Promise<number> {
  const prompts = (options.prompt ?? [""]).map(unescaped)
  const work = async (model: Model) => {
    const aborted = await interruptible(output, async (signal) => {
      const sampling = { ...samplingOf(options), signal }
      if (prompts.length > 1) await answerEach(model, prompts, sampling, output)
      else {
        await output.answer(show(prompts[0]!, output))
        await stream(model, prompts[0]!, sampling, output)
      }
      return signal.aborted
    })
    return aborted ? INTERRUPTED : 0
  }
  return withModel(path, options, work, LOCAL_PARAMETERS)
}

/** Up to so many parameters, a token takes less than a millisecond on the calling thread, and starting lanes some 50. */
export const LOCAL_PARAMETERS = 4_000_000

/**
 * Reads a model and opens a device for it; both are closed after `work`.
 *
 * @param localParameters  models up to this size run on the calling thread, if no number of threads is asked for
 */
export async function withModel<T>(
  path: string,
  { device: kind, threads, blas, checkpoint, weights }: ModelArguments,
  work: (model: Model) => Promise<T>,
  localParameters = 0,
): Promise<T> {
  const parts = await readModel(path, { checkpoint })
  const local = threads === undefined && parameterCounts(parts.config).total <= localParameters
  await using device = await openDevice({
    kind,
    blas,
    allowV8Flags: true,
    local,
    ...(threads === undefined ? {} : { lanes: threads }),
  })
  await using model = await createModel(parts, { device, weights })
  return await work(model)
}

export const samplingOf = ({
  tokens,
  temperature,
  topK,
  topP,
  minP,
  repetitionPenalty,
  stop,
  seed,
}: SamplingArguments): GenerateOptions => ({
  maxTokens: tokens,
  temperature,
  seed: seed ?? Math.floor(platform.wallClock()) % 2 ** 31,
  ...(topK === undefined ? {} : { topK }),
  ...(topP === undefined ? {} : { topP }),
  ...(minP === undefined ? {} : { minP }),
  ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
  ...(stop === undefined ? {} : { stop: stop.map(unescaped) }),
})

/** `\n` and `\t`, which shells do not write. */
export const unescaped = (text: string): string =>
  text.replace(/\\([nt\\])/g, (_, letter: string) => (letter === "n" ? "\n" : letter === "t" ? "\t" : "\\"))

/** A terminal gets no control characters from a model; a file gets every byte. */
export const show = (text: string, { terminal }: Output): string => (terminal.stdout.isTTY ? printable(text) : text)

/** Prints the continuation as it comes; returns it. */
export async function stream(model: Model, prompt: string, options: GenerateOptions, output: Output): Promise<string> {
  const startMs = platform.now()
  let all = ""
  let tokens = 0
  let finished = ""
  for await (const piece of generate(model, prompt, options)) {
    if (piece.id !== undefined) tokens++
    if (piece.finished !== undefined) finished = piece.finished
    all += piece.text
    if (piece.text !== "") await output.answer(show(piece.text, output))
    await output.event({ type: "text", text: piece.text, ...(piece.id === undefined ? {} : { id: piece.id }) })
  }
  const seconds = (platform.now() - startMs) / 1000
  await output.answer("\n")
  await output.event({ type: "end", finished, tokens, seconds, seed: options.seed })
  if (output.terminal.stderr.isTTY && !output.json)
    await output.note(
      output.colors.dim(
        `${plural(tokens, "token")}, ${count(tokens / Math.max(seconds, 1e-3))} a second, ended by ${finished}; seed ${options.seed}`,
      ),
    )
  return all
}

/** Continues several prompts together and prints each text, in the order of the prompts, once it and those before it are complete. */
async function answerEach(
  model: Model,
  prompts: readonly string[],
  options: GenerateOptions,
  output: Output,
): Promise<void> {
  const texts = prompts.map((prompt) => ({ text: prompt, tokens: 0, isComplete: false }))
  let printed = 0
  for await (const { index, text, id, finished } of generateBatch(model, prompts, options)) {
    const of = texts[index]!
    of.text += text
    if (id !== undefined) of.tokens++
    await output.event({ type: "text", index, text, ...(id === undefined ? {} : { id }) })
    if (finished === undefined) continue
    of.isComplete = true
    await output.event({ type: "end", index, finished, tokens: of.tokens, seed: options.seed })
    for (; texts[printed]?.isComplete; printed++)
      await output.answer(`${printed > 0 ? "\n" : ""}${show(texts[printed]!.text, output)}\n`)
  }
}
