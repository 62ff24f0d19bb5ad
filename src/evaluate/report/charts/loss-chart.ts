// The loss while training, on a logarithmic axis: per group the median of its seeds as a line, lowest to highest as a band,
// and the held-out loss as symbols.
import * as Plot from "@observablehq/plot"
import { bits, count, finite, shorten, whole } from "../format.ts"
import { type Group, isQuiet, seedsOf } from "../groups.ts"
import { logDomain } from "./draw.ts"
import type { Chart, LegendItem, Row } from "./figure.ts"
import { type Curve, curveOf, type Point } from "./loss-curves.ts"

/** Rows of a curve in the table. */
const TABLE_POINTS = 12

/** Undefined where no run tells a loss. */
export function lossChart(groups: readonly Group[]): Chart | undefined {
  const curves = groups
    .map(curveOf)
    .filter(({ line, heldOut }) => line.length > 0 || heldOut.some((each) => each.length > 0))
    .toSorted((a, b) => Number(isQuiet(b.group.look)) - Number(isQuiet(a.group.look)))
  if (curves.length === 0) return undefined
  return {
    label: labelOf(curves),
    legend: legendOf(curves),
    caption: captionOf(curves, groups),
    options: ({ narrow }) => ({
      height: narrow ? 300 : 380,
      marginLeft: 44,
      marginRight: 20,
      x: {
        label: "training tokens",
        tickFormat: count,
        ticks: narrow ? 4 : 7,
        labelArrow: "none",
        labelAnchor: "right",
      },
      y: { ...valueAxis(curves), label: "loss, nats per token", labelArrow: "none", grid: true },
      marks: curves.flatMap((curve) => marksOf(curve)),
    }),
    table: tableOf(curves),
  }
}

function valueAxis(curves: readonly Curve[]) {
  const all = curves.flatMap(({ line, heldOut }) => [
    ...line.flatMap(({ low, high }) => [low, high]),
    ...heldOut.flat().map(({ nats }) => nats),
  ])
  const domain = logDomain(all, 1.05)
  return { type: "log", domain, ticks: 6, tickFormat: (value: number) => String(Number(value.toPrecision(3))) } as const
}

function marksOf({ group: { look }, line, heldOut }: Curve): Plot.Markish[] {
  const at = { x: "tokens", stroke: look.color, strokeOpacity: isQuiet(look) ? 0.4 : 1 }
  const strokeWidth = isQuiet(look) ? 1 : 2
  const band = line.some(({ seeds }) => seeds > 1)
  return [
    band ? Plot.areaY(line, { x: "tokens", y1: "low", y2: "high", fill: look.color, fillOpacity: 0.22 }) : null,
    Plot.lineY(line, { ...at, y: "median", strokeWidth, ...(look.dash ? { strokeDasharray: look.dash } : {}) }),
    line.length === 1 ? Plot.dot(line, { x: "tokens", y: "median", fill: look.color, r: 4 }) : null,
    ...heldOut.map((points) => Plot.lineY(points, { ...at, y: "nats", strokeWidth: 1, strokeOpacity: 0.55 })),
    Plot.dot(heldOut.flat(), { ...at, y: "nats", fill: "var(--page)", symbol: look.symbol, r: 4, strokeWidth: 1.8 }),
  ]
}

function legendOf(curves: readonly Curve[]): LegendItem[] {
  const distinct = curves.filter(({ group }) => !isQuiet(group.look))
  const first = (distinct[0] ?? curves[0]!).group.look
  const hasBand = curves.some(({ line }) => line.some(({ seeds }) => seeds > 1))
  const hasHeldOut = curves.some(({ heldOut }) => heldOut.some((points) => points.length > 0))
  return [
    ...distinct.map(({ group }) => ({
      name: `${shorten(group.name, 32)}, training`,
      look: group.look,
      kind: "line" as const,
    })),
    ...(hasBand ? [{ name: "lowest to highest seed", look: first, kind: "band" as const }] : []),
    ...(hasHeldOut ? [{ name: "held out", look: first, kind: "mark" as const }] : []),
  ]
}

function labelOf(curves: readonly Curve[]): string {
  const ends = curves.slice(0, 3).map(({ group, line }) => {
    const last = line.at(-1)
    return `${shorten(group.name, 40)}${last === undefined ? "" : ` ends at ${bits(last.median)} nats per token`}`
  })
  return `Line chart of the training loss on a logarithmic axis: ${ends.join("; ")}.`
}

function captionOf(curves: readonly Curve[], groups: readonly Group[]): string {
  const steps = Math.max(...curves.map(({ stepsPerPoint }) => stepsPerPoint))
  const broken = groups
    .flatMap(({ runs }) => runs.flatMap(({ training = [], heldOut = [] }) => [...training, ...heldOut]))
    .filter(({ nats }) => !(finite(nats)! > 0)).length
  const seeded = curves.filter(({ group }) => group.runs.length > 1)
  return [
    steps > 1 ? `Each point of a line is the mean of up to ${steps} steps.` : "Each point of a line is one step.",
    seeded.length === 1 && curves.length === 1 ? `Line: median of ${seedsOf(seeded[0]!.group)}.` : "",
    seeded.length > 0 && curves.length > 1 ? "Lines are medians over seeds." : "",
    curves.length > 1 ? "Nats per token compare only models with the same tokenizer." : "",
    broken > 0 ? `${whole(broken)} losses were not positive numbers and are left out.` : "",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ")
}

function tableOf(curves: readonly Curve[]) {
  const rows = curves.flatMap(({ group, line, heldOut }) => [
    ...some(line).map(
      (point): Row => [group.name, "training", count(point.tokens), bits(point.median), spread(point), MISSING_CELL],
    ),
    ...heldOut.flatMap((points) =>
      some(points).map(
        (point): Row => [
          point.run.name,
          "held out",
          count(point.tokens),
          bits(point.nats),
          MISSING_CELL,
          bits(point.bitsPerByte),
        ],
      ),
    ),
  ])
  const numbers = ["tokens", "nats per token", "lowest to highest", "bits per byte"]
  const columns = [{ title: "run" }, { title: "text" }, ...numbers.map((title) => ({ title, number: true }))]
  return { columns, rows }
}

const MISSING_CELL = ""

const spread = ({ low, high, seeds }: Point): string => (seeds > 1 ? `${bits(low)} to ${bits(high)}` : "")

/** A few of many, the last among them. */
function some<T>(points: readonly T[]): T[] {
  const every = Math.max(1, Math.ceil(points.length / TABLE_POINTS))
  return points.filter((_, index) => (points.length - 1 - index) % every === 0)
}
