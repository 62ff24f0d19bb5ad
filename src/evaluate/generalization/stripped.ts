// The part of a test text that the training text does not hold: its score, and the text itself.
import { platform } from "#platform"
import { type DataInput, type Document, toSource } from "../../data/index.ts"
import { BLOCK_BYTES, type DocumentScore } from "../score/document-score.ts"
import { type BootstrapOptions, bitsPerByteInterval, type Interval, unitsOf } from "../statistics/index.ts"
import type { Contamination, TouchedDocument } from "./contamination.ts"

/** The score of what is left. */
export interface StrippedScore {
  /** Undefined where nothing clean is left. */
  readonly bitsPerByte: number | undefined
  /** Of all of the test, what was taken out included. */
  readonly wholeBitsPerByte: number
  readonly interval: Interval | undefined
  /** Why there is no interval. */
  readonly noInterval?: string
  /** Predicted bytes that are left, and those that were taken out. */
  readonly bytes: number
  readonly strippedBytes: number
}

/**
 * Bits per byte of the clean part of a test: every block of 10 kB that shares a run with the training text is taken out, a
 * shorter document whole.
 *
 * @param scores  of the test text that was compared; documents are recognized by their sha256
 */
export function strippedScore(
  scores: readonly DocumentScore[],
  { touched }: Pick<Contamination, "touched">,
  options: BootstrapOptions = {},
): StrippedScore {
  const bySha = touchedBySha(touched)
  const clean = scores.map((score) => withoutBlocks(score, bySha.get(score.sha256))).filter(({ bytes }) => bytes > 0)
  const total = (documents: readonly DocumentScore[], key: "nats" | "bytes") =>
    documents.reduce((sum, document) => sum + document[key], 0)
  const bytes = total(clean, "bytes")
  const strippedBytes = total(scores, "bytes") - bytes
  const wholeBitsPerByte = total(scores, "nats") / Math.LN2 / total(scores, "bytes")
  if (bytes === 0) return { bitsPerByte: undefined, wholeBitsPerByte, interval: undefined, bytes, strippedBytes }
  const units = unitsOf(clean)
  return {
    wholeBitsPerByte,
    bitsPerByte: total(clean, "nats") / Math.LN2 / bytes,
    interval: bitsPerByteInterval(units, options),
    ...(units.tooFew !== undefined && { noInterval: units.tooFew }),
    bytes,
    strippedBytes,
  }
}

/** Nats and bytes of what is left; what a first token lacks, lacks the first block. */
function withoutBlocks(score: DocumentScore, touched: TouchedDocument | undefined): DocumentScore {
  if (touched === undefined) return score
  const blocks = touchedBlocks(touched)
  const blockBytes = (k: number) =>
    Math.min(BLOCK_BYTES, touched.bytes - k * BLOCK_BYTES) - (k === 0 ? touched.bytes - score.bytes : 0)
  let { nats, bytes } = score
  for (const k of blocks) {
    nats -= score.blockNats[k] ?? 0
    bytes -= blockBytes(k)
  }
  return { ...score, nats, bytes, blockNats: score.blockNats.filter((_, k) => !blocks.has(k)) }
}

/**
 * The clean part of a test text as documents: what lies between touched blocks. Text that no training document holds is the
 * control beside which memorizing is measured.
 */
export async function* cleanPart(
  test: DataInput,
  { touched }: Pick<Contamination, "touched">,
): AsyncGenerator<Document, void, void> {
  const bySha = touchedBySha(touched)
  for await (const document of toSource(test).documents()) {
    const bytes = new TextEncoder().encode(document.text)
    const found = bySha.get(await platform.sha256(bytes))
    if (found === undefined) yield document
    else yield* cleanStretches(document.id, bytes, touchedBlocks(found))
  }
}

function* cleanStretches(id: string, bytes: Uint8Array, blocks: ReadonlySet<number>): Generator<Document> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const count = Math.ceil(bytes.length / BLOCK_BYTES)
  for (let first = 0; first < count; first++) {
    if (blocks.has(first)) continue
    let end = first + 1
    while (end < count && !blocks.has(end)) end++
    const [from, to] = [wholeCharacter(bytes, first * BLOCK_BYTES), wholeCharacter(bytes, end * BLOCK_BYTES)]
    if (from < to) yield { id: `${id}#${first}`, text: decoder.decode(bytes.subarray(from, to)) }
    first = end
  }
}

/** The next place from `at` on where a character begins. */
function wholeCharacter(bytes: Uint8Array, at: number): number {
  let place = Math.min(at, bytes.length)
  while (place < bytes.length && (bytes[place]! & 0xc0) === 0x80) place++
  return place
}

const touchedBySha = (touched: readonly TouchedDocument[]): Map<string, TouchedDocument> =>
  new Map(touched.map((document) => [document.sha256, document]))

function touchedBlocks({ spans }: TouchedDocument): Set<number> {
  const blocks = new Set<number>()
  for (const { start, end } of spans)
    for (let k = Math.floor(start / BLOCK_BYTES); k * BLOCK_BYTES < end; k++) blocks.add(k)
  return blocks
}
