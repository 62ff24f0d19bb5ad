// From the recipe's words to a tokenizer, made from the training documents alone.
import type { DocumentList } from "../data/index.ts"
import { charactersTokenizer, type Tokenizer } from "../tokenizer/index.ts"
import type { TokenizerRecipe } from "./recipe.ts"

export async function tokenizerOf(recipe: TokenizerRecipe, documents: DocumentList): Promise<Tokenizer> {
  void recipe
  return charactersTokenizer(documents)
}
