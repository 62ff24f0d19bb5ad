// The cross-domain matrix as a table: rows are models, columns are texts.
import type { CrossDomainMatrix } from "../evaluate/index.ts"
import type { Output } from "./output.ts"
import { table } from "./table.ts"
import { fit, wrap } from "./text.ts"

/** Best of a column; the model's own text; trained on this text; cannot read it. */
const [BEST, OWN, SEEN] = ["✓", "°", "!"]

/** Lines of the table and of what its marks mean. */
export function matrixLines(
  { rows, columns, cells }: CrossDomainMatrix,
  { colors, width }: Pick<Output, "colors" | "width">,
): string[] {
  const best = columns.map((_, column) => bestOf(cells.map((line) => line[column]?.bitsPerByte)))
  const nameWidth = Math.max(6, Math.min(18, Math.floor((width - 8) / (columns.length + 1)) - 3))
  const head = [
    { title: "trained on" },
    ...columns.map(({ name }) => ({ title: `${fit(name, nameWidth)}   `, align: "right" as const })),
  ]
  const body = rows.map(({ name, own }, row) => [
    fit(name, Math.max(nameWidth, 10)),
    ...cells[row]!.map(({ bitsPerByte, note }, column) => {
      const marks = `${best[column] === row ? BEST : " "}${own === column ? OWN : note === undefined ? " " : SEEN}`
      return `${bitsPerByte?.toFixed(3) ?? "cannot read"} ${marks}`
    }),
  ])
  const legend = [
    `bits per byte; columns are the texts tested on: ${BEST} best of the column, ${OWN} what the model's own run held out, ${SEEN} trained on part of it`,
    ...reasons({ rows, columns, cells }),
  ]
  return [
    ...table(head, body, width).map((line) => line.replaceAll(BEST, colors.green(BEST))),
    "",
    ...legend.flatMap((text) => wrap(text, width - 2).map((line) => `  ${colors.dim(line)}`)),
  ]
}

/** Row of the fewest bits in a column; undefined where none is known. */
function bestOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : values.indexOf(Math.min(...known))
}

/** Why cells are not read, and what must be said beside others. */
function reasons({ rows, columns, cells }: CrossDomainMatrix): string[] {
  return rows.flatMap(({ name }, row) =>
    cells[row]!.flatMap(({ unreadable, note }, column) => {
      const text = columns[column]!.name
      if (unreadable !== undefined) return [`${name} cannot read ${text}: ${unreadable}`]
      return note === undefined ? [] : [`${name} on ${text}: ${note}`]
    }),
  )
}
