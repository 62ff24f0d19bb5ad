// Which tokenizer this is, in one number: a model and the tokenizer it was trained with find each other by it.
import { platform } from "#platform"
import type { Tokenizer } from "./tokenizer.ts"

/** SHA-256 of the tokenizer's tokenizer.json as {@link Tokenizer.toJson} writes it, hexadecimal: other spacing is no other tokenizer. */
export function tokenizerSha256(tokenizer: Pick<Tokenizer, "toJson">): Promise<string> {
  return platform.sha256(new TextEncoder().encode(tokenizer.toJson()))
}
