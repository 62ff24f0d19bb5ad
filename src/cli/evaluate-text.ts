// kinglet evaluate: bits of a text, beside what counts, compressors and a plain model reach with the same training text.

import { platform } from "#platform"
import { DataError, formatBytes, formatCount } from "../core/index.ts"
import {
  type BaselineResult,
  differenceSentence,
  type EvaluateOptions,
  pairedDifference,
  type StoredBaseline,
  type TextFindings,
  type TextResult,
  withShortHashes,
} from "../evaluate/index.ts"
import { compare, comparisonLines, verdict } from "./comparison.ts"
import type { Evaluating } from "./evaluating.ts"
import { storeFindings } from "./evaluations.ts"
import { measure, storedTextOf } from "./measure-text.ts"
import type { ModelFacts } from "./model-facts.ts"
import { count, plural } from "./numbers.ts"
import type { Output } from "./output.ts"
import { wrap } from "./text.ts"
import { heldOutText, type NamedText, textOfFiles } from "./texts.ts"
import { trainedOn } from "./trained-on.ts"
import { transientLine } from "./transient-line.ts"
import { vanillaResults } from "./vanilla.ts"

export interface TextOptions {
  /** Files, folders and globs; what the run held out if none. */
  readonly data: readonly string[] | undefined
  /** Tokens by which windows move on; the context if not given. */
  readonly stride: number | undefined
  /** Runs whose models stand among the baselines. */
  readonly against: readonly string[]
}

/** Measures, stores and tells; what was measured is stored before baselines are. */
export async function evaluateText(options: TextOptions, evaluating: Evaluating): Promise<void> {
  const { model, facts, output } = evaluating
  const { stride, against } = options
  const text = await textFor(facts, options.data)
  const warning = await warningAbout(text, options, evaluating)
  if (warning !== undefined) await output.note(`warning: ${warning}`)
  const windows = stride === undefined ? {} : { stride }
  const known = await storedTextOf(facts, text, evaluating, stride)
  const measured = await measure(model, facts, text, { ...evaluating, ...windows, reliability: true })
  const kept = known?.result.baselines
  const first = { ...measured, result: { ...measured.result, ...(kept ? { baselines: kept } : {}) } }
  if (facts.dir !== undefined) await storeFindings(facts.dir, first, output)
  if (!evaluating.baselines) return tell(measured, [], warning, evaluating)
  const baselines = await baselinesOf(text, against, { ...evaluating, ...windows })
  const whole = { ...measured, result: { ...measured.result, baselines: baselines.map(withoutScores) } }
  if (facts.dir !== undefined) await storeFindings(facts.dir, whole, output)
  await tell(whole, baselines, warning, evaluating)
}

/** A text that was trained on has bits per byte that are too good. */
async function warningAbout(
  text: NamedText,
  { data }: TextOptions,
  evaluating: Evaluating,
): Promise<string | undefined> {
  const known = data === undefined ? undefined : await trainedOn(evaluating.facts, text, evaluating)
  return known && `this model was ${known}: its bits per byte are too good`
}

async function textFor({ dir }: ModelFacts, paths: readonly string[] | undefined): Promise<NamedText> {
  if (paths !== undefined) return textOfFiles(paths)
  if (dir !== undefined) return heldOutText(platform.files!, dir)
  throw new DataError("this model keeps no held-out text of its own", "name a text: --data held-out.txt")
}

/** Scores by document are not stored. */
const withoutScores = (baseline: BaselineResult): StoredBaseline =>
  Object.fromEntries(Object.entries(baseline).filter(([key]) => key !== "documents")) as unknown as StoredBaseline

async function baselinesOf(
  text: NamedText,
  against: readonly string[],
  evaluating: Evaluating & Pick<EvaluateOptions, "stride">,
): Promise<BaselineResult[]> {
  const { model, facts, output, signal } = evaluating
  const models = await vanillaResults(facts, text, against, evaluating)
  if (facts.dir === undefined) return models
  const line = transientLine(output)
  try {
    const counted = await compare({
      files: platform.files!,
      dir: facts.dir,
      tokenizer: model.tokenizer,
      valid: text.source,
      signal,
      onProgress: line.tell,
    })
    return [...counted, ...models]
  } finally {
    await line.clear()
  }
}

