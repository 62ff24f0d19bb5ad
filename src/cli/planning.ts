// From what was asked to a recipe, with the reason of each number shown.
import type { Device } from "../backends/index.ts"
import { ConfigError } from "../core/index.ts"
import type { DataSource } from "../data/index.ts"
import { defaultRecipe, nanogpt384Recipe, nanogptCpuRecipe, type Recipe, setRecipeValue } from "../train/index.ts"
import { compact } from "./numbers.ts"
import type { Output } from "./output.ts"
import { type Request, reasonsOf } from "./request.ts"
import { table } from "./table.ts"

export interface Planning {
  readonly device: Device
  readonly source: DataSource
  readonly request: Request
  /** When the command was entered, on the platform's clock. */
  readonly startedMs: number
  /** Seconds kept free for what comes after the run. */
  readonly tailSeconds: number
}

export async function makePlan({ request }: Planning): Promise<Recipe> {
  const { paths, validPaths, settings, seed, strict, steps = 200, preset = "default", size } = request
  const base = presetOf(preset, { paths, steps, size })
  const recipe = { ...base, seed, strict, steps, data: { ...base.data, paths, ...(validPaths ? { validPaths } : {}) } }
  return settings.reduce((changed, [key, value]) => setRecipeValue(changed, key, value), recipe as Recipe)
}

function presetOf(
  name: string,
  { paths, steps, size }: { paths: readonly string[] | "inline"; steps: number; size: number | undefined },
): Recipe {
  if (name === "nanogpt-cpu") return nanogptCpuRecipe(paths)
  if (name === "nanogpt-384") return nanogpt384Recipe(paths)
  if (name === "default") return defaultRecipe({ paths, steps, ...(size === undefined ? {} : { size }) })
  throw new ConfigError(`there is no preset "${name}"`, "the presets are default, nanogpt-cpu and nanogpt-384")
}

/** What each number is and why, as a table. */
export function reasonLines(recipe: Recipe, { colors, width }: Pick<Output, "colors" | "width">): string[] {
  const rows = reasonsOf(recipe).map(([key, { value, because, source }]) => [
    key,
    typeof value === "number" ? compact(value) : typeof value === "string" ? value : JSON.stringify(value),
    `${because} (${source})`,
  ])
  if (rows.length === 0) return []
  return table([{ style: colors.cyan }, { align: "right", style: colors.bold }, { style: colors.dim }], rows, width)
}
