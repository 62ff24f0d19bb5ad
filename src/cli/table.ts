// Aligned tables for people: columns as wide as they need, the last one wrapped into what is left.
import { fit, padEnd, padStart, widthOf, wrap } from "./text.ts"

export interface Column {
  readonly title?: string
  readonly align?: "left" | "right"
  /** Applied to the padded cell. */
  readonly style?: (text: string) => string
}

const GAP = 2
/** The last column moves under its row where it would be narrower than this. */
const LEAST_LAST = 24

const plain = (text: string): string => text

/** Lines of a table `width` cells wide at most, each indented by `indent`. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  indent = 2,
): string[] {
  const titled = columns.some(({ title }) => title !== undefined)
  const head = titled ? [columns.map(({ title }) => title ?? "")] : []
  const all = [...head, ...rows]
  const widths = columns.map((_, at) => Math.max(0, ...all.map((row) => widthOf(row[at] ?? ""))))
  const before = indent + widths.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0)
  const layout = { columns, widths, before, width, indent }
  return all.flatMap((row, index) => rowLines(row, layout, titled && index === 0))
}

interface Layout {
  readonly columns: readonly Column[]
  readonly widths: readonly number[]
  /** Cells before the last column. */
  readonly before: number
  readonly width: number
  readonly indent: number
}

function rowLines(
  row: readonly string[],
  { columns, widths, before, width, indent }: Layout,
  isHead: boolean,
): string[] {
  const styleOf = (at: number) => (isHead ? plain : (columns[at]!.style ?? plain))
  const cell = (at: number): string => {
    const padded = (columns[at]!.align === "right" ? padStart : padEnd)(row[at] ?? "", widths[at]!)
    return styleOf(at)(padded)
  }
  const last = columns.length - 1
  const first =
    " ".repeat(indent) +
    columns
      .slice(0, -1)
      .map((_, at) => cell(at))
      .join(" ".repeat(GAP))
  const free = width - before
  const content = row[last] ?? ""
  if (widthOf(content) <= free) {
    const aligned = columns[last]!.align === "right" ? padStart(content, widths[last]!) : content
    return [`${first}${" ".repeat(last > 0 ? GAP : 0)}${styleOf(last)(aligned)}`.trimEnd()]
  }
  if (free >= LEAST_LAST) {
    const [line = "", ...more] = wrap(content, free).map(styleOf(last))
    return [`${first}${" ".repeat(GAP)}${line}`, ...more.map((each) => " ".repeat(before) + each)]
  }
  const under = wrap(content, Math.max(1, width - indent - 4)).map(styleOf(last))
  return [fitLine(first, width), ...under.map((each) => " ".repeat(indent + 4) + each)]
}

const fitLine = (line: string, width: number): string => fit(line.trimEnd(), width)