// What is told

async function tell(
  findings: TextFindings,
  baselines: readonly BaselineResult[],
  warning: string | undefined,
  { facts, output, baselines: wanted }: Evaluating,
): Promise<void> {
  const { colors, width } = output
  const { result } = findings
  const { bitsPerByte, documents } = result
  const numbers = { ...result, documents: documents.length }
  await output.event({ ...findings, bitsPerByte, result: numbers, ...(warning === undefined ? {} : { warning }) })
  if (output.quiet) return output.answer(`${bitsPerByte.toFixed(4)}\n`)
  await output.say(
    `  ${colors.bold(`${bitsPerByte.toFixed(4)} bits per byte`)}  ${colors.dim(facts.checkpoint)}`,
    ...intervalLines(result, output),
    ...sizeLines(result, output),
    ...wrap(result.protocol, width - 4).map((line) => `  ${colors.dim(line)}`),
  )
  if (baselines.length > 0) {
    const ours = { bitsPerByte, note: `${formatCount(facts.parameters)} parameters` }
    await output.say("", ...comparisonLines(ours, baselines, output))
    await output.say("", ...paragraph(verdict(bitsPerByte, baselines), output))
    await output.say(...closestLines(result, baselines, output))
  } else if (wanted && facts.dir === undefined)
    await output.say(
      "",
      ...paragraph("no baselines: this model is apart from its run, whose text they would be trained on", output),
    )
}

const paragraph = (text: string, { width }: Output): string[] => wrap(text, width - 2).map((line) => `  ${line}`)

/** The 95 % interval and what it does not cover, or why there is none. */
function intervalLines({ interval, noInterval }: TextResult, { colors, width }: Output): string[] {
  if (interval === undefined) return wrap(noInterval ?? "", width - 4).map((line) => `  ${colors.dim(line)}`)
  const { low, high, units, unit, note } = interval
  const text = `95 % interval ${low.toFixed(4)} to ${high.toFixed(4)}, from ${plural(units, unit)}${note === undefined ? "" : `; ${note}`}`
  return wrap(text, width - 4).map((line) => `  ${line}`)
}

function sizeLines(result: TextResult, { colors, width }: Output): string[] {
  const { bitsPerCharacter, bitsPerToken, natsPerToken, tokens, bytes, documents, reliability } = result
  const calibrated =
    reliability &&
    `probabilities are off by ${percentPoints(reliability.expectedCalibrationError)} on average; the likeliest token is right ${percentPoints(reliability.accuracy)} of the time`
  const lines = (text: string) => wrap(text, width - 4).map((line) => `  ${line}`)
  return [
    ...lines(
      `${bitsPerCharacter.toFixed(4)} bits per character, ${bitsPerToken.toFixed(4)} bits (${natsPerToken.toFixed(4)} nats) per token`,
    ),
    ...lines(`on ${plural(documents.length, "document")}, ${formatBytes(bytes)}, ${count(tokens)} tokens`),
    ...(calibrated ? lines(calibrated).map(colors.dim) : []),
  ]
}

const percentPoints = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Whether the lead over the best baseline, or its lead, is more than chance. */
function closestLines(result: TextResult, baselines: readonly BaselineResult[], output: Output): string[] {
  const [best] = baselines
    .filter(({ documents, bitsPerByte }) => documents !== undefined && bitsPerByte !== undefined)
    .sort((a, b) => a.bitsPerByte! - b.bitsPerByte!)
  if (best === undefined) return []
  const difference = pairedDifference(withShortHashes(result.documents), withShortHashes(best.documents!))
  const sentence = differenceSentence("this model", best.title, difference)
  return paragraph(sentence.slice(0, 1).toUpperCase() + sentence.slice(1), output)
}
