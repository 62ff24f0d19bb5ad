// kinglet evaluate: bits per byte on held-out text, beside what counts and compressors reach on the same bytes.

import { platform } from "#platform"
import { DataError, formatBytes, formatCount } from "../../core/index.ts"
import type { BaselineResult, StoredBaseline, TextResult } from "../../evaluate/index.ts"
import type { Model } from "../../generate/index.ts"
import { compare, comparisonLines, verdict } from "../comparison.ts"
import { INTERRUPTED, interruptible } from "../interrupts.ts"
import { measure, storeText } from "../measure-text.ts"
import { type ModelFacts, modelFacts } from "../model-facts.ts"
import { count, plural } from "../numbers.ts"
import type { Output } from "../output.ts"
import { wrap } from "../text.ts"
import { heldOutText, type NamedText, textOfFiles } from "../texts.ts"
import { transientLine } from "../transient-line.ts"
import { type ModelArguments, withModel } from "./generate.ts"

export interface EvaluateCommandOptions extends ModelArguments {
  readonly data?: readonly string[] | undefined
  readonly baselines: boolean
}

export async function evaluateCommand(path: string, options: EvaluateCommandOptions, output: Output): Promise<number> {
  const facts = await modelFacts(path, options.checkpoint)
  if (facts.note) await output.note(facts.note)
  return withModel(facts.checkpoint, options, (model) =>
    interruptible(output, async (signal) => {
      const text = await textFor(facts, options.data)
      const { weights } = options
      const measured = await measure(model, facts, text, { output, signal, weights }).catch((error: unknown) =>
        unlessAborted(error, signal),
      )
      if (measured === undefined) return INTERRUPTED
      const baselines =
        options.baselines && facts.dir !== undefined
          ? await baselinesOf(model, facts.dir, options.data && text, output, signal)
          : []
      if (baselines === undefined) return INTERRUPTED
      const result = {
        ...measured.result,
        ...(baselines.length > 0 ? { baselines: baselines.map(withoutScores) } : {}),
      }
      await storeText(facts, text, { ...measured, result })
      await tell({ facts, result, baselines, withBaselines: options.baselines }, output)
      return 0
    }),
  )
}

async function textFor({ dir }: ModelFacts, paths: readonly string[] | undefined): Promise<NamedText> {
  if (paths !== undefined) return textOfFiles(paths)
  if (dir !== undefined) return heldOutText(platform.files!, dir)
  throw new DataError("this model keeps no held-out text of its own", "name a text: --data held-out.txt")
}

/** What is stored of a baseline. */
const withoutScores = (baseline: BaselineResult): StoredBaseline =>
  Object.fromEntries(Object.entries(baseline).filter(([key]) => key !== "documents")) as unknown as StoredBaseline

function unlessAborted(error: unknown, signal: AbortSignal): undefined {
  if (!signal.aborted) throw error
}

async function baselinesOf(
  { tokenizer }: Model,
  dir: string,
  text: NamedText | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<BaselineResult[] | undefined> {
  const line = transientLine(output)
  try {
    const validTexts = text && (await textsIn(text))
    return await compare({
      files: platform.files!,
      dir,
      tokenizer,
      signal,
      onProgress: line.tell,
      ...(validTexts ? { validTexts } : {}),
    })
  } catch (error) {
    return unlessAborted(error, signal)
  } finally {
    await line.clear()
  }
}

async function textsIn({ source }: NamedText): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of source.documents()) texts.push(text)
  return texts
}

interface Told {
  readonly facts: ModelFacts
  readonly result: TextResult
  readonly baselines: readonly BaselineResult[]
  readonly withBaselines: boolean
}

async function tell({ facts, result, baselines, withBaselines }: Told, output: Output): Promise<void> {
  const { colors, width } = output
  const { bitsPerByte, bitsPerCharacter, bitsPerToken, natsPerToken, tokens, bytes, protocol, documents } = result
  const numbers = { ...result, documents: documents.length }
  await output.event({ model: facts.checkpoint, ...numbers, ...(withBaselines ? { baselines } : {}) })
  if (output.quiet) return output.answer(`${bitsPerByte.toFixed(4)}\n`)
  await output.say(
    `  ${colors.bold(`${bitsPerByte.toFixed(4)} bits per byte`)}  ${colors.dim(facts.checkpoint)}`,
    ...intervalLines(result, output),
    `  ${bitsPerCharacter.toFixed(4)} bits per character, ${bitsPerToken.toFixed(4)} bits (${natsPerToken.toFixed(4)} nats) per token`,
    `  on ${plural(documents.length, "document")}, ${formatBytes(bytes)}, ${count(tokens)} tokens`,
    ...wrap(protocol, width - 4).map((line) => `  ${colors.dim(line)}`),
  )
  if (baselines.length > 0) {
    const ours = { bitsPerByte, note: `${formatCount(facts.parameters)} parameters` }
    await output.say("", ...comparisonLines(ours, baselines, output))
    await output.say("", ...wrap(verdict(bitsPerByte, baselines), width - 2).map((line) => `  ${line}`))
  } else if (withBaselines && facts.dir === undefined)
    await output.say(
      "",
      `  ${colors.dim("no baselines: this model is apart from its run, whose text they would be trained on")}`,
    )
}

/** The 95 % interval and what it does not cover, or why there is none. */
function intervalLines({ interval, noInterval }: TextResult, { colors, width }: Output): string[] {
  if (interval === undefined) return wrap(noInterval ?? "", width - 4).map((line) => `  ${colors.dim(line)}`)
  const { low, high, units, unit, note } = interval
  const text = `95 % interval ${low.toFixed(4)} to ${high.toFixed(4)}, from ${plural(units, unit)}${note === undefined ? "" : `; ${note}`}`
  return wrap(text, width - 4).map((line) => `  ${line}`)
}
