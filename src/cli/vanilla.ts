// The equal-FLOP control of a run, as `train --vanilla RUN` asks for it: the run's own text and tokenizer, a plain recipe.
import type { FileSystem } from "#platform"
import { DataError } from "../core/index.ts"
import { loadTokenizer } from "../tokenizer/index.ts"
import { type Recipe, readRecipe, setRecipeValue, vanillaRecipe } from "../train/index.ts"

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
