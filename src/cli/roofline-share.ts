// Where the time of a program goes, as plain facts: calls of one name together, names in groups, and how near each comes to
// the peak that bounds it. Printing is bench's business.
import type { StepTime } from "../backends/index.ts"

/** What the machine gives to all lanes together. */
export interface Peak {
  readonly flopsPerSecond: number
  readonly bytesPerSecond: number
}

/** Calls put together under one name. */
export interface TimeShare {
  readonly name: string
  readonly calls: number
  readonly seconds: number
  /** Part of the whole time. */
  readonly share: number
  readonly flops: number
  readonly bytes: number
  /** Which peak is the lower one for these calls; undefined where nothing is counted. */
  readonly boundBy: "compute" | "memory" | undefined
  /** Least time the roofline allows over the time taken; above 1 where bytes came from a cache, FLOPs from wider vectors. */
  readonly ofPeak: number
}

/** By the first word of a name. */
const GROUPS: { readonly [group: string]: readonly string[] } = {
  products: ["matmul", "packedLinear"],
  attention: ["attention", "attentionGrad", "rope", "cacheWrite"],
  "loss and lookups": [
    "crossEntropy",
    "crossEntropyGrad",
    "linearCrossEntropy",
    "linearCrossEntropyGrad",
    "gather",
    "packedGather",
    "scatterAdd",
  ],
  "norms and sweeps": ["sweep"],
  reductions: ["sum", "max", "partial"],
  optimizer: ["update"],
  copies: ["copy", "transpose", "slice", "pad", "concatenate"],
}
/** They touch some rows of a table that they are charged for as a whole: how many bytes that is depends on the ids. */
const READS_SOME_ROWS = new Set(["gather", "packedGather", "cacheWrite"])
const GROUP_OF = new Map(Object.entries(GROUPS).flatMap(([group, words]) => words.map((word) => [word, group])))

/** What a call belongs to, by the first word of its name. */
export const groupOf = ({ name }: StepTime): string => GROUP_OF.get(firstWord(name)) ?? "other"
const firstWord = (name: string): string => name.split(" ", 1)[0]!
const bytesOf = ({ name, bytes }: StepTime): number => (READS_SOME_ROWS.has(firstWord(name)) ? 0 : bytes)

/** Calls of the same kernel together, the longest first. */
export const timeByKernel = (times: readonly StepTime[], peak: Peak): TimeShare[] =>
  timeBy(times, peak, ({ name }) => name)

/** Kernels of the same kind together, the longest first. */
export const timeByGroup = (times: readonly StepTime[], peak: Peak): TimeShare[] => timeBy(times, peak, groupOf)

/** The first shares that make up `part` of the time, and what is left in one more. */
export function longestOf(shares: readonly TimeShare[], part: number): TimeShare[] {
  let sum = 0
  const enough = shares.findIndex(({ share }) => (sum += share) >= part)
  const rest = enough < 0 ? [] : shares.slice(enough + 1)
  if (rest.length < 2) return [...shares]
  const more = {
    name: `${rest.length} more`,
    calls: total(rest, ({ calls }) => calls),
    seconds: total(rest, ({ seconds }) => seconds),
    share: total(rest, ({ share }) => share),
    flops: total(rest, ({ flops }) => flops),
    bytes: total(rest, ({ bytes }) => bytes),
    boundBy: undefined,
    ofPeak: 0,
  }
  return [...shares.slice(0, enough + 1), more]
}

function timeBy(times: readonly StepTime[], peak: Peak, nameOf: (time: StepTime) => string): TimeShare[] {
  const whole = total(times, ({ seconds }) => seconds)
  const sets = new Map<string, StepTime[]>()
  for (const time of times) sets.set(nameOf(time), [...(sets.get(nameOf(time)) ?? []), time])
  return [...sets].map(([name, calls]) => shareOf(name, calls, whole, peak)).sort((a, b) => b.seconds - a.seconds)
}

/** `Σ max(FLOPs / peak, bytes / bandwidth) / Σ seconds`: one slow call among fast ones is not hidden by their sum. */
function shareOf(name: string, calls: readonly StepTime[], whole: number, peak: Peak): TimeShare {
  const computing = (call: StepTime) => call.flops / peak.flopsPerSecond
  const reading = (call: StepTime) => bytesOf(call) / peak.bytesPerSecond
  const [compute, memory] = [total(calls, computing), total(calls, reading)]
  const seconds = total(calls, (call) => call.seconds)
  return {
    name,
    calls: calls.length,
    seconds,
    share: ratio(seconds, whole),
    flops: total(calls, ({ flops }) => flops),
    bytes: total(calls, bytesOf),
    boundBy: compute + memory === 0 ? undefined : compute > memory ? "compute" : "memory",
    ofPeak: ratio(
      total(calls, (call) => Math.max(computing(call), reading(call))),
      seconds,
    ),
  }
}

const total = <T>(values: readonly T[], of: (value: T) => number): number =>
  values.reduce((sum, value) => sum + of(value), 0)
const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0)
