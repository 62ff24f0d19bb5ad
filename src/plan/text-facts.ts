// What a plan needs to know of a text before anything is trained: how much of it there is, and how many characters it uses.

import { platform } from "#platform"
import { type DataInput, toSource } from "../data/index.ts"

export interface TextFacts {
  readonly documents: number
  readonly bytes: number
  readonly characters: number
  readonly distinctCharacters: number
  /** The whole text was read; else sizes are what was read before the limit. */
  readonly whole: boolean
  readonly seconds: number
}

/** Reading more would not change the plan. */
const READ_LIMIT_BYTES = 64_000_000
const CHARACTERS_PER_TURN = 200_000

export async function readTextFacts(data: DataInput): Promise<TextFacts> {
  const start = platform.now()
  const seen = new Set<number>()
  const counts = { documents: 0, bytes: 0, characters: 0 }
  let whole = true
  let turn = 0
  for await (const { text } of toSource(data).documents()) {
    counts.documents++
    for (const character of text) {
      const code = character.codePointAt(0)!
      seen.add(code)
      counts.characters++
      counts.bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
      if (++turn % CHARACTERS_PER_TURN === 0) await platform.yieldToEventLoop()
    }
    if (counts.bytes > READ_LIMIT_BYTES) {
      whole = false
      break
    }
  }
  return { ...counts, distinctCharacters: seen.size, whole, seconds: (platform.now() - start) / 1000 }
}
