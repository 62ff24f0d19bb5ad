// Who is compared: paths of the command line as models or stored findings, with names that tell them apart.

import { platform } from "#platform"
import type { Contestant, TextFindings } from "../evaluate/index.ts"
import type { Recipe } from "../train/index.ts"
import { readTextFindings } from "./evaluations.ts"
import { type ModelFacts, modelFacts } from "./model-facts.ts"

/** A model that can be measured, or findings that were stored. */
export type Entrant =
  | { readonly name: string; readonly model: ModelFacts; readonly findings?: never }
  | { readonly name: string; readonly findings: TextFindings; readonly model?: never }

/**
 * The models and findings that `paths` name.
 *
 * @throws DataError    if there is no model at a path
 * @throws FormatError  if a file holds no findings about a text
 */
export async function entrantsOf(paths: readonly string[], wanted: "best" | "last"): Promise<Entrant[]> {
  const entrants: Entrant[] = []
  for (const path of paths) {
    if (await isFindings(path)) {
      const findings = await readTextFindings(path)
      entrants.push({ name: storedName(findings), findings })
    } else {
      const model = await modelFacts(path, wanted)
      entrants.push({ name: model.name, model })
    }
  }
  const names = distinctNames(entrants.map(({ name }, at) => ({ short: name, long: paths[at]! })))
  return entrants.map((entrant, at) => ({ ...entrant, name: names[at]! }))
}

/** `book (stored)`. */
function storedName({ model: { source } }: TextFindings): string {
  const { basename, dirname } = platform.files!
  const run = basename(dirname(dirname(source)))
  return `${run === "" || run === "." ? basename(source) : run} (stored)`
}

const isFindings = async (path: string): Promise<boolean> =>
  path.endsWith(".json") && (await platform.files!.stat(path))?.kind !== "directory"

/** Short names where they tell apart, else the long ones, else numbered ones. */
export function distinctNames(names: readonly { readonly short: string; readonly long: string }[]): string[] {
  const isShared = (name: string, of: readonly string[]) => of.filter((other) => other === name).length > 1
  const shorts = names.map(({ short }) => short)
  const chosen = names.map(({ short, long }) => (isShared(short, shorts) ? long : short))
  return chosen.map((name, at) => (isShared(name, chosen) ? `${name} (${at + 1})` : name))
}

/** A model with what it scored and what its run tells that it cost. */
export function contestantOf({ name, model }: Entrant, findings: TextFindings): Contestant {
  const { parameters, bytes } = model ?? findings.model
  const training = model?.training
  const known = {
    trainingFlops: training?.flops,
    trainingSeconds: training?.seconds,
    trainingTokens: training?.tokens,
    tokensPerSecond: training?.tokensPerSecond,
    memoryBytes: training?.memoryBytes,
    contextLength: model?.config.maxPositionEmbeddings,
    seed: training?.recipe.seed,
    group: training ? groupOf(training.recipe) : undefined,
  }
  const present = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
  return { name, result: findings.result, parameters, bytes, ...present }
}

/** The same for recipes that differ in their seed only; reasons and names decide nothing. */
export function groupOf(recipe: Recipe): string {
  const { seed: _seed, explained: _explained, name: _name, ...rest } = recipe
  return JSON.stringify(rest, (_, value: unknown) => sorted(value))
}

const sorted = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
