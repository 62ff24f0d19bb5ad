// Sequences of symbol ids (bytes, characters, tokens) as the count models read them.
import { ConfigError, DataError } from "../../core/index.ts"

export type SymbolArray = Uint8Array | Uint16Array | Int32Array

/** The narrowest array that holds ids below `vocabSize`. */
export function makeSymbols(length: number, vocabSize: number): SymbolArray {
  if (vocabSize <= 0x100) return new Uint8Array(length)
  return vocabSize <= 0x10000 ? new Uint16Array(length) : new Int32Array(length)
}

/** @throws ConfigError  if `vocabSize` is not a positive integer */
export function checkVocabSize(vocabSize: number): void {
  if (!Number.isSafeInteger(vocabSize) || vocabSize < 1)
    throw new ConfigError(`vocabSize must be a positive integer, got ${vocabSize}`)
}

/** @throws DataError  if an id in `from..to` is not an integer in `0..vocabSize-1` */
export function checkIds(ids: ArrayLike<number>, vocabSize: number, from = 0, to = ids.length): void {
  for (let at = from; at < to; at++)
    if (!(ids[at] >= 0 && ids[at] < vocabSize && Number.isInteger(ids[at])))
      throw new DataError(
        `ids must be integers in 0..${vocabSize - 1}, got ${ids[at]} at position ${at}`,
        "is vocabSize that of the tokenizer which made these ids?",
      )
}
