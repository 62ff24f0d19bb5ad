// kinglet generate: a prompt continued, streaming.

import { platform } from "#platform"
import { openDevice } from "../../backends/index.ts"
import { createModel, type GenerateOptions, generate, type Model, readModel } from "../../generate/index.ts"
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
  readonly device: "wasm" | "reference"
}

export interface GenerateCommandOptions extends SamplingArguments, ModelArguments {
  readonly prompt?: string | undefined
}

export async function generateCommand(path: string, options: GenerateCommandOptions, output: Output): Promise<number> {
  return withModel(path, options, async (model) => {
    const prompt = unescaped(options.prompt ?? "")
    const aborted = await interruptible(output, async (signal) => {
      await output.answer(show(prompt, output))
      await stream(model, prompt, { ...samplingOf(options), signal }, output)
      return signal.aborted
    })
    return aborted ? INTERRUPTED : 0
  })
}

/** Up to so many parameters a token takes less than a millisecond, and starting lanes more than a text. */
const LOCAL_PARAMETERS = 4_000_000

/** Reads a model and opens a device that suits it; both are closed after `work`. */
export async function withModel<T>(
  path: string,
  { device: kind, threads, checkpoint }: ModelArguments,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const parts = await readModel(path, { checkpoint })
  const local = threads === undefined && parameterCounts(parts.config).total <= LOCAL_PARAMETERS
  await using device = await openDevice({
    kind,
    allowV8Flags: true,
    local,
    ...(threads === undefined ? {} : { lanes: threads }),
  })
  await using model = await createModel(parts, { device })
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
