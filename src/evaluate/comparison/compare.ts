// Models on the same text: two by two, paired by document, and many in a ranking with its Pareto fronts.

import { withShortHashes } from "../findings/stored.ts"
import {
  type PairedDifference,
  pairedDifference,
  paretoFront,
  type SeedSpread,
  seedSpread,
} from "../statistics/index.ts"
import { COMPARISON_AXES, COST_AXES, type ComparisonAxis, winnerOf } from "./axes.ts"
import type { Contestant } from "./contestant.ts"
import { differenceSentence, reasonText, SIGNIFICANT } from "./sentence.ts"

/** One axis of a comparison of two. */
export interface ComparedAxis {
  readonly axis: ComparisonAxis
  readonly a: number | undefined
  readonly b: number | undefined
  /** "neither" where they are equal, where the difference may be chance, or where one is not known. */
  readonly winner: "a" | "b" | "neither"
}

export interface ComparisonOfTwo {
  readonly a: Contestant
  readonly b: Contestant
  readonly difference: PairedDifference
  readonly sentence: string
  readonly axes: readonly ComparedAxis[]
}

/**
 * Two models on the same text: the difference in bits per byte over the same documents, and every axis.
 *
 * Bits per byte have a winner only where `p < 0.05`.
 *
 * @throws DataError  if they share no document
 */
export function compareTwo(a: Contestant, b: Contestant): ComparisonOfTwo {
  const difference = pairedDifference(withShortHashes(a.result.documents), withShortHashes(b.result.documents))
  const told = difference.pValue !== undefined && difference.pValue < SIGNIFICANT
  const axes = COMPARISON_AXES.map((axis): ComparedAxis => {
    const [valueA, valueB] = [axis.of(a), axis.of(b)]
    const index = axis.key === "bitsPerByte" && !told ? undefined : winnerOf(axis, [valueA, valueB])
    return { axis, a: valueA, b: valueB, winner: index === undefined ? "neither" : index === 0 ? "a" : "b" }
  })
  return { a, b, difference, sentence: differenceSentence(a.name, b.name, difference), axes }
}

/** Runs that differ in their seed only. */
export interface SeedGroup {
  readonly names: readonly string[]
  readonly seeds: readonly number[]
  /** Of their bits per byte. */
  readonly spread: SeedSpread
}

export interface Ranked {
  readonly contestant: Contestant
  /** Bits per byte more than the first; absent for the first itself. */
  readonly behind?: PairedDifference
  /** Keys of the cost axes on whose Pareto front it lies. */
  readonly fronts: readonly string[]
}

export interface Ranking {
  /** Fewest bits per byte first. */
  readonly ranked: readonly Ranked[]
  readonly groups: readonly SeedGroup[]
  readonly sentence: string
}

/**
 * Many models on the same text, sorted by bits per byte, each compared with the first.
 *
 * A model is on the front of an axis if none is both as good in bits per byte and as cheap there, and better in one of the
 * two. The p-values are Holm's, since the first was chosen by looking at all.
 *
 * @throws DataError  if two share no document
 */
export function rank(contestants: readonly Contestant[]): Ranking {
  const sorted = [...contestants].sort((a, b) => a.result.bitsPerByte - b.result.bitsPerByte)
  const fronts = COST_AXES.map((axis) => ({ key: axis.key, members: frontOf(sorted, axis) }))
  const first = sorted[0]!
  const differences = corrected(
    sorted.slice(1).map(({ result }) => {
      return pairedDifference(withShortHashes(result.documents), withShortHashes(first.result.documents))
    }),
  )
  const ranked = sorted.map((contestant, index): Ranked => {
    const on = fronts.filter(({ members }) => members.includes(contestant)).map(({ key }) => key)
    return { contestant, fronts: on, ...(index > 0 ? { behind: differences[index - 1]! } : {}) }
  })
  return { ranked, groups: seedGroups(sorted), sentence: rankingSentence(ranked) }
}

function frontOf(contestants: readonly Contestant[], axis: ComparisonAxis): Contestant[] {
  const known = contestants.filter((one) => axis.of(one) !== undefined)
  return paretoFront(known, [
    { of: ({ result }) => result.bitsPerByte, better: "less" },
    { of: axis.of, better: axis.better },
  ])
}

/** Holm's step-down: the smallest of m p-values counts m times, the next m - 1 times. @see Holm 1979 */
export function corrected<T extends { readonly pValue: number | undefined }>(tests: readonly T[]): T[] {
  const order = tests.flatMap(({ pValue }, index) => (pValue === undefined ? [] : [{ pValue, index }]))
  order.sort((a, b) => a.pValue - b.pValue)
  const values = tests.map(({ pValue }) => pValue)
  let least = 0
  for (const [rankOf, { pValue, index }] of order.entries()) {
    least = Math.max(least, Math.min(1, pValue * (order.length - rankOf)))
    values[index] = least
  }
  return tests.map((test, index) => ({ ...test, pValue: values[index] }))
}

/** Groups of two runs and more that differ in their seed only, in the order of their best. */
export function seedGroups(contestants: readonly Contestant[]): SeedGroup[] {
  const groups = new Map<string, Contestant[]>()
  for (const one of contestants)
    if (one.group !== undefined) groups.set(one.group, [...(groups.get(one.group) ?? []), one])
  return [...groups.values()]
    .filter((members) => new Set(members.map(({ seed }) => seed)).size > 1)
    .map((members) => ({
      names: members.map(({ name }) => name),
      seeds: members.map(({ seed }) => seed!),
      spread: seedSpread(members.map(({ result }) => result.bitsPerByte)),
    }))
}

function rankingSentence([first, ...others]: readonly Ranked[]): string {
  const name = first!.contestant.name
  const lead = `${name} has the fewest bits per byte, ${first!.contestant.result.bitsPerByte.toFixed(3)}`
  const untested = others.find(({ behind }) => behind!.pValue === undefined)?.behind
  if (untested) return `${lead}; whether that is more than chance cannot be told${reasonText(untested)}.`
  const close = others.filter(({ behind }) => behind!.pValue! >= SIGNIFICANT)
  if (close.length === 0) return `${lead}, and predicts this text better than all others.`
  return `${lead}; no difference can be told between it and ${close.map(({ contestant }) => contestant.name).join(", ")}.`
}
