// The axes on which models are compared beside how well they predict, and who wins each.
import { type Contestant, evaluatedBytesPerSecond } from "./contestant.ts"

export type AxisUnit =
  | "bitsPerByte"
  | "count"
  | "bytes"
  | "flops"
  | "seconds"
  | "tokensPerSecond"
  | "bytesPerSecond"
  | "tokens"

export interface ComparisonAxis {
  readonly key: string
  /** For people. */
  readonly name: string
  readonly unit: AxisUnit
  readonly better: "less" | "more"
  readonly of: (contestant: Contestant) => number | undefined
  /** Values that differ by no more than this part are equal: what is timed is never twice the same. */
  readonly tolerance: number
}

/** Timed twice on an idle machine, tokens a second agree within some percent. Assumption. */
const TIMED = 0.05

/** A control of equal compute is equal up to a whole number of steps. */
const WHOLE_STEPS = 0.01

const axis = (
  key: string,
  name: string,
  unit: AxisUnit,
  better: ComparisonAxis["better"],
  of: ComparisonAxis["of"],
  tolerance = 0,
): ComparisonAxis => ({ key, name, unit, better, of, tolerance })

/** Bits per byte first, what it cost next, then what the model offers. */
export const COMPARISON_AXES: readonly ComparisonAxis[] = [
  axis("bitsPerByte", "bits per byte", "bitsPerByte", "less", ({ result }) => result.bitsPerByte),
  axis("parameters", "parameters", "count", "less", ({ parameters }) => parameters),
  axis("bytes", "bytes", "bytes", "less", ({ bytes }) => bytes),
  axis("trainingFlops", "training FLOPs", "flops", "less", ({ trainingFlops }) => trainingFlops, WHOLE_STEPS),
  axis("trainingSeconds", "training time", "seconds", "less", ({ trainingSeconds }) => trainingSeconds, TIMED),
  axis(
    "tokensPerSecond",
    "training tokens/s",
    "tokensPerSecond",
    "more",
    ({ tokensPerSecond }) => tokensPerSecond,
    TIMED,
  ),
  axis("bytesPerSecond", "evaluation speed", "bytesPerSecond", "more", evaluatedBytesPerSecond, TIMED),
  axis("memoryBytes", "training memory", "bytes", "less", ({ memoryBytes }) => memoryBytes),
  axis("contextLength", "context, tokens", "tokens", "more", ({ contextLength }) => contextLength),
]

/** What it costs to reach a number of bits, counted and not timed: each is held against them for a Pareto front. */
export const COST_AXES = COMPARISON_AXES.filter(({ key }) => ["parameters", "bytes", "trainingFlops"].includes(key))

/**
 * The index of the value that is better than all others; undefined where several are best, or only one is known.
 *
 * @param values  of each contestant on one axis
 */
export function winnerOf(
  { better, tolerance }: Pick<ComparisonAxis, "better" | "tolerance">,
  values: readonly (number | undefined)[],
): number | undefined {
  const known = values.flatMap((value, index) => (value === undefined ? [] : [{ value, index }]))
  known.sort((a, b) => (better === "less" ? a.value - b.value : b.value - a.value))
  const [first, second] = known
  if (first === undefined || second === undefined) return undefined
  const apart = Math.abs(first.value - second.value)
  return apart > tolerance * Math.abs(second.value) ? first.index : undefined
}
