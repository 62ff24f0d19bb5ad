// From rounds of facts to a table: medians, ratios within a round, aligned columns. Nothing here runs or prints anything.

/** What a peer says of one round; a training peer and a decoding peer fill different columns. */
export interface Facts {
  readonly version?: string
  readonly engine?: string
  readonly tokensPerSecond: number
  /** A loss is comparable after as many steps only. */
  readonly steps?: number
  readonly msPerStep?: number
  readonly firstStepMs?: number
  readonly prefillTokensPerSecond?: number
  readonly loadMs?: number
  /** Peak, of the peer's own process; absent where the system does not tell. */
  readonly rssBytes?: number
  readonly lossNats?: number | null
}

/** Facts by peer; whoever failed in a round is absent from it. */
export type Round = Readonly<Record<string, Facts>>

export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** The middle value with the lowest and the highest; of an even number, the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const half = sorted.length / 2
  const median = (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2
  return { median, low: sorted[0]!, high: sorted.at(-1)! }
}

/** The spread of a fact over the rounds that have it. */
export const spreadOfFact = (rounds: readonly Round[], peer: string, fact: keyof Facts): Spread | undefined =>
  spreadOf(rounds.map((round) => round[peer]?.[fact]).filter((value) => typeof value === "number"))

/**
 * `fact of a / fact of b`, taken within each round and only then summarized: whatever slows a machine for some seconds slows
 * neighbours alike.
 */
export function ratioOf(rounds: readonly Round[], a: string, b: string, fact: "tokensPerSecond" | "rssBytes") {
  const ratios = rounds.map((round) => (round[a]?.[fact] ?? NaN) / (round[b]?.[fact] ?? NaN))
  return spreadOf(ratios.filter((ratio) => Number.isFinite(ratio)))
}

/** Three digits that mean something, never an exponent. */
export const digits = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)))

const times = (ratio: Spread | undefined) => (ratio === undefined ? "" : `${ratio.median.toFixed(2)}x`)
const range = (spread: Spread | undefined) =>
  spread === undefined ? "" : `${digits(spread.low)}-${digits(spread.high)}`

interface Column {
  readonly title: string
  cell(rounds: readonly Round[], peer: string): string
}

const number = (title: string, fact: keyof Facts, unit = 1): Column => ({
  title,
  cell(rounds, peer) {
    const spread = spreadOfFact(rounds, peer, fact)
    return spread === undefined ? "" : digits(spread.median / unit)
  },
})

const text = (title: string, fact: "version" | "engine"): Column => ({
  title,
  cell: (rounds, peer) => rounds.find((round) => round[peer] !== undefined)?.[peer]?.[fact] ?? "",
})

const ratio = (title: string, ours: string, fact: "tokensPerSecond" | "rssBytes"): Column => ({
  title,
  cell: (rounds, peer) => (peer === ours ? "" : times(ratioOf(rounds, ours, peer, fact))),
})

const columnsOf = (ours: readonly string[]): readonly Column[] => [
  { title: "", cell: (_, peer) => peer },
  text("version", "version"),
  text("engine", "engine"),
  number("ms/step", "msPerStep"),
  number("prefill tok/s", "prefillTokensPerSecond"),
  number("tok/s", "tokensPerSecond"),
  { title: "low-high", cell: (rounds, peer) => range(spreadOfFact(rounds, peer, "tokensPerSecond")) },
  number("first step ms", "firstStepMs"),
  number("load ms", "loadMs"),
  number("peak MB", "rssBytes", 1e6),
  number("steps", "steps"),
  number("loss", "lossNats"),
  ...ours.map((name) => ratio(`${name} is`, name, "tokensPerSecond")),
  ...ours.slice(0, 1).map((name) => ratio("its memory", name, "rssBytes")),
]

/** One row a peer; `ours` are the peers that the ratio columns stand for. Columns without any cell are left out. */
export function tableOf(rounds: readonly Round[], peers: readonly string[], ours: readonly string[]): string[] {
  const columns = columnsOf(ours)
    .map(({ title, cell }) => [title, ...peers.map((peer) => cell(rounds, peer))])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ""))
  return aligned(columns)
}

/** Columns side by side, the first one flush left, numbers flush right. */
function aligned(columns: readonly (readonly string[])[]): string[] {
  const widths = columns.map((cells) => Math.max(...cells.map((cell) => cell.length)))
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  return (columns[0] ?? []).map((_, row) =>
    columns
      .map((cells, column) => pad(cells[row]!, column))
      .join("  ")
      .trimEnd(),
  )
}
