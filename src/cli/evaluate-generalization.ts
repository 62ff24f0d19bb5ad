// kinglet evaluate --generalization: whether a model learned or memorized, each measure beside its control, and one sentence.

import { platform } from "#platform"
import { DataError } from "../core/index.ts"
import {
  type GeneralizationProgress,
  type GeneralizationReport,
  type GeneralizationStage,
  generalizationReport,
} from "../evaluate/index.ts"
import type { Evaluating } from "./evaluating.ts"
import { measuredBy, storeFindings } from "./evaluations.ts"
import { measure, storedTextOf } from "./measure-text.ts"
import { type ModelFacts, measuredModel } from "./model-facts.ts"
import { compact, count } from "./numbers.ts"
import type { Output } from "./output.ts"
import { table } from "./table.ts"
import { wrap } from "./text.ts"
import { heldOutText, type NamedText, textOfFiles, trainingDocuments } from "./texts.ts"
import { transientLine } from "./transient-line.ts"

export interface GeneralizationArguments {
  /** A text that the model may have seen, against what the run held out; the held-out text itself if none. */
  readonly data: readonly string[] | undefined
  /** A quarter of the passages. */
  readonly quick: boolean
}

/** Measures, stores and tells. @throws DataError  for a model apart from its run: nobody knows what it was trained on */
export async function evaluateGeneralization(options: GeneralizationArguments, evaluating: Evaluating): Promise<void> {
  const { model, facts, weights, output } = evaluating
  const { dir } = facts
  if (dir === undefined)
    throw new DataError(
      "whether a model has memorized can only be told beside its training text, and this one is apart from its run",
      "name the run folder",
    )
  const heldOut = await heldOutText(platform.files!, dir)
  const text = options.data === undefined ? heldOut : await textOfFiles(options.data)
  const report = await measured({ dir, text, heldOut, quick: options.quick }, evaluating)
  const { name, sha256, documents, bytes } = text
  const findings = {
    ...measuredBy(model),
    kind: "generalization" as const,
    model: measuredModel(facts, weights),
    data: { name, sha256, documents, bytes },
    result: report,
  }
  await storeFindings(dir, findings, output)
  await output.event(findings)
  if (output.quiet) return output.answer(`${report.sentence}\n`)
  await output.say("", ...lines(report, output))
}

interface Texts {
  readonly dir: string
  readonly text: NamedText
  readonly heldOut: NamedText
  readonly quick: boolean
}

async function measured(texts: Texts, evaluating: Evaluating): Promise<GeneralizationReport> {
  const { dir, text, heldOut, quick } = texts
  const { model, facts, output, signal } = evaluating
  const line = transientLine(output)
  try {
    return await generalizationReport(model, {
      train: () => trainingDocuments(platform.files!, dir, (ids) => model.tokenizer.decode(ids)),
      test: text.source,
      ...(text === heldOut ? {} : { control: heldOut.source }),
      ...historyOf(facts),
      ...(await scoresOf(facts, text, evaluating)),
      ...(await bestBaseline(facts, heldOut, evaluating)),
      quick,
      signal,
      onProgress: (progress) => line.tell(progressText(progress)),
    })
  } finally {
    await line.clear()
  }
}

function historyOf({ training, step }: ModelFacts) {
  if (!training) return {}
  const measured = step === undefined ? {} : { measuredStep: step }
  return { history: { training: training.losses, heldOut: training.heldOut, ...measured } }
}

/** What each document of the test text cost, for the score without those parts that the training text has too. */
async function scoresOf(facts: ModelFacts, text: NamedText, evaluating: Evaluating) {
  const measured = await measure(evaluating.model, facts, text, evaluating)
  return { scores: measured.result.documents }
}

/** From stored findings, where the baselines were measured before. */
async function bestBaseline(facts: ModelFacts, heldOut: NamedText, evaluating: Evaluating) {
  const stored = await storedTextOf(facts, heldOut, evaluating)
  const bits = (stored?.result.baselines ?? []).flatMap(({ bitsPerByte }) => bitsPerByte ?? [])
  return bits.length > 0 ? { baselineBitsPerByte: Math.min(...bits) } : {}
}

const STAGES: { readonly [stage in GeneralizationStage]: string } = {
  contamination: "looking for the test text in the training text",
  gap: "scoring passages of both",
  extraction: "trying to extract passages",
  membership: "comparing losses",
  samples: "writing samples",
  copying: "looking for the samples in the training text",
}

const progressText = ({ stage, done, total }: GeneralizationProgress): string =>
  total === undefined ? STAGES[stage] : `${STAGES[stage]}, ${count(done)} of ${count(total)}`

function lines({ parts, sentence, control }: GeneralizationReport, { colors, width }: Output): string[] {
  const rows = parts.map(({ name, value, unit = "", interval, control: against, fires, because }) => [
    fires ? colors.bold(colors.yellow(`! ${name}`)) : `  ${name}`,
    `${compact(value)}${unit}`,
    [
      ...(against === undefined ? [] : [`control ${compact(against)}${unit}`]),
      ...(interval === undefined ? [] : [`95 % interval ${compact(interval.low)} to ${compact(interval.high)}`]),
      because,
    ].join("; "),
  ])
  return [
    ...wrap(sentence, width - 2).map((each) => `  ${colors.bold(each)}`),
    "",
    ...table([{}, { align: "right", style: colors.bold }, { style: colors.dim }], rows, width),
    "",
    ...wrap(`Control: ${control}.`, width - 2).map((each) => `  ${colors.dim(each)}`),
  ]
}
