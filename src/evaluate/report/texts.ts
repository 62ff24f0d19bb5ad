// Which results are of one text: the hash of what was measured decides where it is known, since runs with another seed hold
// out other documents of a data set of one name.
import type { ResultFacts, RunFacts } from "./facts.ts"
import { finite } from "./format.ts"

/** The same for results of the same text. */
export const textKey = ({ sha256, text }: ResultFacts): string => sha256 ?? text

export interface MeasuredText {
  readonly key: string
  /** Its own name, and the first digits of its hash where another text has that name too. */
  readonly name: string
}

const DIGITS = 8

/** The texts that runs were measured on, in the order of the runs. */
export function textsOf(runs: readonly RunFacts[]): MeasuredText[] {
  const results = runs.map(({ result }) => result).filter((result) => finite(result?.bitsPerByte) !== undefined)
  const texts = new Map(results.map((result) => [textKey(result!), result!]))
  const isShared = (name: string) => [...texts.values()].filter(({ text }) => text === name).length > 1
  return [...texts].map(([key, { text, sha256 }]) => ({
    key,
    name: sha256 !== undefined && isShared(text) ? `${text} (${sha256.slice(0, DIGITS)})` : text,
  }))
}

/** Whether a run was measured on the text that `key` names. */
export const isOn =
  (key: string) =>
  ({ result }: RunFacts): boolean =>
    result !== undefined && textKey(result) === key

/** What must be said of seeds that were measured on different texts; undefined where there are none. */
export function seedNote(
  groups: readonly { readonly name: string; readonly runs: readonly RunFacts[] }[],
): string | undefined {
  const apart = groups.filter(({ runs }) => textsOf(runs).length > 1)
  if (apart.length === 0) return undefined
  const names = apart.map(({ name }) => name)
  const shown = names.length <= 3 ? names.join(" and ") : `${names.slice(0, 3).join("; ")} and ${names.length - 3} more`
  return `The seeds of ${shown} were measured on different texts, as each seed holds out other documents: their training losses compare, their bits per byte do not.`
}
