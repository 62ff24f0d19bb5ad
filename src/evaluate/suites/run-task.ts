// A task set to an examinee: encode, score, count what was right.
import { platform } from "#platform"
import { DataError, invariant } from "../../core/index.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"
import type { EndingScore, ScoreEndingsOptions } from "../score/score-endings.ts"
import { type Credit, creditOf } from "./credits.ts"
import { type EncodedTask, encodeItems } from "./encode-items.ts"
import { type Beginning, type Examinee, leadOf } from "./examinee.ts"
import type { Task, TaskKind } from "./task.ts"
import { summarize, type TaskResult } from "./task-result.ts"

export interface RunTaskOptions extends Pick<ScoreEndingsOptions, "signal" | "onProgress"> {
  /** What stands before each text; default the first of these that the tokenizer has. */
  readonly beginning?: Beginning
}

/**
 * Runs a task without training on it.
 *
 * - Minimal pairs: right if `Σ ln p` of the good sentence is larger, sentences compared whole.
 * - Multiple choice: right if the answer has the largest `Σ ln p(choice | prompt)`; normalized, the largest per byte.
 * - Cloze: right if each token of the target is the likeliest one.
 *
 * Endings that tie share the point: a model that knows nothing of a pair gets one half.
 *
 * @throws DataError  if no item can be encoded, or a probability is not a number
 * @throws the signal's reason  if it is aborted
 */
export async function runTask(examinee: Examinee, task: Task, options: RunTaskOptions = {}): Promise<TaskResult> {
  const start = platform.now()
  const { beginning, signal, ...reporting } = options
  signal?.throwIfAborted()
  const lead = leadOf(examinee.tokenizer, beginning)
  const encoded = await runSliced(encodeItems(examinee, task, lead), signal)
  if (encoded.items.length === 0) throw nothingToScore(task, encoded)
  const scoring = { greedy: task.kind === "cloze", ...(signal && { signal }), ...reporting }
  const scores = await examinee.scoreEndings(encoded.items, scoring)
  invariant(scores.length === encoded.items.length, "every item is scored")
  const credits = await runSliced(creditAll(task, encoded, scores), signal)
  const { items: _items, separator: _separator, shots: _shots, ...facts } = task
  return {
    ...facts,
    protocol: protocolOf(task, lead.beginning, encoded),
    ...summarize(credits, task.kind),
    skipped: encoded.skipped,
    ...(encoded.skippedBecause !== undefined && { skippedBecause: encoded.skippedBecause }),
    truncated: encoded.truncated,
    seconds: (platform.now() - start) / 1000,
  }
}

function* creditAll(
  task: Task,
  { indices }: EncodedTask,
  scores: readonly (readonly EndingScore[])[],
): Sliced<Credit[]> {
  const credits: Credit[] = []
  for (const [at, index] of indices.entries()) {
    credits.push(creditOf(task.items[index]!, scores[at]!, task.kind))
    yield
  }
  return credits
}

const nothingToScore = ({ name, items }: Task, { skippedBecause }: EncodedTask): DataError =>
  new DataError(
    `${name}: none of the ${items.length} items can be encoded; ${skippedBecause}`,
    "the model's tokenizer does not know these texts: take one over bytes, or bpe",
  )

const BEGINNINGS: { readonly [beginning in Beginning]: string } = {
  "end-of-text": "each text begins after the end-of-text token",
  newline: "each text begins on a new line",
  nothing: "each text begins after nothing, its first token is not scored",
}

const CRITERIA: { readonly [kind in TaskKind]: string } = {
  "minimal-pairs": "the likelier of two whole sentences counts, ties one half",
  "multiple-choice": "the likeliest choice after the prompt counts, ties share",
  cloze: "the target counts if greedy decoding gives it exactly",
}

function protocolOf({ kind, shots }: Task, beginning: Beginning, { truncated }: EncodedTask): string {
  const shown = shots === 0 ? [] : [`${shots} worked ${shots === 1 ? "example" : "examples"} before each item`]
  const longer =
    truncated === 1
      ? "1 item is longer than the context and loses its"
      : `${truncated} items are longer than the context and lose their`
  const cut = truncated === 0 ? [] : [`${longer} beginning`]
  return [CRITERIA[kind], BEGINNINGS[beginning], ...shown, ...cut].join("; ")
}
