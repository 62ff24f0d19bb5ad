// How well probabilities are meant: a model that says 70 % should be right 7 times in 10, on the diagonal.
import * as Plot from "@observablehq/plot"
import { finite, percent, shorten, whole } from "../format.ts"
import { distinct, type Group, type Look } from "../groups.ts"
import { FAINT } from "./draw.ts"
import type { Chart } from "./figure.ts"

interface Bin {
  readonly confidence: number
  readonly accuracy: number
  readonly count: number
  /** Of the run's tokens. */
  readonly part: number
}

interface Curve {
  readonly name: string
  readonly look: Look
  readonly bins: readonly Bin[]
}

/** Undefined where no run was measured. Of a group, its first measured run is drawn. */
export function reliabilityChart(groups: readonly Group[]): Chart | undefined {
  const all = groups.flatMap(curveOf)
  const curves = distinct(all)
  if (curves.length === 0) return undefined
  const largest = Math.max(...curves.flatMap(({ bins }) => bins.map(({ part }) => part)))
  const axis = {
    domain: [0, 1],
    labelArrow: "none",
    tickFormat: (value: number) => `${Math.round(100 * value)} %`,
  } as const
  return {
    label: `Reliability diagram: how often the likeliest token is right against how likely the model said it was, for ${curves
      .map(({ name }) => shorten(name, 40))
      .slice(0, 5)
      .join(", ")}.`,
    legend: curves.map(({ name, look }) => ({ name: shorten(name, 32), look, kind: "dot" as const })),
    caption: `On the dashed diagonal, probabilities are meant as they are said; below it the model is too sure. The area of a symbol is in proportion to its tokens.${all.length > curves.length ? ` Drawn are ${curves.length} of ${all.length} recipes.` : ""}`,
    width: 520,
    options: ({ narrow }) => ({
      height: narrow ? 348 : 500,
      marginLeft: 50,
      marginRight: 16,
      x: { ...axis, ticks: narrow ? 4 : 6, label: "said: probability of the likeliest token", labelAnchor: "right" },
      y: { ...axis, ticks: 6, label: "was right", grid: true },
      r: { range: [0, narrow ? 12 : 17], domain: [0, largest] },
      marks: [diagonal(), ...curves.flatMap((curve) => marksOf(curve))],
    }),
    table: {
      columns: [{ title: "run" }, ...["said", "right", "tokens"].map((title) => ({ title, number: true }))],
      rows: curves.flatMap(({ name, bins }) =>
        bins.map((bin) => [name, percent(bin.confidence), percent(bin.accuracy), whole(bin.count)]),
      ),
    },
  }
}

function curveOf({ runs, look }: Group): Curve[] {
  const run = runs.find(({ reliability }) => reliability?.bins.some(isBin))
  if (run === undefined) return []
  const bins = run.reliability!.bins.filter(isBin)
  const total = bins.reduce((sum, { count }) => sum + count, 0)
  return [{ name: run.name, look, bins: bins.map((bin) => ({ ...bin, part: bin.count / total })) }]
}

const isBin = ({ confidence, accuracy, count }: { confidence: number; accuracy: number; count: number }): boolean =>
  finite(confidence) !== undefined && finite(accuracy) !== undefined && (finite(count) ?? 0) > 0

const diagonal = (): Plot.Markish =>
  Plot.line(
    [
      [0, 0],
      [1, 1],
    ],
    { ...FAINT, stroke: "currentColor", strokeOpacity: 0.55, strokeDasharray: "4 3" },
  )

function marksOf({ bins, look }: Curve): Plot.Markish[] {
  const at = { x: "confidence", y: "accuracy" } as const
  return [
    Plot.line(bins, {
      ...at,
      stroke: look.color,
      strokeWidth: 1.6,
      ...(look.dash ? { strokeDasharray: look.dash } : {}),
    }),
    Plot.dot(bins, { ...at, r: "part", fill: look.color, fillOpacity: 0.3, stroke: "none", symbol: look.symbol }),
    Plot.dot(bins, { ...at, r: 3, fill: look.color, symbol: look.symbol }),
  ]
}
