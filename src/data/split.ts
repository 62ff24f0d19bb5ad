// What is trained on and what is held out, as plain data that can be stored and found again: by document where there are
// enough of them, else the end of each. Chosen by content and seed alone, never by the order in which documents come.
import { ConfigError, DataError, formatBytes, randomStream } from "../core/index.ts"
import { groupDuplicates } from "./duplicates.ts"
import type { DataSource, Document } from "./source.ts"
import { type DocumentFacts, hashText } from "./survey.ts"

/** Where a document is cut when its end is held out: `exact` at `floor(fraction · length)`, `paragraph` at the nearest blank line. */
export interface SplitAt {
  readonly fraction: number
  readonly boundary: "exact" | "paragraph"
}

export interface SplitOptions {
  readonly seed?: number
  /** Share of the bytes to hold out; default 0.1. */
  readonly validFraction?: number
  /** Holds out the end of every document, however many there are. */
  readonly splitAt?: SplitAt
  /** `drop` (default) trains on repeated documents once; `keep` leaves every copy, all on one side. */
  readonly duplicates?: "drop" | "keep"
  /** Estimated Jaccard likeness from which documents count as near-duplicates; default 0.8. */
  readonly nearDuplicateThreshold?: number
}

/** A held-out document; `from` is the UTF-16 offset at which its held-out part begins, 0 for all of it. */
export interface HeldOut {
  readonly id: string
  readonly sha256: string
  readonly from: number
}

/** The split as it is stored (`split.json`): every document that is not named here is trained on. */
export interface Split {
  readonly version: 1
  /** `documents`: whole documents are held out; `ends`: the end of each; `given`: the validation text came from elsewhere. */
  readonly method: "documents" | "ends" | "given"
  readonly seed: number
  readonly duplicates: "drop" | "keep"
  readonly heldOut: readonly HeldOut[]
  /** SHA-256 of documents left out of training although they are not held out: copies of what was given for validation. */
  readonly excluded: readonly string[]
  readonly counts: {
    readonly documents: number
    readonly exactDuplicates: number
    readonly nearDuplicates: number
  }
  readonly notes: readonly string[]
}

/** With fewer documents than this, holding out whole ones would measure the choice of documents more than the model. */
const MIN_DOCUMENTS = 10
/** Enough to tell models apart; more only makes every evaluation longer. */
const MAX_HELD_OUT_BYTES = 16 * 2 ** 20
/** A group may overshoot the wanted size by this factor; a larger one is trained on. */
const MAX_OVERSHOOT = 1.25
/** How far from the wanted cut a boundary may lie, as a share of the document. */
const MAX_BOUNDARY_SHIFT = 0.025

const plural = (count: number, noun: string): string =>
  `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`

/** The nearest place after `separator` to `wanted`, within `reach`; -1 if there is none. */
function nearestAfter(text: string, separator: RegExp, wanted: number, reach: number): number {
  const from = Math.max(0, Math.ceil(wanted - reach))
  let best = -1
  for (const match of text.slice(from, Math.floor(wanted + reach) + 1).matchAll(separator)) {
    const at = from + match.index + match[0].length
    if (best < 0 || Math.abs(at - wanted) < Math.abs(best - wanted)) best = at
  }
  return best > 0 && best < text.length ? best : -1
}

const BOUNDARIES: readonly RegExp[] = [/\r?\n(?:[ \t]*\r?\n)+/g, /\r?\n/g, /\s/g]

/**
 * Where the held-out end of `text` begins: UTF-16 offset, never between the halves of a surrogate pair.
 *
 * With boundary `paragraph` it is the blank line nearest to `fraction`, or else a line's end, a space, the place itself,
 * each only within 2.5 % of the length.
 */
export function cutPosition(text: string, { fraction, boundary }: SplitAt): number {
  const wanted = Math.floor(text.length * fraction)
  for (const separator of boundary === "paragraph" ? BOUNDARIES : []) {
    const at = nearestAfter(text, separator, wanted, text.length * MAX_BOUNDARY_SHIFT)
    if (at > 0) return at
  }
  return /[\udc00-\udfff]/.test(text[wanted] ?? "") ? wanted + 1 : wanted
}

interface Group {
  readonly group: number
  readonly bytes: number
  /** The smallest hash of its documents: the group's name, whatever their order. */
  readonly hash: string
}

/** The groups of the documents `used`. */
function collectGroups(facts: readonly DocumentFacts[], used: readonly number[], groupOf: ArrayLike<number>): Group[] {
  const groups = new Map<number, Group>()
  for (const index of used) {
    const { sha256, bytes } = facts[index]!
    const group = groupOf[index]!
    const known = groups.get(group)
    const hash = known && known.hash < sha256 ? known.hash : sha256
    groups.set(group, { group, bytes: bytes + (known?.bytes ?? 0), hash })
  }
  return [...groups.values()]
}

