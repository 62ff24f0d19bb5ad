// Points in a terminal: a letter each, x on a log axis.
import { padEnd } from "./text.ts"

export interface ScatterPoint {
  /** One cell. */
  readonly mark: string
  /** Above 0. */
  readonly x: number
  readonly y: number
}

export interface ScatterAxes {
  readonly x: (value: number) => string
  readonly y: (value: number) => string
}

const HEIGHT = 8
const GREATEST_WIDTH = 60

/**
 * Lines of a plot at most `width` cells wide, smallest `y` at the bottom.
 *
 * Where several fall into one cell, later ones move to the next free cell to the right.
 */
export function scatter(points: readonly ScatterPoint[], axes: ScatterAxes, width: number): string[] {
  const ys = points.map(({ y }) => y)
  const xs = points.map(({ x }) => Math.log(x))
  const labels = [Math.max(...ys), Math.min(...ys)].map(axes.y)
  const margin = Math.max(...labels.map((label) => label.length))
  const cells = Math.min(GREATEST_WIDTH, width - margin - 3)
  if (cells < 8) return []
  const grid = Array.from({ length: HEIGHT }, () => Array.from({ length: cells }, () => " "))
  const place = scaleTo(xs, cells - 1)
  const rise = scaleTo(ys, HEIGHT - 1)
  for (const { mark, x, y } of points) put(grid[HEIGHT - 1 - rise(y)]!, place(Math.log(x)), mark)
  const lines = grid.map((row, at) => {
    const label = at === 0 ? labels[0]! : at === HEIGHT - 1 ? labels[1]! : ""
    return `${padEnd("", margin - label.length)}${label} │${row.join("")}`.trimEnd()
  })
  const ends = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))].map(axes.x)
  const gap = cells - ends[0]!.length - ends[1]!.length
  const below = gap >= 1 ? `${ends[0]}${" ".repeat(gap)}${ends[1]}` : ends[0]!
  return [...lines, `${" ".repeat(margin)} └${"─".repeat(cells)}`, `${" ".repeat(margin + 2)}${below}`]
}

/** Values as whole steps from 0 to `most`; equal values lie in the middle. */
function scaleTo(values: readonly number[], most: number): (value: number) => number {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return (value) => (high > low ? Math.round(((value - low) / (high - low)) * most) : Math.floor(most / 2))
}

function put(row: string[], at: number, mark: string): void {
  const right = row.findIndex((cell, index) => index >= at && cell === " ")
  const free = right >= 0 ? right : row.lastIndexOf(" ", at)
  if (free >= 0) row[free] = mark
}
