// From what was asked to a recipe, with the reason of each number shown.
import type { Device } from "../backends/index.ts"
import type { DataSource } from "../data/index.ts"
import { plan } from "../plan/index.ts"
import type { Recipe } from "../train/index.ts"
import { comparisonSeconds } from "./comparison.ts"
import { compact } from "./numbers.ts"
import type { Output } from "./output.ts"
import { type Request, reasonsOf } from "./request.ts"
import { table } from "./table.ts"
import { transientLine } from "./transient-line.ts"

export interface Planning {
  readonly device: Device
  readonly source: DataSource
  readonly request: Request
  /** When the command was entered, on the platform's clock. */
  readonly startedMs: number
  /** The budget pays for the comparison at the end, too. */
  readonly baselines: boolean
}

/** The recipe that was asked for; what is being done meanwhile is said on a line that goes away. */
export async function planned(
  { device, source, request, startedMs, baselines }: Planning,
  output: Output,
): Promise<Recipe> {
  const { paths, validPaths, budgetSeconds, steps, size, preset, settings, seed, strict } = request
  const line = transientLine(output)
  try {
    return await plan({
      device,
      data: source,
      paths,
      startedMs,
      seed,
      strict,
      set: settings,
      onProgress: line.tell,
      ...(baselines ? { reserveSeconds: ({ bytes }) => comparisonSeconds(bytes) } : {}),
      ...(validPaths ? { validPaths } : {}),
      ...(budgetSeconds === undefined ? {} : { budgetSeconds }),
      ...(steps === undefined ? {} : { steps }),
      ...(size === undefined ? {} : { size }),
      ...(preset === undefined ? {} : { preset }),
    })
  } finally {
    await line.clear()
  }
}

/** What each number is and why, as a table. */
export function reasonLines(recipe: Recipe, { colors, width }: Pick<Output, "colors" | "width">): string[] {
  const rows = reasonsOf(recipe).map(([key, { value, because, source }]) => [
    key.replace(/^model\./, ""),
    shown(value),
    `${because} (${source})`,
  ])
  if (rows.length === 0) return []
  return table([{ style: colors.cyan }, { style: colors.bold }, { style: colors.dim }], rows, width)
}

function shown(value: unknown): string {
  if (typeof value === "number") return compact(value)
  return typeof value === "string" ? value : JSON.stringify(value)
}
