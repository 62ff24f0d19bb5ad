// From text to two token sources in one call: survey, split, tokenizer, tokens. With a folder, everything is stored there and
// `openData` finds it again; without one it stays in memory.
import { platform } from "#platform"
import { DataError, DeviceError, FormatError } from "../core/index.ts"
import { openShards, writeShards } from "./shards.ts"
import { type DataInput, type DataSource, type Document, remembered, toSource } from "./source.ts"
import { documentsOf, givenSplit, makeSplit, type Split, type SplitOptions } from "./split.ts"
import { countCharacters, type DocumentFacts, survey } from "./survey.ts"
import { encodeToMemory, type TokenEncoder, type TokenSource } from "./token-source.ts"
import { loadDocuments, saveDocuments } from "./valid-file.ts"

/** The size and identity of one side of the split. */
export interface TextSummary {
  readonly documents: number
  /** UTF-8 bytes. */
  readonly bytes: number
  /** Unicode code points. */
  readonly characters: number
  readonly tokens: number
  /** SHA-256 of the documents' UTF-8 text in order, a zero byte between two; of one file alone, the file's own. */
  readonly sha256: string
}

export interface DataSummary {
  readonly version: 1
  readonly name: string
  readonly train: TextSummary
  readonly valid: TextSummary
  readonly exactDuplicates: number
  readonly nearDuplicates: number
}

/** Documents to be read as often as wanted. */
export interface DocumentList extends AsyncIterable<Document> {}

export interface PrepareOptions<E extends TokenEncoder> extends SplitOptions {
  readonly source: DataInput
  /** Validation text of one's own; else a part of `source` is held out. */
  readonly valid?: DataInput
  /** Makes or trains the tokenizer; it sees training documents only. */
  readonly tokenizer: (trainDocuments: DocumentList) => E | Promise<E>
  /** Folder for shards, split and held-out text; created. Without it all tokens stay in memory. */
  readonly dir?: string
  readonly shardTokens?: number
  readonly signal?: AbortSignal
}

export interface StoredData {
  readonly train: TokenSource
  readonly valid: TokenSource
  readonly validDocuments: readonly Document[]
  readonly split: Split
  readonly summary: DataSummary
  /** What was done to the data, sentences to be said aloud. */
  readonly notes: readonly string[]
}

export interface PreparedData<E extends TokenEncoder> extends StoredData {
  readonly tokenizer: E
  /** The training text once more, for baselines; read from the sources each time. */
  readonly trainDocuments: DocumentList
}

/** Text of no more UTF-16 units than this is kept in memory between passes: 64 MiB. */
const REMEMBERED_UNITS = 32 * 2 ** 20
const SEPARATOR = Uint8Array.of(0)

const list = (iterate: () => AsyncIterable<Document>): DocumentList => ({
  [Symbol.asyncIterator]: () => iterate()[Symbol.asyncIterator](),
})

/** Documents counted and hashed as they pass. */
function createTally() {
  const hash = platform.createSha256()
  const encoder = new TextEncoder()
  const counts = { documents: 0, bytes: 0, characters: 0 }
  const add = (text: string): void => {
    const bytes = encoder.encode(text)
    if (counts.documents++ > 0) hash.update(SEPARATOR)
    hash.update(bytes)
    counts.bytes += bytes.length
    counts.characters += countCharacters(bytes)
  }
  async function* through(documents: AsyncIterable<Document>): AsyncGenerator<Document> {
    for await (const document of documents) {
      add(document.text)
      yield document
    }
  }
  return { add, through, finish: (tokens: number): TextSummary => ({ ...counts, tokens, sha256: hash.digest() }) }
}

/** `source` that stops with the signal's reason between two documents. */
function abortable(source: DataSource, signal: AbortSignal | undefined): DataSource {
  return {
    ...source,
    async *documents() {
      for await (const document of source.documents()) {
        signal?.throwIfAborted()
        yield document
      }
    },
  }
}

/** The facts, and the source to read from then on: small text is not read from disk again. */
async function surveyed(source: DataSource): Promise<{ facts: DocumentFacts[]; source: DataSource }> {
  const facts = await survey(source)
  const units = facts.reduce((sum, one) => sum + one.units, 0)
  return { facts, source: units <= REMEMBERED_UNITS ? remembered(source) : source }
}

async function collect(documents: AsyncIterable<Document>): Promise<Document[]> {
  const all: Document[] = []
  for await (const document of documents) all.push(document)
  return all
}

/** Held-out documents given apart, each text once. */
function distinct(documents: readonly Document[]): Document[] {
  const seen = new Set<string>()
  return documents.filter(({ text }) => text !== "" && !seen.has(text) && seen.add(text))
}

async function divide(options: PrepareOptions<TokenEncoder>) {
  const { facts, source } = await surveyed(abortable(toSource(options.source), options.signal))
  if (options.valid === undefined) {
    const split = await makeSplit(source, facts, options)
    return { source, split, validDocuments: await collect(documentsOf(source, split, "valid")) }
  }
  const given = await surveyed(abortable(toSource(options.valid), options.signal))
  const split = givenSplit(facts, given.facts, options)
  return { source, split, validDocuments: distinct(await collect(given.source.documents())) }
}

