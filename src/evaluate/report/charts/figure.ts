// A chart on the page: drawn twice, for wide and narrow screens, with its legend, its caption, and its numbers as a table.
import type * as Plot from "@observablehq/plot"
import type { Look } from "../groups.ts"
import { Html, html, type Part } from "../html.ts"
import { type Cell, type Table, tableOf } from "../table.ts"
import { draw, type Frame } from "./draw.ts"

export interface Chart {
  /** What is to be seen, for those who cannot see it. */
  readonly label: string
  readonly caption?: Part
  readonly legend?: readonly LegendItem[]
  readonly options: (frame: Frame) => Plot.PlotOptions
  /** The numbers that are drawn. */
  readonly table: Table
  /** Width of the wide drawing, where it should be smaller than the column. */
  readonly width?: number
}

export interface LegendItem {
  readonly name: string
  readonly look: Pick<Look, "color"> & Partial<Look>
  readonly kind: "line" | "dot" | "bar" | "band" | "mark"
}

const WIDE = 760
const NARROW = 360

export function figure(chart: Chart): Html {
  const { label, options, width = WIDE } = chart
  const frames = [
    { width, narrow: false },
    { width: NARROW, narrow: true },
  ]
  const drawings = frames.map((frame) => new Html(draw(label, frame, options(frame))))
  return html`<figure>
${chart.legend !== undefined && chart.legend.length > 1 && legendOf(chart.legend)}
<div class="drawing">${drawings}</div>
${chart.caption !== undefined && html`<figcaption>${chart.caption}</figcaption>`}
<details class="numbers"><summary>The numbers</summary>${tableOf(chart.table)}</details>
</figure>`
}

function legendOf(items: readonly LegendItem[]): Html {
  return html`<ul class="legend">${items.map(({ name, look, kind }) => html`<li>${keyOf(look, kind)}<span>${name}</span></li>`)}</ul>`
}

/** The little picture before a name. */
function keyOf(look: LegendItem["look"], kind: LegendItem["kind"]): Html {
  const { color, dash = "", symbol = "circle" } = look
  const shape = {
    line: html`<path d="M1 8H27" fill="none" stroke="${color}" stroke-width="2.5" stroke-dasharray="${dash}"/>`,
    band: html`<path d="M1 2H27V14H1Z" fill="${color}" fill-opacity="0.22"/>`,
    bar: html`<path d="M6 2H22V14H6Z" fill="${color}"/>`,
    dot: html`<path d="${SHAPES[symbol]}" fill="${color}"/>`,
    mark: html`<path d="${SHAPES[symbol]}" fill="var(--page)" stroke="${color}" stroke-width="1.8"/>`,
  }[kind]
  return html`<svg class="key" viewBox="0 0 28 16" width="28" height="16" aria-hidden="true">${shape}</svg>`
}

const SHAPES = {
  circle: "M14 3A5 5 0 1 1 13.99 3Z",
  square: "M9.5 3.5H18.5V12.5H9.5Z",
  triangle: "M14 2.5L20 13H8Z",
  diamond: "M14 2L19 8L14 14L9 8Z",
  star: "M14 1.5L15.6 6H20.5L16.6 9L18 14L14 11.2L10 14L11.4 9L7.5 6H12.4Z",
  cross: "M12 3H16V6H19V10H16V13H12V10H9V6H12Z",
} as const

/** Cells of a row of numbers, for charts. */
export type Row = readonly Cell[]
