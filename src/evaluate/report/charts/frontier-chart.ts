// Size against loss: every run a symbol with its interval, the Pareto front a step line (below and left of it nothing is).
import * as Plot from "@observablehq/plot"
import type { Interval } from "../../statistics/interval.ts"
import { paretoFront } from "../../statistics/pareto.ts"
import { bits, bytes, count, ends, finite, range, shorten } from "../format.ts"
import { DISTINCT, type Group, isQuiet } from "../groups.ts"
import { printable } from "../html.ts"
import { logDomain, RIM } from "./draw.ts"
import type { Chart } from "./figure.ts"

interface SizedRun {
  readonly name: string
  readonly group: Group
  readonly size: number
  readonly bitsPerByte: number
  readonly interval: Interval | undefined
  readonly low: number
  readonly high: number
  /** No run is both smaller (or as small) and better. */
  readonly isFront: boolean
}

/** Names that are written beside their symbols. */
const MAX_LABELS = 6

/** Undefined where no run tells both its size and its result. */
export function frontierChart(groups: readonly Group[], measure: "parameters" | "bytes"): Chart | undefined {
  const runs = sizedRuns(groups, measure)
  if (runs.length === 0) return undefined
  const front = runs.filter(({ isFront }) => isFront)
  const write = measure === "bytes" ? bytes : count
  return {
    label: `Scatter of ${measure} against bits per byte of ${runs.length} runs. On the Pareto front: ${front
      .map(({ name }) => shorten(name, 40))
      .slice(0, 5)
      .join(", ")}.`,
    legend: legendOf(runs),
    caption:
      "Further left is smaller, further down is better. The line is the Pareto front: no run is both smaller and better than one on it. Whiskers are 95 % intervals.",
    options: ({ narrow }) => ({
      height: narrow ? 300 : 360,
      marginLeft: 48,
      marginRight: 24,
      x: {
        type: "log",
        domain: logDomain(
          runs.map(({ size }) => size),
          1.3,
        ),
        label: measure,
        labelArrow: "none",
        tickFormat: write,
        ticks: narrow ? 3 : 6,
        labelAnchor: "right",
      },
      y: { domain: lossDomain(runs), label: "bits per byte", labelArrow: "none", ticks: 5, grid: true },
      marks: marksOf(runs, front, narrow),
    }),
    table: {
      columns: [
        { title: "run" },
        ...[measure, "bits per byte", "95 % interval"].map((title) => ({ title, number: true })),
        { title: "on the front" },
      ],
      rows: runs.map((run) => [
        run.name,
        write(run.size),
        bits(run.bitsPerByte),
        range(run.interval, bits),
        run.isFront && "yes",
      ]),
    },
  }
}

function sizedRuns(groups: readonly Group[], measure: "parameters" | "bytes"): SizedRun[] {
  const runs = groups.flatMap((group) =>
    group.runs.flatMap((run) => {
      const [size, bitsPerByte] = [finite(run[measure]), finite(run.result?.bitsPerByte)]
      if (size === undefined || size <= 0 || bitsPerByte === undefined) return []
      const interval = run.result!.interval
      const { low, high } = ends(interval) ?? { low: bitsPerByte, high: bitsPerByte }
      return [{ name: run.name, group, size, bitsPerByte, interval, low, high }]
    }),
  )
  const front = paretoFront(runs, [
    { of: (run) => run.size, better: "less" },
    { of: (run) => run.bitsPerByte, better: "less" },
  ])
  return runs
    .map((run) => ({ ...run, isFront: front.includes(run) }))
    .toSorted((a, b) => a.size - b.size || a.bitsPerByte - b.bitsPerByte)
}

function lossDomain(runs: readonly SizedRun[]): [number, number] {
  const [low, high] = [Math.min(...runs.map((run) => run.low)), Math.max(...runs.map((run) => run.high))]
  const room = Math.max((high - low) * 0.12, 0.02 * high, 1e-3)
  return [low - room, high + room]
}

function marksOf(runs: readonly SizedRun[], front: readonly SizedRun[], narrow: boolean): Plot.Markish[] {
  const at = { x: "size", y: "bitsPerByte" } as const
  const whisker = { x: "size", y1: "low", y2: "high" } as const
  const byLook = new Map(runs.map((run) => [run.group.look, runs.filter(({ group }) => group.look === run.group.look)]))
  return [
    Plot.line(front, { ...at, curve: "step-after", stroke: "var(--quiet)", strokeWidth: 1.5 }),
    Plot.ruleX(runs, { ...whisker, stroke: (run: SizedRun) => run.group.look.color, strokeWidth: 1.4 }),
    ...[...byLook].map(([look, members]) =>
      Plot.dot(members, {
        ...at,
        fill: look.color,
        symbol: look.symbol,
        r: 4.5,
        stroke: "var(--page)",
        strokeWidth: 1,
      }),
    ),
    ...labelsOf(runs, front, narrow),
  ]
}

/** The best of each group on the front; a label that could touch another one is left to the table. */
function labelsOf(runs: readonly SizedRun[], front: readonly SizedRun[], narrow: boolean): Plot.Markish[] {
  const firsts = front.filter((run, index) => front.findIndex(({ group }) => group === run.group) === index)
  if (firsts.length > MAX_LABELS || new Set(runs.map(({ group }) => group)).size < 2) return []
  const middle = Math.sqrt(runs[0]!.size * runs.at(-1)!.size)
  const labels = firsts.map((run) => ({ ...run, text: printable(shorten(run.group.name, narrow ? 18 : 30)) }))
  const style = { x: "size", y: "high", text: "text", dy: -12, fill: "currentColor", ...RIM } as const
  return [
    Plot.text(
      labels.filter(({ size }) => size <= middle),
      { ...style, textAnchor: "start", dx: -6 },
    ),
    Plot.text(
      labels.filter(({ size }) => size > middle),
      { ...style, textAnchor: "end", dx: 6 },
    ),
  ]
}

function legendOf(runs: readonly SizedRun[]) {
  const groups = [...new Set(runs.map(({ group }) => group))]
  const named = groups.filter(({ look }) => groups.length <= DISTINCT || !isQuiet(look))
  return named.map(({ name, look }) => ({ name: shorten(name, 32), look, kind: "dot" as const }))
}