/** Encodes to shards in `dir`, or to memory without one; then opens them. */
async function tokenize(
  documents: AsyncIterable<Document>,
  encoder: TokenEncoder,
  dir: string | undefined,
  shardTokens?: number,
) {
  if (dir === undefined) return encodeToMemory(documents, encoder)
  await writeShards(documents, encoder, dir, shardTokens === undefined ? {} : { shardTokens })
  return openShards(dir)
}

const SPLIT_FILE = "split.json"
const SUMMARY_FILE = "summary.json"
const VALID_FILE = "valid.jsonl"

function pathsIn(dir: string) {
  if (!platform.files) throw new DeviceError("a data folder needs files, which a browser has not", "leave out `dir`")
  const at = (name: string) => platform.files!.join(dir, name)
  return {
    train: at("train"),
    held: at("valid"),
    split: at(SPLIT_FILE),
    summary: at(SUMMARY_FILE),
    documents: at(VALID_FILE),
  }
}

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`

/**
 * Reads, checks, deduplicates, splits, trains the tokenizer on the training side, encodes.
 *
 * The text is read at most four times (facts, cuts, tokenizer, tokens), one document in memory at a time where it is larger
 * than 64 MiB. In `dir`: `train/` and `valid/` (token shards), `valid.jsonl`, `split.json`, and last of all `summary.json`.
 *
 * @throws DataError  for text that cannot be used; the sentence says which and where
 */
export async function prepareData<E extends TokenEncoder>(options: PrepareOptions<E>): Promise<PreparedData<E>> {
  const { dir, shardTokens, signal } = options
  const paths = dir === undefined ? undefined : pathsIn(dir)
  const { source, split, validDocuments } = await divide(options)
  const trainDocuments = list(() => documentsOf(source, split, "train"))
  const tokenizer = await options.tokenizer(trainDocuments)
  signal?.throwIfAborted()
  if (paths) await storeSplit(dir!, split, validDocuments)
  const trainTally = createTally()
  const train = await tokenize(trainTally.through(trainDocuments), tokenizer, paths?.train, shardTokens)
  const validTally = createTally()
  const valid = await tokenize(
    validTally.through(list(() => fromArray(validDocuments))),
    tokenizer,
    paths?.held,
    shardTokens,
  )
  if (train.length === 0)
    throw new DataError("nothing is left to train on", "give more text, or a smaller validFraction")
  const { exactDuplicates, nearDuplicates } = split.counts
  const sides = { train: trainTally.finish(train.length), valid: validTally.finish(valid.length) }
  const summary: DataSummary = { version: 1, name: source.name, ...sides, exactDuplicates, nearDuplicates }
  if (paths) await platform.files!.writeAtomic(paths.summary, asJson(summary))
  const notes = [...(source.notes?.() ?? []), ...split.notes]
  return { train, valid, validDocuments, tokenizer, split, summary, notes, trainDocuments }
}

async function* fromArray(documents: readonly Document[]): AsyncGenerator<Document> {
  yield* documents
}

/** The old summary goes first: a folder that has one is complete. */
async function storeSplit(dir: string, split: Split, validDocuments: readonly Document[]): Promise<void> {
  const paths = pathsIn(dir)
  await platform.files!.makeDirectory(dir)
  await platform.files!.remove(paths.summary)
  await saveDocuments(paths.documents, validDocuments)
  await platform.files!.writeAtomic(paths.split, asJson(split))
}

async function readJson<T extends { version: number }>(path: string): Promise<T> {
  let value: T
  try {
    value = JSON.parse(await platform.files!.readText(path)) as T
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new FormatError(`${path} is not valid JSON`, { cause })
  }
  if (value?.version !== 1)
    throw new FormatError(`${path}: expected version 1, got ${value?.version}`, { hint: "a newer kinglet wrote it" })
  return value
}

/**
 * The data that {@link prepareData} stored in `dir`, held-out text included, without a look at the sources.
 *
 * @param options.verify  also checks every shard's SHA-256
 * @throws DataError  if the preparation did not finish
 * @throws FormatError  if a file is damaged or the held-out text is not the one that was summarized
 */
export async function openData(dir: string, options: { verify?: boolean } = {}): Promise<StoredData> {
  const paths = pathsIn(dir)
  if (!(await platform.files!.exists(paths.summary)))
    throw new DataError(`${dir} holds no finished data: ${SUMMARY_FILE} is missing`, "prepare the data again")
  const summary = await readJson<DataSummary>(paths.summary)
  const split = await readJson<Split>(paths.split)
  const validDocuments = await loadDocuments(paths.documents)
  const tally = createTally()
  for (const { text } of validDocuments) tally.add(text)
  if (tally.finish(0).sha256 !== summary.valid.sha256)
    throw new FormatError(`${paths.documents} is not the held-out text that ${SUMMARY_FILE} names`, {
      hint: "prepare the data again",
    })
  const [train, valid] = [await openShards(paths.train, options), await openShards(paths.held, options)]
  for (const [side, tokens] of [
    ["train", train],
    ["valid", valid],
  ] as const)
    if (tokens.length !== summary[side].tokens)
      throw new FormatError(`${dir}: expected ${summary[side].tokens} ${side} tokens, got ${tokens.length}`)
  return { train, valid, validDocuments, split, summary, notes: split.notes }
}
