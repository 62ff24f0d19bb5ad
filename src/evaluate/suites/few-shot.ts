// Worked examples before an item. All items share the same ones, but for an item that is itself an example.
import { DataError } from "../../core/index.ts"
import { permutation } from "../../data/index.ts"
import type { Sliced } from "../baselines/slices.ts"
import { joinEnding, type TaskItem } from "./task.ts"

export interface FewShot {
  readonly count: number
  readonly seed: number
  /** Between two examples, and before the item. */
  readonly separator: string
}

/**
 * Puts `count` examples with their right endings before each item's context.
 *
 * Drawn once by seed, with one in reserve: an item whose own prompt is among them gets the reserve instead, so that no item
 * sees its own answer and all others share one beginning.
 *
 * @throws DataError  if there are too few examples that differ from an item
 */
export function* addShots(
  items: readonly TaskItem[],
  pool: readonly TaskItem[],
  { count, seed, separator }: FewShot,
  task: { readonly separator: string; readonly place: string },
): Sliced<TaskItem[]> {
  const examples = [...new Map(pool.map((example) => [example.context, example])).values()]
  const order = permutation(examples.length, seed, "few-shot")
  const drawn = Array.from({ length: Math.min(count + 1, examples.length) }, (_, draw) => examples[order(draw)]!)
  const shown: TaskItem[] = []
  for (const [index, item] of items.entries()) {
    const shots = drawn.filter((example) => example.context !== item.context).slice(0, count)
    if (shots.length < count) throw tooFew(task.place, count, shots.length, index)
    const texts = shots.map(({ context, endings, answer }) => joinEnding(context, task.separator, endings[answer]!))
    shown.push({ ...item, context: [...texts, item.context].join(separator) })
    yield
  }
  return shown
}

const tooFew = (place: string, count: number, found: number, index: number): DataError =>
  new DataError(
    `${place}: "fewShot" asks for ${count} examples, but only ${found} have another prompt than item ${index + 1}`,
    "give more examples, or a smaller count",
  )
