// kinglet evaluate: bits per byte of a text, zero-shot suites, generalization; each part measured, stored in the run and told.

import type { Task } from "../../evaluate/index.ts"
import { evaluateGeneralization } from "../evaluate-generalization.ts"
import { evaluateSuite, suiteOf } from "../evaluate-suites.ts"
import { evaluateText } from "../evaluate-text.ts"
import type { Evaluating } from "../evaluating.ts"
import { untilInterrupted } from "../interrupts.ts"
import { modelFacts } from "../model-facts.ts"
import type { Output } from "../output.ts"
import { type ModelArguments, withModel } from "./generate.ts"

export interface EvaluateCommandOptions extends ModelArguments {
  readonly data?: readonly string[] | undefined
  readonly stride?: number | undefined
  /** Built-in suites and task files. */
  readonly suite?: readonly string[] | undefined
  readonly generalization?: true | undefined
  /** Text, generalization and the suites that were named. */
  readonly all?: true | undefined
  readonly against?: readonly string[] | undefined
  readonly quick?: true | undefined
  readonly baselines: boolean
}

/** What is wrong with the options, if anything: one that would do nothing. */
export function evaluateUsage(options: EvaluateCommandOptions): string | undefined {
  const { data, quick, all, generalization, against = [], baselines, stride } = options
  const { text } = partsAsked(options)
  if (quick && !generalization && !all) return "--quick is for --generalization"
  if (against.length > 0 && !baselines) return "--against adds baselines, and --no-baselines leaves them out"
  if (data !== undefined && !text && !generalization)
    return "--data is for bits per byte: add --all, or leave out --suite"
  if (stride !== undefined && !text) return "--stride is for bits per byte"
  return undefined
}

export async function evaluateCommand(path: string, options: EvaluateCommandOptions, output: Output): Promise<number> {
  const facts = await modelFacts(path, options.checkpoint)
  if (facts.note) await output.note(facts.note)
  for (const other of options.against ?? []) await modelFacts(other, options.checkpoint) // told now, not after minutes
  const suites = await Promise.all((options.suite ?? []).map(suiteOf))
  return withModel(facts.checkpoint, options, (model) =>
    untilInterrupted(output, async (signal) => {
      const { checkpoint, threads, blas, device, weights, baselines } = options
      const placed = { checkpoint, threads, blas, device, weights }
      const evaluating: Evaluating = { ...placed, model, facts, output, signal, baselines }
      for (const part of partsOf(options, suites)) await part(evaluating)
      return 0
    }),
  )
}

/** The text, unless something else is asked for and not everything. */
function partsAsked(options: EvaluateCommandOptions): { readonly text: boolean; readonly generalization: boolean } {
  const { stride, against = [], suite = [] } = options
  const [all, generalization] = [options.all === true, options.generalization === true]
  const isTextAsked = all || stride !== undefined || against.length > 0
  return { text: isTextAsked || (suite.length === 0 && !generalization), generalization: all || generalization }
}

type Part = (evaluating: Evaluating) => Promise<void>

function partsOf(options: EvaluateCommandOptions, suites: readonly Task[]): Part[] {
  const { data, stride, against = [], quick = false } = options
  const asked = partsAsked(options)
  return [
    ...(asked.text ? [(one: Evaluating) => evaluateText({ data, stride, against }, one)] : []),
    ...suites.map((task) => (one: Evaluating) => evaluateSuite(task, one)),
    ...(asked.generalization ? [(one: Evaluating) => evaluateGeneralization({ data, quick }, one)] : []),
  ]
}