/** The groups to hold out: in the order of a keyed hash until the wanted bytes are reached. */
function chooseGroups(
  facts: readonly DocumentFacts[],
  used: readonly number[],
  groupOf: ArrayLike<number>,
  wantedBytes: number,
  seed: number,
): Set<number> {
  const groups = collectGroups(facts, used, groupOf)
  const keyed = groups.map((group) => ({ ...group, key: randomStream(seed, "split", group.hash).uint32() }))
  keyed.sort((a, b) => a.key - b.key || (a.hash < b.hash ? -1 : 1))
  const chosen = new Set<number>()
  let total = 0
  for (const { group, bytes } of keyed) {
    if (total >= wantedBytes || chosen.size === keyed.length - 1) break
    if (total + bytes > wantedBytes * MAX_OVERSHOOT) continue
    chosen.add(group)
    total += bytes
  }
  if (chosen.size === 0) chosen.add(keyed.reduce((best, one) => (one.bytes < best.bytes ? one : best)).group)
  return chosen
}

function checkOptions({ validFraction = 0.1, splitAt }: SplitOptions): void {
  const fractions = [
    ["validFraction", validFraction] as const,
    ...(splitAt ? [["splitAt.fraction", splitAt.fraction] as const] : []),
  ]
  for (const [name, value] of fractions)
    if (!(value > 0 && value < 1)) throw new ConfigError(`${name} must lie between 0 and 1, got ${value}`)
}

function duplicateNotes(exact: number, near: number, duplicates: "drop" | "keep"): string[] {
  const notes: string[] = []
  if (exact > 0)
    notes.push(
      `${plural(exact, "exact duplicate")} ${duplicates === "drop" ? "left out: each text is used once" : "kept, on the same side as the first copy"}`,
    )
  if (near > 0) notes.push(`${plural(near, "near-duplicate")} kept, each on the same side as the document it resembles`)
  return notes
}

/** What both ways of dividing need to know. */
interface Division {
  readonly facts: readonly DocumentFacts[]
  readonly groupOf: ArrayLike<number>
  /** Indices of the first copy of each text. */
  readonly kept: readonly number[]
  readonly seed: number
  readonly duplicates: "drop" | "keep"
}

/**
 * Divides the surveyed documents.
 *
 * Ten documents or more: whole documents are held out, about `validFraction` of the bytes and at most 16 MiB, a group of
 * near-duplicates always together. Fewer (or one single group): the end of each document. What was done is in `notes`.
 *
 * @param source  read once more only if documents must be cut
 * @throws DataError  if nothing would be left on one side
 */
export async function makeSplit(
  source: DataSource,
  facts: readonly DocumentFacts[],
  options: SplitOptions = {},
): Promise<Split> {
  checkOptions(options)
  const { seed = 1, validFraction = 0.1, duplicates = "drop", nearDuplicateThreshold = 0.8 } = options
  const { groupOf, exactDuplicates, nearDuplicates } = groupDuplicates(facts, nearDuplicateThreshold)
  const division: Division = { facts, groupOf, kept: firstCopies(facts), seed, duplicates }
  const reason = options.splitAt ? "" : whyNotWhole(division)
  const at: SplitAt = options.splitAt ?? { fraction: 1 - validFraction, boundary: "paragraph" }
  const ends = options.splitAt !== undefined || reason !== ""
  const { heldOut, note } = ends ? await holdOutEnds(source, at, reason) : holdOutDocuments(division, validFraction)
  const notes = [...duplicateNotes(exactDuplicates, nearDuplicates, duplicates), note]
  const counts = { documents: facts.length, exactDuplicates, nearDuplicates }
  return { version: 1, method: ends ? "ends" : "documents", seed, duplicates, heldOut, excluded: [], counts, notes }
}

/** Why whole documents cannot be held out, to be added to a sentence; empty if they can. */
function whyNotWhole({ kept, groupOf }: Division): string {
  if (kept.length < MIN_DOCUMENTS) return `: ${plural(kept.length, "document")}, fewer than ${MIN_DOCUMENTS}`
  const groups = new Set(kept.map((index) => groupOf[index]!)).size
  return groups < 2 ? ": all documents resemble each other" : ""
}

interface HoldingOut {
  readonly heldOut: readonly HeldOut[]
  readonly note: string
}

async function holdOutEnds(source: DataSource, at: SplitAt, reason: string): Promise<HoldingOut> {
  const place = at.boundary === "exact" ? "exactly there" : "at a paragraph"
  const note = `held out the last ${percent(1 - at.fraction)} of each document, cut ${place}${reason}`
  return { heldOut: await cutEnds(source, at), note }
}

