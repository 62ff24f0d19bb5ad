// What a suite gave: over all items, by group, by phenomenon.
import type { Interval } from "../statistics/interval.ts"
import { accuracyInterval, groupsInterval, meanValueInterval } from "./accuracy-interval.ts"
import type { Credit } from "./credits.ts"
import type { TaskFacts } from "./task.ts"

export interface GroupResult {
  readonly name: string
  readonly phenomenon?: string
  readonly accuracy: number
  readonly items: number
  readonly interval: Interval
}

export interface PhenomenonResult {
  readonly name: string
  /** Unweighted mean of its groups. */
  readonly accuracy: number
  readonly groups: number
  readonly interval: Interval
}

/** Accuracies are shares of 1. */
export interface TaskResult extends TaskFacts {
  /** How sentences begin, what is compared, how many examples are shown; in words. */
  readonly protocol: string
  /** Scored items. */
  readonly items: number
  /** Items with text that the tokenizer does not know. */
  readonly skipped: number
  /** Why the first of them was skipped. */
  readonly skippedBecause?: string
  /** Items longer than the context, of which the beginning was not seen. */
  readonly truncated: number
  /** Over all items, whatever their group. Cloze: the share whose target is what greedy decoding gives. */
  readonly accuracy: number
  readonly interval: Interval
  /** Multiple choice: the choice with the fewest nats per UTF-8 byte, separator not counted (`acc_norm`). */
  readonly accuracyNormalized?: number
  readonly intervalNormalized?: Interval
  /** What guessing gives; a cloze task cannot be guessed. */
  readonly chance?: number
  /** In the order of the task; empty if its items have none. */
  readonly groups: readonly GroupResult[]
  /** In the order of the task; empty if its items have none. */
  readonly phenomena: readonly PhenomenonResult[]
  /** Unweighted mean over groups: the number that is published for BLiMP. */
  readonly mean?: number
  readonly meanInterval?: Interval
  /** Cloze: `-log2 p(target)`, mean over items. */
  readonly bitsPerTarget?: number
  readonly bitsPerTargetInterval?: Interval
  /** Cloze: `2^bitsPerTarget`. */
  readonly perplexity?: number
  readonly seconds: number
}

/** The part of a result that follows from the credits. */
type Summary = Omit<TaskResult, keyof TaskFacts | "protocol" | "skipped" | "skippedBecause" | "truncated" | "seconds">

/** @param credits  at least one */
export function summarize(credits: readonly Credit[], kind: TaskFacts["kind"]): Summary {
  const accuracy = meanOf(credits, ({ credit }) => credit)
  const groups = groupResults(credits)
  return {
    items: credits.length,
    accuracy,
    interval: accuracyInterval(accuracy, credits.length),
    ...(kind === "multiple-choice" && normalizedPart(credits)),
    ...(kind === "cloze" ? targetPart(credits) : { chance: meanOf(credits, ({ item }) => 1 / item.endings.length) }),
    groups,
    phenomena: phenomenonResults(groups),
    ...(groups.length > 0 && { mean: meanOf(groups, (group) => group.accuracy), meanInterval: groupsInterval(groups) }),
  }
}

function normalizedPart(credits: readonly Credit[]): Pick<TaskResult, "accuracyNormalized" | "intervalNormalized"> {
  const accuracyNormalized = meanOf(credits, ({ normalized }) => normalized ?? 0)
  return { accuracyNormalized, intervalNormalized: accuracyInterval(accuracyNormalized, credits.length) }
}

function targetPart(
  credits: readonly Credit[],
): Pick<TaskResult, "bitsPerTarget" | "bitsPerTargetInterval" | "perplexity"> {
  const bits = credits.map(({ nats }) => nats / Math.LN2)
  const bitsPerTarget = meanOf(bits, (each) => each)
  const interval = meanValueInterval(bits)
  return { bitsPerTarget, perplexity: 2 ** bitsPerTarget, ...(interval && { bitsPerTargetInterval: interval }) }
}

function groupResults(credits: readonly Credit[]): GroupResult[] {
  const grouped = groupBy(credits, ({ item }) => item.group)
  return grouped.map(([name, members]) => {
    const accuracy = meanOf(members, ({ credit }) => credit)
    const { phenomenon } = members[0]!.item
    return {
      name,
      ...(phenomenon !== undefined && { phenomenon }),
      accuracy,
      items: members.length,
      interval: accuracyInterval(accuracy, members.length),
    }
  })
}

function phenomenonResults(groups: readonly GroupResult[]): PhenomenonResult[] {
  return groupBy(groups, ({ phenomenon }) => phenomenon).map(([name, members]) => ({
    name,
    accuracy: meanOf(members, ({ accuracy }) => accuracy),
    groups: members.length,
    interval: groupsInterval(members),
  }))
}

/** In the order in which keys first occur; what has no key is left out. */
function groupBy<T>(values: readonly T[], keyOf: (value: T) => string | undefined): [string, T[]][] {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return [...groups]
}

function meanOf<T>(values: readonly T[], valueOf: (value: T) => number): number {
  let sum = 0
  for (const value of values) sum += valueOf(value)
  return sum / values.length
}
