// Whether a model was trained on the text it is measured on: then its bits per byte are too good, and that is said.

import { platform } from "#platform"
import { contamination } from "../evaluate/index.ts"
import { readModel } from "../generate/index.ts"
import type { ModelFacts } from "./model-facts.ts"
import { percent } from "./numbers.ts"
import type { Output } from "./output.ts"
import { heldOutText, type NamedText, trainingDocuments } from "./texts.ts"
import { transientLine } from "./transient-line.ts"

/**
 * What must be said about a model on `text`: "trained on 93 % of this text"; undefined if nothing.
 *
 * Counted are words in runs of 13 that the training text has too, decoded from the run's own tokens. What the run held out is
 * not looked for: it was set apart before training.
 */
export async function trainedOn(
  { name, dir, checkpoint }: ModelFacts,
  text: NamedText,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const files = platform.files!
  if (dir === undefined || (await heldOutText(files, dir)).sha256 === text.sha256) return undefined
  const line = transientLine(output)
  line.tell(`looking for this text in what ${name} was trained on`)
  try {
    const { tokenizer } = await readModel(checkpoint)
    const training = () => trainingDocuments(files, dir, (ids) => tokenizer.decode(ids))
    const { share, fires } = await contamination(training, text.source, { signal })
    return fires ? `trained on ${percent(share)} of this text` : undefined
  } finally {
    await line.clear()
  }
}
