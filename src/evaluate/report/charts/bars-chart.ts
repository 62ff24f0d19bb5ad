// Bars beside each other with whiskers and marks: what baselines reach, what a suite's phenomena say. Rows are laid out by
// hand, so that labels stand beside the bars on a wide screen and above them on a narrow one.
import * as Plot from "@observablehq/plot"
import type { Interval } from "../../statistics/interval.ts"
import { ends, shorten } from "../format.ts"
import { printable } from "../html.ts"
import { type Frame, RIM } from "./draw.ts"

export interface BarRow {
  readonly label: string
  readonly bars: readonly Bar[]
  readonly marks?: readonly { readonly value: number; readonly symbol: "diamond" | "triangle" | "cross" }[]
}

export interface Bar {
  readonly value: number
  readonly interval?: Interval | undefined
  readonly color: string
  /** At the bar's end. */
  readonly text: string
}

export interface BarsOptions {
  readonly domain: readonly [number, number]
  readonly axis: string
  readonly format: (value: number) => string
  /** A line across all rows: what guessing reaches. */
  readonly chance?: number
}

const BAR = 14
const GAP = 3
const BETWEEN = 12
const LABEL = 18

interface PlacedBar extends Bar {
  readonly top: number
  readonly bottom: number
  readonly middle: number
  readonly low: number | undefined
  readonly high: number | undefined
  readonly end: number
}

/** Options of Plot for rows of horizontal bars from 0. */
export function barsOptions(rows: readonly BarRow[], options: BarsOptions, { narrow }: Frame): Plot.PlotOptions {
  const placed = placedRows(rows, narrow)
  const height = placed.at(-1)!.bottom + BETWEEN / 2
  const margins = { marginTop: 8, marginBottom: 46, marginLeft: narrow ? 8 : 232, marginRight: 62 }
  const column = rows.some(({ marks = [] }) => marks.length > 0) ? options.domain[1] : undefined
  return {
    ...margins,
    height: height + margins.marginTop + margins.marginBottom,
    x: {
      domain: [...options.domain],
      label: options.axis,
      labelArrow: "none",
      tickFormat: options.format,
      ticks: narrow ? 4 : 6,
      labelAnchor: "right",
      grid: true,
    },
    y: { axis: null, domain: [0, height], range: [margins.marginTop, margins.marginTop + height] },
    marks: [
      ...barMarks(placed, column),
      ...chanceMarks(options, height),
      ...publishedMarks(placed),
      ...labelMarks(placed, narrow),
    ],
  }
}

type PlacedRow = ReturnType<typeof placedRows>[number]

function placedRows(rows: readonly BarRow[], narrow: boolean) {
  let top = 0
  return rows.map((row) => {
    const first = top + BETWEEN / 2 + (narrow ? LABEL : 0)
    const bars = row.bars.map((bar, index) => placedBar(bar, first + index * (BAR + GAP)))
    const bottom = Math.max(first + BAR, bars.at(-1)?.bottom ?? 0)
    const placed = { row, bars, top, bottom, middle: (first + bottom) / 2 }
    top = bottom + BETWEEN / 2
    return placed
  })
}

function placedBar(bar: Bar, top: number): PlacedBar {
  const known = ends(bar.interval)
  const place = { top, bottom: top + BAR, middle: top + BAR / 2 }
  return { ...bar, ...place, low: known?.low, high: known?.high, end: Math.max(bar.value, known?.high ?? bar.value) }
}

/** Numbers stand at the ends of the bars, or in a `column` where marks could be in their way. */
function barMarks(placed: readonly PlacedRow[], column: number | undefined): Plot.Markish[] {
  const bars = placed.flatMap((row) => row.bars)
  const whiskers = bars.filter(({ low }) => low !== undefined)
  return [
    Plot.rect(bars, { x1: 0, x2: "value", y1: "top", y2: "bottom", fill: (bar: PlacedBar) => bar.color, rx: 1.5 }),
    Plot.ruleY(whiskers, { y: "middle", x1: "low", x2: "high", stroke: "var(--page)", strokeWidth: 4 }),
    Plot.ruleY(whiskers, { y: "middle", x1: "low", x2: "high", stroke: "currentColor", strokeWidth: 1.6 }),
    Plot.text(bars, {
      x: column === undefined ? "end" : () => column,
      y: "middle",
      text: "text",
      textAnchor: "start",
      dx: 6,
      fill: "currentColor",
      ...RIM,
    }),
  ]
}

function chanceMarks({ chance, format }: BarsOptions, height: number): Plot.Markish[] {
  if (chance === undefined) return []
  const line = [{ x: chance, y1: 0, y2: height, text: format(chance) }]
  return [
    Plot.ruleX(line, { x: "x", y1: "y1", y2: "y2", stroke: "currentColor", strokeWidth: 1.2, strokeDasharray: "4 3" }),
  ]
}

function publishedMarks(placed: readonly PlacedRow[]): Plot.Markish[] {
  const marks = placed.flatMap(({ row, middle }) => (row.marks ?? []).map((mark) => ({ ...mark, middle })))
  const symbols = [...new Set(marks.map(({ symbol }) => symbol))]
  const style = {
    x: "value",
    y: "middle",
    r: 5,
    stroke: "currentColor",
    strokeWidth: 1.6,
    fill: "var(--page)",
  } as const
  return symbols.map((symbol) =>
    Plot.dot(
      marks.filter((mark) => mark.symbol === symbol),
      { ...style, symbol },
    ),
  )
}

function labelMarks(placed: readonly PlacedRow[], narrow: boolean): Plot.Markish[] {
  const labels = placed.map(({ row, top, middle }) => ({
    text: printable(shorten(row.label, narrow ? 44 : 33)),
    y: narrow ? top + BETWEEN / 2 + LABEL / 2 : middle,
  }))
  const side = narrow ? ({ textAnchor: "start", dx: 0 } as const) : ({ textAnchor: "end", dx: -8 } as const)
  return [
    Plot.text(labels, {
      frameAnchor: "left",
      y: "y",
      text: "text",
      fill: "currentColor",
      ...side,
      ...(narrow ? RIM : {}),
    }),
  ]
}
