// One pass over all documents that keeps their facts and lets the text go: size, hash, signature, group of near-duplicates.
import { platform } from "#platform"
import { DataError } from "../core/index.ts"
import { minHash } from "./min-hash.ts"
import type { DataSource } from "./source.ts"

export interface DocumentFacts {
  readonly id: string
  /** SHA-256 of the UTF-8 text. */
  readonly sha256: string
  /** UTF-8 bytes. */
  readonly bytes: number
  /** Unicode code points. */
  readonly characters: number
  /** UTF-16 code units: what offsets into a string count. */
  readonly units: number
  readonly signature: Uint16Array | undefined
}

const encoder = new TextEncoder()

/** Code points in well-formed UTF-8: all bytes but the continuations. */
export function countCharacters(bytes: Uint8Array): number {
  let count = 0
  for (let at = 0; at < bytes.length; at++) if ((bytes[at]! & 0xc0) !== 0x80) count++
  return count
}

/** SHA-256 of the UTF-8 form. */
export function hashText(text: string): string {
  const hash = platform.createSha256()
  hash.update(encoder.encode(text))
  return hash.digest()
}

function factsOf(id: string, text: string): Omit<DocumentFacts, "signature"> {
  const bytes = encoder.encode(text)
  const hash = platform.createSha256()
  hash.update(bytes)
  const characters = countCharacters(bytes)
  return { id, sha256: hash.digest(), bytes: bytes.length, characters, units: text.length }
}

/** Less text than this is no corpus: not even one context of characters. */
const MIN_CHARACTERS = 10

/** Facts of every document, in the source's order. @throws DataError  if there is no text, or hardly any */
export async function survey(source: DataSource): Promise<DocumentFacts[]> {
  const facts: DocumentFacts[] = []
  let first = ""
  for await (const { id, text } of source.documents()) {
    if (text === "") continue
    // One document alone has none to be like: it is signed when a second one comes.
    if (facts.length === 0) first = text
    if (facts.length === 1) facts[0] = { ...facts[0]!, signature: minHash(first) }
    facts.push({ ...factsOf(id, text), signature: facts.length === 0 ? undefined : minHash(text) })
  }
  const characters = facts.reduce((sum, one) => sum + one.characters, 0)
  if (characters === 0)
    throw new DataError(
      `no text in ${source.name}: every document is empty`,
      "give a text of at least a few thousand characters",
    )
  if (characters < MIN_CHARACTERS)
    throw new DataError(
      `the text is too short: expected at least ${MIN_CHARACTERS} characters, got ${characters}`,
      "a few thousand characters are the least from which anything can be learned",
    )
  return facts
}
