// One model on one text: from stored findings where the same model met the same text, else measured, with progress, and stored.

import { platform } from "#platform"
import { formatDuration } from "../core/index.ts"
import { type EvaluateOptions, evaluate, type Findings, type TextFindings, textResultOf } from "../evaluate/index.ts"
import type { Model } from "../generate/index.ts"
import { type ModelArguments, withModel } from "./commands/generate.ts"
import { measuredBy, storedFindings, storeFindings } from "./evaluations.ts"
import { type ModelFacts, measuredModel, modelFacts } from "./model-facts.ts"
import type { Output } from "./output.ts"
import type { NamedText } from "./texts.ts"
import { transientLine } from "./transient-line.ts"

export interface MeasuringOptions extends ModelArguments {
  readonly signal: AbortSignal
  readonly output: Output
}

/**
 * Bits of `text` under the model: stored findings if there are some, else measured and stored in the model's run.
 *
 * @throws DataError  if the text is shorter than a context or holds what the tokenizer does not know
 */
export async function measureText(
  facts: ModelFacts,
  text: NamedText,
  options: MeasuringOptions,
): Promise<TextFindings> {
  const stored = facts.dir === undefined ? undefined : await storedTextOf(facts, text, options)
  if (stored) return stored
  const now = await stillThere(facts, options)
  const findings = await withModel(now.checkpoint, options, (model) =>
    measure(model, now, text, { ...options, reliability: true }),
  )
  if (facts.dir !== undefined) await storeFindings(facts.dir, findings, options.output)
  return findings
}

/** A run that is still training may have moved on from the checkpoint that was found first. */
async function stillThere(facts: ModelFacts, { checkpoint }: MeasuringOptions): Promise<ModelFacts> {
  const files = platform.files!
  return (await files.exists(files.join(facts.checkpoint, "model.safetensors")))
    ? facts
    : modelFacts(facts.path, checkpoint)
}

/** Findings of the same weights on the same documents. */
export async function storedTextOf(
  { dir, sha256 }: ModelFacts,
  text: Pick<NamedText, "sha256">,
  { weights, output }: Pick<MeasuringOptions, "weights" | "output">,
  stride?: number,
): Promise<TextFindings | undefined> {
  if (dir === undefined) return undefined
  const { findings, damaged } = await storedFindings(dir)
  for (const { message } of damaged) await output.note(`${message}; it is passed over`)
  const isSame = (one: Findings): one is TextFindings =>
    one.kind === "text" &&
    one.model.sha256 === sha256 &&
    one.model.weights === weights &&
    one.data.sha256 === text.sha256 &&
    one.result.stride === stride
  return findings.find(isSame)
}

/** The same, always measured and never stored. */
export async function measure(
  model: Model,
  facts: ModelFacts,
  text: NamedText,
  options: Pick<MeasuringOptions, "signal" | "output" | "weights"> & Pick<EvaluateOptions, "stride" | "reliability">,
): Promise<TextFindings> {
  const { signal, output, weights, stride, reliability = false } = options
  const line = transientLine(output)
  const start = platform.now()
  const seconds = () => (platform.now() - start) / 1000
  try {
    const evaluation = await evaluate(model, {
      data: text.source,
      allowShort: text.heldOutBy !== undefined, // of what a run held out there is no more
      reliability,
      ...(stride === undefined ? {} : { stride }),
      signal,
      onProgress: ({ bytes }) => line.tell(progressOf(facts.name, text, bytes, seconds())),
    })
    const { name, sha256, documents, bytes } = text
    return {
      ...measuredBy(model),
      kind: "text",
      model: measuredModel(facts, weights),
      data: { name, sha256, documents, bytes },
      result: { ...textResultOf(evaluation, seconds()), ...(stride === undefined ? {} : { stride }) },
    }
  } finally {
    await line.clear()
  }
}

/** `measuring book: 45 %, 12.0 s left`. */
function progressOf(name: string, { bytes: total }: NamedText, bytes: number, seconds: number): string {
  const share = Math.min(1, bytes / total)
  const left = share > 0.02 ? `, ${formatDuration((seconds / share) * (1 - share))} left` : ""
  return `measuring ${name}: ${Math.round(100 * share)} %${left}`
}
