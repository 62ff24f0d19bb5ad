// The equal-FLOP control of a run: trained by `train --vanilla RUN` on the run's own text, measured beside it by `evaluate`.

import { type FileSystem, platform } from "#platform"
import { DataError, formatCount } from "../core/index.ts"
import type { BaselineResult, EvaluateOptions } from "../evaluate/index.ts"
import { loadTokenizer } from "../tokenizer/index.ts"
import { inspectRun, type Recipe, readRecipe, setRecipeValue, vanillaRecipe } from "../train/index.ts"
import { withModel } from "./commands/generate.ts"
import { type MeasuringOptions, measure, measureText } from "./measure-text.ts"
import { type ModelFacts, modelFacts } from "./model-facts.ts"
import type { NamedText } from "./texts.ts"
import { trainedOn } from "./trained-on.ts"

export interface VanillaControl {
  /** With `settings` over what it would be. */
  recipe(settings: readonly (readonly [key: string, value: string])[]): Recipe
  /** Where the run's text came from. */
  readonly paths: readonly string[]
}

/** @throws DataError  if there is no run in `dir`, or its text is not in files */
export async function vanillaOf(files: FileSystem, dir: string): Promise<VanillaControl> {
  const recipe = await readRecipe(files, dir)
  const { vocabSize } = loadTokenizer(await files.readText(files.join(dir, "tokenizer.json")))
  const { paths } = recipe.data
  if (paths === "inline")
    throw new DataError(`the text of ${dir} came from a program and not from files`, "train its control there, too")
  const control = vanillaRecipe(recipe, vocabSize)
  return {
    paths,
    recipe: (settings) => settings.reduce((set, [key, value]) => setRecipeValue(set, key, value), control),
  }
}

/** Where the control of a run is put and looked for. */
export const vanillaFolder = (dir: string): string => `${dir.replace(/[\\/]+$/, "")}-vanilla`

/** Other runs' models on `text`, as baselines: those that were named, and the control of this run where one was trained. */
export async function vanillaResults(
  facts: ModelFacts,
  text: NamedText,
  against: readonly string[],
  measuring: MeasuringOptions & Pick<EvaluateOptions, "stride">,
): Promise<BaselineResult[]> {
  const own = await trainedControl(facts)
  const results: BaselineResult[] = []
  for (const path of [...new Set([...own, ...against])])
    results.push(await resultOf(facts, await modelFacts(path, measuring.checkpoint), text, measuring))
  return results
}

async function trainedControl({ dir }: ModelFacts): Promise<string[]> {
  if (dir === undefined) return []
  const control = vanillaFolder(dir)
  return (await inspectRun(platform.files!, control))?.finished === true ? [control] : []
}

/** Equal up to the rounding of a run to whole steps. */
const EQUAL_FLOPS = 0.02

async function resultOf(
  ours: ModelFacts,
  theirs: ModelFacts,
  text: NamedText,
  measuring: MeasuringOptions & Pick<EvaluateOptions, "stride">,
): Promise<BaselineResult> {
  const { result } =
    measuring.stride === undefined
      ? await measureText(theirs, text, measuring)
      : await withModel(theirs.checkpoint, measuring, (model) => measure(model, theirs, text, measuring))
  return {
    name: `model:${theirs.name}`,
    title: theirs.name,
    unit: "token",
    bitsPerByte: result.bitsPerByte,
    natsPerUnit: result.natsPerToken,
    seconds: result.seconds,
    note: await noteOn(ours, theirs, text, measuring),
    documents: result.documents,
  }
}

/** Its size, what it cost, and whether it is a fair control: same training text, and not this one. */
async function noteOn(
  ours: ModelFacts,
  theirs: ModelFacts,
  text: NamedText,
  measuring: MeasuringOptions,
): Promise<string> {
  const [a, b] = [ours.training, theirs.training]
  const isEqual = a?.flops !== undefined && b?.flops !== undefined && Math.abs(b.flops / a.flops - 1) <= EQUAL_FLOPS
  const isSameText = a?.data !== undefined && a.data.train.sha256 === b?.data?.train.sha256
  const seen = isSameText ? undefined : await trainedOn(theirs, text, measuring)
  return [
    `${formatCount(theirs.parameters)} parameters`,
    ...(b?.flops === undefined ? [] : [`${b.flops.toExponential(2)} FLOPs${isEqual ? ", as many as this model" : ""}`]),
    ...(isSameText ? [] : [seen ?? "trained on another text"]),
  ].join(", ")
}
