// kinglet evaluate: bits per byte of a text, zero-shot suites, generalization; each part measured, stored in the run and told.

import { evaluateGeneralization } from "../evaluate-generalization.ts"
import { evaluateSuite } from "../evaluate-suites.ts"
import { evaluateText } from "../evaluate-text.ts"
import type { Evaluating } from "../evaluating.ts"
import { INTERRUPTED, interruptible } from "../interrupts.ts"
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

export async function evaluateCommand(path: string, options: EvaluateCommandOptions, output: Output): Promise<number> {
  const facts = await modelFacts(path, options.checkpoint)
  if (facts.note) await output.note(facts.note)
  return withModel(facts.checkpoint, options, (model) =>
    interruptible(output, async (signal) => {
      const { checkpoint, threads, blas, device, weights, baselines } = options
      const placed = { checkpoint, threads, blas, device, weights }
      const evaluating: Evaluating = { ...placed, model, facts, output, signal, baselines }
      try {
        for (const part of partsOf(options)) await part(evaluating)
        return 0
      } catch (error) {
        if (signal.aborted) return INTERRUPTED
        throw error
      }
    }),
  )
}

type Part = (evaluating: Evaluating) => Promise<void>

/** What is measured: the text, unless something else is asked for and not everything. */
function partsOf(options: EvaluateCommandOptions): Part[] {
  const { data, stride, suite = [], generalization, all, against = [], quick = false } = options
  const isTextAsked = stride !== undefined || against.length > 0
  const isOtherAsked = suite.length > 0 || generalization === true
  return [
    ...(all || isTextAsked || !isOtherAsked ? [(one: Evaluating) => evaluateText({ data, stride, against }, one)] : []),
    ...suite.map((name) => (one: Evaluating) => evaluateSuite(name, one)),
    ...(all || generalization ? [(one: Evaluating) => evaluateGeneralization({ data, quick }, one)] : []),
  ]
}
