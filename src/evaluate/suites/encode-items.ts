// Items as token ids. Context and ending are encoded as one text and cut where all endings of the item still agree with the
// context, so that a token that reaches across the border is scored as the model would meet it.
import type { Sliced } from "../baselines/slices.ts"
import type { EndingsItem } from "../score/score-endings.ts"
import { type Examinee, type Lead, tryToEncode } from "./examinee.ts"
import { joinEnding, type Task, type TaskItem } from "./task.ts"

export interface EncodedTask {
  readonly items: readonly EndingsItem[]
  /** Which item of the task each is. */
  readonly indices: readonly number[]
  /** Items with text that the tokenizer cannot encode, and why the first of them cannot. */
  readonly skipped: number
  readonly skippedBecause?: string
  /** Items longer than the context: the beginning of what precedes the ending is not seen. */
  readonly truncated: number
}

/** Encodes every item that can be encoded. */
export function* encodeItems(examinee: Examinee, task: Task, lead: Lead): Sliced<EncodedTask> {
  const items: EndingsItem[] = []
  const indices: number[] = []
  const reasons: string[] = []
  let truncated = 0
  for (const [index, item] of task.items.entries()) {
    const encoded = encodeItem(examinee.tokenizer, item, task, lead)
    if (typeof encoded === "string") reasons.push(`item ${index + 1}: ${encoded}`)
    else {
      items.push(encoded)
      indices.push(index)
      if (longestInput(encoded) > examinee.contextTokens) truncated++
    }
    yield
  }
  const because = reasons.length > 0 && { skippedBecause: reasons[0]! }
  return { items, indices, skipped: reasons.length, truncated, ...because }
}

/** The item's ids, or why it has none. */
function encodeItem(
  tokenizer: Examinee["tokenizer"],
  item: TaskItem,
  { kind, separator }: Pick<Task, "kind" | "separator">,
  lead: Lead,
): EndingsItem | string {
  const texts = item.endings.map((ending) => lead.text + joinEnding(item.context, separator, ending))
  const encoded = texts.map((text) => tryToEncode(tokenizer, text))
  // What choices have in common is theirs; what a pair of sentences has in common tells nothing and need not be scored.
  const context = kind === "minimal-pairs" ? [] : [tryToEncode(tokenizer, lead.text + item.context)]
  const ids: Int32Array[] = []
  for (const one of [...encoded, ...context]) {
    if (one instanceof Error) return one.message
    ids.push(one)
  }
  const length = sharedLength(ids, item.endings.length)
  const endings = ids.slice(0, item.endings.length).map((one) => Array.from(one.subarray(length)))
  return { prefix: [...lead.ids, ...ids[0]!.subarray(0, length)], endings }
}

/** Length of the beginning that all have in common, such that something is left of each of the first `endings`. */
function sharedLength(ids: readonly Int32Array[], endings: number): number {
  const [first, ...others] = ids as [Int32Array, ...Int32Array[]]
  const limit = Math.min(...ids.map((one, at) => (at < endings ? one.length - 1 : one.length)))
  let length = 0
  while (length < limit && others.every((one) => one[length] === first[length])) length++
  return length
}

/** Tokens that are read; the last of an ending is only predicted. */
const longestInput = ({ prefix, endings }: EndingsItem): number =>
  prefix.length + Math.max(...endings.map((ending) => ending.length)) - 1
