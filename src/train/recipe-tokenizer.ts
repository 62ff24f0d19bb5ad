// From the recipe's words to a tokenizer, made from the training documents alone.
import { platform } from "#platform"
import type { DocumentList } from "../data/index.ts"
import { bytesTokenizer, charactersTokenizer, END_OF_TEXT, type Tokenizer, trainBpe } from "../tokenizer/index.ts"
import type { TokenizerRecipe } from "./recipe.ts"

/** Makes or trains the tokenizer that a recipe asks for; the form `prepareData` wants it in. */
export async function tokenizerOf(recipe: TokenizerRecipe, documents: DocumentList): Promise<Tokenizer> {
  const specialTokens = recipe.endOfText ? [END_OF_TEXT] : []
  if (recipe.kind === "bytes") return bytesTokenizer({ specialTokens })
  if (recipe.kind === "characters") return charactersTokenizer(textsOf(documents), { specialTokens })
  const { yieldToEventLoop } = platform
  return trainBpe(textsOf(documents), { vocabSize: recipe.vocabSize!, specialTokens, yieldToEventLoop })
}

async function* textsOf(documents: DocumentList): AsyncGenerator<string> {
  for await (const { text } of documents) yield text
}
