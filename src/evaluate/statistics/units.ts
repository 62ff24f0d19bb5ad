// What is resampled: whole documents where there are enough of them, else contiguous blocks of about 10 kB.
import { BLOCK_BYTES, type DocumentScore } from "../score/document-score.ts"
import type { Unit } from "./interval.ts"

/** Fewer units than this say too little about how much they vary. */
export const MIN_UNITS = 20

/** What an interval over blocks leaves out. */
const BLOCK_NOTE = "blocks of about 10 kB were resampled, not documents: this does not cover new authors"

export interface Units {
  readonly unit: "document" | "block"
  /** Sorted by key, so that the order in which documents came plays no part. */
  readonly units: readonly Unit[]
  /** What an interval over these units does not cover. */
  readonly note?: string
  /** Why there can be no interval. */
  readonly tooFew?: string
}

/**
 * The units of a text: its distinct documents if there are at least 20, else blocks of about 10 kB.
 *
 * Copies of a document (same sha256) are one unit that holds the nats and bytes of them all: resampled apart they would
 * pass for independent evidence. A last block of less than half a block is joined to the one before. `tooFew` says why
 * there can be no interval: fewer than 20 blocks, a loss that is not finite, or bytes in less than two units.
 */
export function unitsOf(documents: readonly DocumentScore[]): Units {
  return unitsWithin(
    documents,
    documents.map(({ bytes }) => bytes),
  )
}

/**
 * {@link unitsOf} where `wholeBytes` decides at which bytes a document is cut: two models of which only one predicts
 * the first token are cut alike, and what was not predicted is missing from the first block.
 */
export function unitsWithin(documents: readonly DocumentScore[], wholeBytes: readonly number[]): Units {
  const distinct = merged(documents.map(({ sha256, nats, bytes }) => ({ key: sha256, nats, bytes })))
  if (distinct.length >= MIN_UNITS) return { unit: "document", units: distinct, ...reason(distinct, documents.length) }
  const blocks = merged(documents.flatMap((document, i) => blocksOf(document, wholeBytes[i]!)))
  return { unit: "block", units: blocks, note: BLOCK_NOTE, ...reason(blocks, documents.length) }
}

function blocksOf({ sha256, nats, bytes, blockNats }: DocumentScore, wholeBytes: number): Unit[] {
  const perBlock = blockNats.length > 0 ? blockNats : [nats]
  const blocks = perBlock.map((nats, k) => {
    const rest = Math.max(0, wholeBytes - k * BLOCK_BYTES)
    const covered = k === perBlock.length - 1 ? rest : Math.min(BLOCK_BYTES, rest)
    return { key: `${sha256}#${k}`, nats, bytes: k === 0 ? covered - (wholeBytes - bytes) : covered }
  })
  const last = blocks.at(-1)!
  return last.bytes < BLOCK_BYTES / 2 && blocks.length > 1 ? withLastJoined(blocks) : blocks
}

function withLastJoined(blocks: readonly Unit[]): Unit[] {
  const [before, last] = blocks.slice(-2) as [Unit, Unit]
  return [...blocks.slice(0, -2), { ...before, nats: before.nats + last.nats, bytes: before.bytes + last.bytes }]
}

/** Units of one key added up; sorted by key. */
function merged(units: readonly Unit[]): Unit[] {
  const byKey = new Map<string, Unit>()
  for (const { key, nats, bytes } of units) {
    const known = byKey.get(key)
    byKey.set(key, { key, nats: nats + (known?.nats ?? 0), bytes: bytes + (known?.bytes ?? 0) })
  }
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

function reason(units: readonly Unit[], documents: number): { readonly tooFew?: string } {
  const infinite = units.filter(({ nats }) => !Number.isFinite(nats)).length
  if (infinite > 0)
    return { tooFew: `no interval: ${infinite} of ${units.length} units have a loss that is not finite` }
  if (units.length < MIN_UNITS) {
    const got = `${documents} ${documents === 1 ? "document" : "documents"} in ${units.length} such blocks`
    return { tooFew: `no interval: it needs ${MIN_UNITS} documents, or blocks of 10 kB; got ${got}` }
  }
  const filled = units.filter(({ bytes }) => bytes > 0).length
  return filled < 2 ? { tooFew: `no interval: it needs bytes in two units or more, got them in ${filled}` } : {}
}
