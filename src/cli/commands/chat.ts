// kinglet chat: lines typed or piped in, each continued by the model. What was said before stays in the context.
import type { Model } from "../../generate/index.ts"
import { INTERRUPTED, interruptible } from "../interrupts.ts"
import type { Output } from "../output.ts"
import {
  LOCAL_PARAMETERS,
  type ModelArguments,
  type SamplingArguments,
  samplingOf,
  show,
  stream,
  withModel,
} from "./generate.ts"

const EXIT = "/exit"

export async function chatCommand(
  path: string,
  options: SamplingArguments & ModelArguments,
  output: Output,
): Promise<number> {
  const converse = async (model: Model) => {
    const typed = output.terminal.isInteractive
    if (!output.json)
      await output.note(
        `${model.source} was not taught to answer: it continues what you type.${typed ? ` Ctrl-D or ${EXIT} ends.` : ""}`,
      )
    let text = ""
    let code = 0
    for await (const line of output.terminal.readLines(output.colors.cyan("> "))) {
      if (line.trim() === EXIT) break
      text = shorten(`${text}${line}`, model)
      if (!typed) await output.answer(show(line, output))
      text += await reply(model, text, options, output, () => (code = typed ? 0 : INTERRUPTED))
      text += "\n"
      if (code !== 0) break
    }
    return code
  }
  return withModel(path, options, converse, LOCAL_PARAMETERS)
}

/** One continuation; Ctrl-C ends it, and the conversation goes on where a person types. */
async function reply(
  model: Model,
  text: string,
  options: SamplingArguments,
  output: Output,
  onInterrupt: () => void,
): Promise<string> {
  if (text === "") return ""
  return interruptible(output, (signal) => stream(model, text, { ...samplingOf(options), signal }, output), onInterrupt)
}

/** Characters kept of a conversation: more than any context of a small model, so that encoding it stays quick. */
const CHARACTERS_A_TOKEN = 8
const shorten = (text: string, { config }: Model): string =>
  text.slice(-CHARACTERS_A_TOKEN * config.maxPositionEmbeddings)