function holdOutDocuments({ facts, groupOf, kept, seed, duplicates }: Division, validFraction: number): HoldingOut {
  const used = duplicates === "drop" ? kept : [...facts.keys()]
  const bytesOf = (indices: readonly number[]) => indices.reduce((sum, index) => sum + facts[index]!.bytes, 0)
  const wantedBytes = Math.min(bytesOf(used) * validFraction, MAX_HELD_OUT_BYTES)
  const chosen = chooseGroups(facts, used, groupOf, wantedBytes, seed)
  const held = kept.filter((index) => chosen.has(groupOf[index]!))
  const heldBytes = bytesOf(held)
  const size = `${formatBytes(heldBytes)}, ${percent(heldBytes / bytesOf(kept))} of the text`
  const note = `held out ${plural(held.length, "document")} of ${kept.length.toLocaleString("en-US")} (${size})`
  return { heldOut: held.map((index) => ({ id: facts[index]!.id, sha256: facts[index]!.sha256, from: 0 })), note }
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`

/** Indices of the documents whose text did not occur before. */
function firstCopies(facts: readonly DocumentFacts[]): number[] {
  const seen = new Set<string>()
  return facts.flatMap(({ sha256 }, index) => (seen.has(sha256) ? [] : (seen.add(sha256), [index])))
}

async function cutEnds(source: DataSource, at: SplitAt): Promise<HeldOut[]> {
  const heldOut = new Map<string, HeldOut>()
  let trained = 0
  for await (const { id, text } of source.documents()) {
    if (text === "") continue
    const sha256 = hashText(text)
    const from = cutPosition(text, at)
    trained += from
    if (from < text.length && !heldOut.has(sha256)) heldOut.set(sha256, { id, sha256, from })
  }
  if (heldOut.size === 0 || trained === 0)
    throw new DataError(
      "the text is too short to hold a part of it out",
      "give more text, or a text of its own for validation",
    )
  return [...heldOut.values()]
}

/**
 * A split whose held-out text was given apart: everything of it is held out; training documents that are the same as or nearly
 * the same as a held-out one are left out of training (kept with `duplicates: "keep"`, said in the notes either way).
 */
export function givenSplit(
  facts: readonly DocumentFacts[],
  validFacts: readonly DocumentFacts[],
  options: SplitOptions = {},
): Split {
  const { seed = 1, duplicates = "drop", nearDuplicateThreshold = 0.8 } = options
  const { groupOf } = groupDuplicates([...validFacts, ...facts], nearDuplicateThreshold)
  const { exactDuplicates, nearDuplicates } = groupDuplicates(facts, nearDuplicateThreshold)
  const leaking = facts.filter((_, index) => groupOf[validFacts.length + index]! < validFacts.length)
  if (duplicates === "drop" && leaking.length === facts.length)
    throw new DataError(
      "every training document is also in the validation text",
      "give a validation text that is not trained on",
    )
  const heldOut = firstCopies(validFacts).map((index) => ({
    id: validFacts[index]!.id,
    sha256: validFacts[index]!.sha256,
    from: 0,
  }))
  const notes = duplicateNotes(exactDuplicates, nearDuplicates, duplicates)
  notes.push(`validation text as given: ${plural(heldOut.length, "document")}`)
  if (leaking.length > 0)
    notes.push(
      `${plural(leaking.length, "training document")} found (almost) unchanged in the validation text: ${duplicates === "drop" ? "left out of training" : "kept, so the validation loss is too good"}`,
    )
  const excluded = duplicates === "drop" ? [...new Set(leaking.map(({ sha256 }) => sha256))] : []
  const counts = { documents: facts.length, exactDuplicates, nearDuplicates }
  return { version: 1, method: "given", seed, duplicates, heldOut, excluded, counts, notes }
}

/** The part of each document on one side of a stored split, in the source's order, streaming. */
export async function* documentsOf(
  source: DataSource,
  split: Split,
  side: "train" | "valid",
): AsyncGenerator<Document> {
  const heldOut = new Map(split.method === "given" ? [] : split.heldOut.map((one) => [one.sha256, one]))
  const excluded = new Set(split.excluded)
  const seen = new Set<string>()
  const found = new Set<string>()
  for await (const { id, text } of source.documents()) {
    if (text === "") continue
    const sha256 = hashText(text)
    const repeated = seen.has(sha256)
    seen.add(sha256)
    if ((repeated && (split.duplicates === "drop" || side === "valid")) || excluded.has(sha256)) continue
    const held = heldOut.get(sha256)
    if (held) found.add(sha256)
    const part = side === "valid" ? (held ? text.slice(held.from) : "") : text.slice(0, held?.from)
    if (part !== "") yield { id, text: part }
  }
  const missing = split.heldOut.find((one) => heldOut.has(one.sha256) && !found.has(one.sha256))
  if (missing)
    throw new DataError(
      `the data changed: the held-out document ${missing.id} is no longer what it was`,
      "the run folder keeps the held-out text itself in valid.jsonl",
    )
}
