// Which runs belong together (one recipe, several seeds), and how each group looks in every chart.
import type { ReportFacts, RunFacts } from "./facts.ts"
import { finite } from "./format.ts"
import { textsOf } from "./texts.ts"

export interface Group {
  readonly name: string
  readonly runs: readonly RunFacts[]
  readonly look: Look
}

/** Color, dash and symbol: a group can be told from others without color too. */
export interface Look {
  /** A variable of the page's style, so that one drawing serves light and dark. */
  readonly color: string
  readonly dash: string
  readonly symbol: "circle" | "square" | "triangle" | "diamond" | "star" | "cross"
}

const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "cross"] as const
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "12 4", "4 2"] as const

/** Groups that have a look of their own; the rest share a quiet one. */
export const DISTINCT = SYMBOLS.length

/** Of groups beyond the distinct ones: drawn first, below the others, and not in the legend. */
const QUIET: Look = { color: "var(--quiet)", dash: "", symbol: "circle" }

export const isQuiet = (look: Look): boolean => look === QUIET

/**
 * Groups in the order of their first run. Where there are more groups than looks, the best ones get them, or the first ones
 * where runs were measured on different texts.
 */
export function groupsOf(facts: ReportFacts): Group[] {
  const members = new Map<string, RunFacts[]>()
  for (const run of facts.runs) {
    const name = run.group ?? run.name
    members.set(name, [...(members.get(name) ?? []), run])
  }
  const names = distinctNames(members)
  return [...members].map(([name, runs]) => ({ name, runs, look: lookOf(names.indexOf(name)) }))
}

function distinctNames(members: ReadonlyMap<string, readonly RunFacts[]>): string[] {
  const names = [...members.keys()]
  if (names.length <= DISTINCT) return names
  const isOneText = textsOf([...members.values()].flat()).length <= 1
  const best = new Map(names.map((name) => [name, isOneText ? bestOf(members.get(name)!) : 0]))
  const chosen = new Set(names.toSorted((a, b) => best.get(a)! - best.get(b)!).slice(0, DISTINCT))
  return names.filter((name) => chosen.has(name))
}

function bestOf(runs: readonly RunFacts[]): number {
  return Math.min(1e9, ...runs.map(({ result }) => finite(result?.bitsPerByte) ?? 1e9))
}

/** As many as can be told apart, each with a look of its own: the group's, unless one of them has none. */
export function distinct<T extends { readonly look: Look }>(items: readonly T[]): T[] {
  const few = items.slice(0, DISTINCT)
  return few.some(({ look }) => isQuiet(look)) ? few.map((item, index) => ({ ...item, look: lookOf(index) })) : few
}

function lookOf(index: number): Look {
  if (index < 0) return QUIET
  return { color: `var(--series-${index + 1})`, dash: DASHES[index]!, symbol: SYMBOLS[index]! }
}

/** The middle value, or the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** How a list of runs is named in a sentence: `3 seeds (1, 2, 3)`. */
export function seedsOf({ runs }: Group): string {
  const seeds = runs.map(({ seed }) => seed).filter((seed) => seed !== undefined)
  const named = seeds.length === runs.length && seeds.length <= 12 ? ` (${seeds.join(", ")})` : ""
  return runs.length === 1 ? `1 run${named && `, seed ${seeds[0]}`}` : `${runs.length} seeds${named}`
}
