// kinglet evaluate: bits per byte on held-out text, beside what counts and compressors reach on the same bytes.

import { platform } from "#platform"
import { DataError, formatBytes, formatCount } from "../../core/index.ts"
import { type Document, documents, files as filesSource, openData, toSource } from "../../data/index.ts"
import { type BaselineResult, type Evaluation, evaluate } from "../../evaluate/index.ts"
import type { Model } from "../../generate/index.ts"
import { dataFolderOf } from "../../train/index.ts"
import { compare, comparisonLines, verdict } from "../comparison.ts"
import { INTERRUPTED, interruptible } from "../interrupts.ts"
import { count, plural } from "../numbers.ts"
import type { Output } from "../output.ts"
import { wrap } from "../text.ts"
import { transientLine } from "../transient-line.ts"
import { type ModelArguments, withModel } from "./generate.ts"

export interface EvaluateCommandOptions extends ModelArguments {
  readonly data?: readonly string[] | undefined
  readonly baselines: boolean
}

export async function evaluateCommand(path: string, options: EvaluateCommandOptions, output: Output): Promise<number> {
  return withModel(path, options, (model) =>
    interruptible(output, async (signal) => {
      const dir = await runFolderOf(path)
      const texts = await heldOutTexts(dir, options.data)
      const allowShort = options.data === undefined // of a run's own held-out text there is no more
      const evaluation = await evaluate(model, { data: documents(texts), allowShort, signal }).catch((error: unknown) =>
        unlessAborted(error, signal),
      )
      if (evaluation === undefined) return INTERRUPTED
      const baselines =
        options.baselines && dir !== undefined
          ? await baselinesOf(model, dir, options.data && texts, output, signal)
          : []
      if (baselines === undefined) return INTERRUPTED
      await tell({ model, evaluation, baselines, withBaselines: options.baselines, dir }, output)
      return 0
    }),
  )
}

/** The run a model belongs to: `path` itself, or two floors up. */
async function runFolderOf(path: string): Promise<string | undefined> {
  const files = platform.files!
  for (const dir of [path, files.dirname(files.dirname(path))])
    if (await files.exists(files.join(dataFolderOf(files, dir), "summary.json"))) return dir
  return undefined
}

async function heldOutTexts(dir: string | undefined, paths: readonly string[] | undefined): Promise<Document[]> {
  if (paths !== undefined) {
    const texts: Document[] = []
    for await (const document of toSource(filesSource(...paths)).documents()) texts.push(document)
    return texts
  }
  if (dir === undefined)
    throw new DataError("this model keeps no held-out text of its own", "name a text: --data held-out.txt")
  const data = await openData(dataFolderOf(platform.files!, dir))
  await Promise.all([data.train.close(), data.valid.close()])
  return [...data.validDocuments]
}

function unlessAborted(error: unknown, signal: AbortSignal): undefined {
  if (!signal.aborted) throw error
}

async function baselinesOf(
  { tokenizer }: Model,
  dir: string,
  texts: readonly Document[] | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<BaselineResult[] | undefined> {
  const line = transientLine(output)
  try {
    const validTexts = texts?.map(({ text }) => text)
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

interface Findings {
  readonly model: Model
  readonly evaluation: Evaluation
  readonly baselines: readonly BaselineResult[]
  readonly withBaselines: boolean
  readonly dir: string | undefined
}

async function tell({ model, evaluation, baselines, withBaselines, dir }: Findings, output: Output): Promise<void> {
  const { colors, width } = output
  const { bitsPerByte, bitsPerCharacter, bitsPerToken, natsPerToken, tokens, bytes, protocol } = evaluation
  await output.event({ model: model.source, ...evaluation, ...(withBaselines ? { baselines } : {}) })
  if (output.quiet) return output.answer(`${bitsPerByte.toFixed(4)}\n`)
  const parameters = Object.values(model.parameters).reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  )
  await output.say(
    `  ${colors.bold(`${bitsPerByte.toFixed(4)} bits per byte`)}  ${colors.dim(model.source)}`,
    `  ${bitsPerCharacter.toFixed(4)} bits per character, ${bitsPerToken.toFixed(4)} bits (${natsPerToken.toFixed(4)} nats) per token`,
    `  on ${plural(evaluation.documents, "document")}, ${formatBytes(bytes)}, ${count(tokens)} tokens`,
    ...wrap(protocol, width - 4).map((line) => `  ${colors.dim(line)}`),
  )
  if (baselines.length > 0) {
    await output.say(
      "",
      ...comparisonLines({ bitsPerByte, note: `${formatCount(parameters)} parameters` }, baselines, output),
    )
    await output.say("", ...wrap(verdict(bitsPerByte, baselines), width - 2).map((line) => `  ${line}`))
  } else if (withBaselines && dir === undefined)
    await output.say(
      "",
      `  ${colors.dim("no baselines: this model is apart from its run, whose text they would be trained on")}`,
    )
}
