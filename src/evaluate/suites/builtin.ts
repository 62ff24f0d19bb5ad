// Suites that come with the package as task files of their own; the items are public sets that are fetched by name.
import { type LoadTaskOptions, loadTask } from "./load-task.ts"
import type { Task } from "./task.ts"

export interface BuiltinSuite {
  /** Name in the registry of public sets: its file holds the items, as JSON lines, packed or not. */
  readonly publicSet: string
  /** The task from that file's bytes. @throws DataError  if they are damaged */
  load(items: AsyncIterable<Uint8Array>, options?: Pick<LoadTaskOptions, "signal">): Promise<Task>
}

/** The numbers stand in the paper and its repository: unweighted means over the 67 paradigms. */
const BLIMP = `{
  "kinglet": "task",
  "version": 1,
  "name": "blimp",
  "kind": "minimal-pairs",
  "description": "Does the model find a grammatical sentence likelier than one that differs in a single point? 67 paradigms of 1,000 pairs of English sentences.",
  "licence": "CC BY 4.0",
  "source": "Warstadt et al. 2020, arXiv:1912.00582",
  "file": "blimp.jsonl.gz",
  "fields": { "group": "uid" },
  "published": { "5-gram": 0.6124, "LSTM": 0.6981, "Transformer-XL": 0.6963, "GPT-2": 0.8302 }
}`

/**
 * BLiMP from the bytes of its JSON lines: uid, phenomenon, good, bad.
 *
 * @throws DataError  with the line where something is missing or wrong
 */
export const blimpTask: BuiltinSuite["load"] = (items, options) =>
  loadTask(BLIMP, "blimp", { ...options, openItems: () => items })

/** By the name a user asks for. */
export const builtinSuites: { readonly [name: string]: BuiltinSuite } = {
  blimp: { publicSet: "blimp", load: blimpTask },
}
