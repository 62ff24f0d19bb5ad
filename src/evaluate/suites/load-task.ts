// Task files, read whole and checked once: what comes out needs no further checking.
import { platform } from "#platform"
import { ConfigError, DataError } from "../../core/index.ts"
import { runSliced, type Sliced } from "../baselines/slices.ts"
import { addShots } from "./few-shot.ts"
import { readItem } from "./item-reader.ts"
import { type PlacedObject, placeObject } from "./placed-object.ts"
import type { Task, TaskItem } from "./task.ts"
import { MAX_TASK_BYTES, openBeside, parseJson, parseLines, readItemsFile } from "./task-file.ts"
import { readHeader, type TaskHeader } from "./task-header.ts"

export interface LoadTaskOptions {
  /** The bytes of the file that `file` names, packed or not. Default: read beside the task file. */
  readonly openItems?: (file: string) => AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

/** A suite of more items tells no more: at a million, the interval is a tenth of a percent wide. */
const MAX_ITEMS = 1_000_000

/**
 * Reads a task, which is a small JSON file:
 *
 * ```jsonc
 * {
 *   "kinglet": "task", "version": 1,
 *   "name": "birds",
 *   "kind": "multiple-choice",                    // or "minimal-pairs", "cloze"
 *   "items": [{ "question": "Which bird is small?", "choices": ["the wren", "the emu"], "answer": 0 }],
 *   "prompt": "Question: {question}\nAnswer:",    // {field} of the item; {{ and }} are braces
 *   "separator": " ",                             // between prompt and ending; this is the default
 *   "fewShot": { "count": 3, "seed": 1, "separator": "\n\n" }   // worked examples before each item
 * }
 * ```
 *
 * - `minimal-pairs`: items have `good` and `bad`, two whole sentences. No prompt.
 * - `multiple-choice`: `choices` and `answer`, an index from 0 or the right choice itself; the prompt is `{question}` if none
 *   is given.
 * - `cloze`: `target`, which is to be predicted exactly; the prompt is `{text}` if none is given. With `"lastWord": true` there
 *   is no target: it is the last word of the filled prompt.
 *
 * Instead of `items`, `"file": "birds.jsonl.gz"` names a file of JSON lines beside the task file, packed or not. `"fields":
 * { "good": "sentence_good" }` says what the items call a part; `choices` may be a list of fields that hold one choice each.
 * Items may have a `group` (a paradigm), and groups a `phenomenon`: results are then also given by group and by phenomenon.
 * Few-shot examples are the task's own items, or those of `fewShot.examples`; an item is never its own example.
 * `description`, `licence`, `source` and `published` (`{ "GPT-2": 0.83 }`, shares of 1) are carried to the result.
 *
 * Limits: 4 MiB for the task file, 512 MiB unpacked for the file of items, a million items, 256 choices, 256 examples, a
 * million characters a text.
 *
 * @param json   the task file's text
 * @param where  its path, for messages and to find the file of items
 * @throws DataError  naming the task file, and item and field where it is one, if anything is missing, unknown or wrong
 */
export async function loadTask(json: string | Uint8Array, where: string, options: LoadTaskOptions = {}): Promise<Task> {
  const { openItems = (file) => openBeside(where, file), signal } = options
  const header = readHeader(placeObject(parseJson(json, where), where))
  const { items } = header
  const objects =
    "file" in items
      ? parseLines(await readItemsFile(openItems(items.file), `${where}: ${items.file}`), items.file, where)
      : placeAll(items, `${where}: item`)
  return runSliced(buildTask(header, objects, where), signal)
}

/** {@link loadTask} from a path. @throws DataError  also if there is no such file */
export async function openTask(path: string, options: LoadTaskOptions = {}): Promise<Task> {
  const { files } = platform
  if (!files) throw new ConfigError("there are no files here", "loadTask takes the text of a task file")
  const found = await files.stat(path)
  if (found?.kind !== "file")
    throw new DataError(`cannot read the task ${path}: no such file`, "a suite is a built-in name or a task file")
  if (found.bytes > MAX_TASK_BYTES)
    throw new DataError(`${path}: a task file has at most ${MAX_TASK_BYTES} bytes, got ${found.bytes}`)
  return loadTask(await files.readBytes(path), path, options)
}

function* placeAll(values: readonly unknown[], place: string): Generator<PlacedObject> {
  for (const [index, value] of values.entries()) yield placeObject(value, `${place} ${index + 1}`)
}

function* buildTask(header: TaskHeader, objects: Iterable<PlacedObject>, where: string): Sliced<Task> {
  const { facts, rules, separator, fewShot } = header
  const items: TaskItem[] = []
  for (const object of objects) {
    if (items.length === MAX_ITEMS) throw new DataError(`${where}: a task has at most ${MAX_ITEMS} items`)
    items.push(readItem(object, rules))
    yield
  }
  if (items.length === 0) throw new DataError(`${where}: the task has no items`)
  checkGroups(items, where)
  if (!fewShot || fewShot.count === 0) return { ...facts, separator, shots: 0, items }
  const pool =
    fewShot.examples && Array.from(placeAll(fewShot.examples, `${where}: example`), (each) => readItem(each, rules))
  const shown = yield* addShots(items, pool ?? items, fewShot, { separator, place: where })
  return { ...facts, separator, shots: fewShot.count, items: shown }
}

/** All items have a group or none has, and so with phenomena; a group shows one phenomenon. */
function checkGroups(items: readonly TaskItem[], where: string): void {
  const phenomena = new Map<string | undefined, string | undefined>()
  for (const [index, { group, phenomenon }] of items.entries()) {
    for (const [part, value] of Object.entries({ group, phenomenon }))
      if ((value === undefined) !== (items[0]![part as "group" | "phenomenon"] === undefined))
        throw new DataError(
          `${where}: item ${index + 1} has ${value === undefined ? "no" : "a"} ${part}, unlike item 1`,
          "either all items have one or none has",
        )
    if (phenomena.has(group) && phenomena.get(group) !== phenomenon)
      throw new DataError(
        `${where}: the group ${JSON.stringify(group)} has two phenomena: ${phenomena.get(group)}, and ${phenomenon} in item ${index + 1}`,
      )
    phenomena.set(group, phenomenon)
  }
}
