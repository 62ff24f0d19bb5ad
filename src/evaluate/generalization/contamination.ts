// Contamination: how much of the test text stands word for word in the training text.
import { platform } from "#platform"
import { ConfigError } from "../../core/index.ts"
import { type DataInput, type Document, toSource } from "../../data/index.ts"
import { runSliced } from "../baselines/slices.ts"
import { createNgramIndex, type NgramIndex } from "./ngram-index.ts"
import { streamNgrams } from "./stream-ngrams.ts"
import { cutWords, type SymbolText, symbolsOf, WORD_NORMALIZATION } from "./symbols.ts"
import { utf8Offsets } from "./utf8-offsets.ts"

/**
 * Share of the test's words, in runs that training text has too, from which a test counts as contaminated.
 *
 * Known by heart they lower bits per byte by at most 1 %. Prose shares next to nothing by nature: none of 5.1 M words between
 * authors of 36 English novels, nor of the last tenth of Shakespeare's plays. Code and questionnaires share more: 9 % of the
 * words of Python files, 41 % of medical answers split at random, and their scores are no better for it.
 */
export const CONTAMINATED_SHARE = 0.01

/** How long a run must be. */
export interface ContaminationOptions {
  /** Words in a row that must agree. Default 13 (Brown et al. 2020, appendix C). */
  readonly words?: number
  readonly signal?: AbortSignal
  /** UTF-16 units of training text read so far. */
  readonly onProgress?: (progress: { readonly units: number }) => void
}

/** Bytes `[start, end)` of a document's UTF-8. */
export interface ByteSpan {
  readonly start: number
  readonly end: number
}

/** A test document of which the training text holds something. */
export interface TouchedDocument {
  readonly id: string
  /** Of its UTF-8 bytes: what its score is found by. */
  readonly sha256: string
  readonly bytes: number
  readonly words: number
  readonly coveredWords: number
  /** What the training text holds of it, ascending, apart from each other. */
  readonly spans: readonly ByteSpan[]
}

/** What test and training text share. */
export interface Contamination {
  /** Words in a row that had to agree. */
  readonly words: number
  readonly normalization: string
  readonly testDocuments: number
  /** Test documents of fewer words than that: they are looked up whole. */
  readonly shortDocuments: number
  readonly touched: readonly TouchedDocument[]
  readonly testWords: number
  readonly coveredWords: number
  /** `coveredWords / testWords`; 0 without words. */
  readonly share: number
  /** The first find of each of the first few touched documents, as the test has it. */
  readonly examples: readonly { readonly testId: string; readonly trainId: string; readonly text: string }[]
  /** More than {@link CONTAMINATED_SHARE} of the words. */
  readonly fires: boolean
}

/** Finds that are quoted. */
const MAX_EXAMPLES = 5

/**
 * Overlap of `words` words in a row (default 13), or of a whole test document where it is shorter, between test and training
 * text: `share = words of the test in such runs / words of the test`.
 *
 * The training text streams, one document at a time; the test text is held in memory, at some 40 bytes a word. A run is
 * found wherever it stands in a training document. Short items agree by nature (a document of two words nearly always), so
 * read their share beside `shortDocuments`.
 *
 * @throws ConfigError  unless `words` is a positive integer
 * @throws the signal's reason  if it is aborted
 * @see Brown et al. 2020, arXiv:2005.14165, appendix C, whose texts are collated by n-grams of 8 to 13 words
 */
export async function contamination(
  train: DataInput,
  test: DataInput,
  options: ContaminationOptions = {},
): Promise<Contamination> {
  const { words = 13, signal, onProgress } = options
  if (!(Number.isInteger(words) && words >= 1))
    throw new ConfigError(`words must be a positive whole number, got ${words}`)
  const texts = await readTest(test, signal)
  const indexes = indexesOf(texts, words)
  const finds = createFinds(texts, indexes, words)
  await streamNgrams(toSource(train).documents(), {
    cut: cutWords,
    indexes: [...indexes.values()],
    onHit: finds.hit,
    signal,
    onProgress: onProgress && ((units) => onProgress({ units })),
  })
  return summary(texts, finds, words)
}

interface TestText extends SymbolText {
  readonly document: Document
}

async function readTest(test: DataInput, signal: AbortSignal | undefined): Promise<TestText[]> {
  const texts: TestText[] = []
  for await (const document of toSource(test).documents())
    texts.push({ document, ...(await runSliced(symbolsOf(document.text, cutWords), signal)) })
  return texts
}

/** Words of the runs by which a text is looked up. */
const runLength = ({ symbols }: SymbolText, words: number): number => Math.min(words, symbols.length)

/** An index for each length that occurs: that of the runs, and those of shorter documents. */
function indexesOf(texts: readonly TestText[], words: number): Map<number, NgramIndex> {
  const capacities = new Map<number, number>()
  for (const text of texts) {
    const length = runLength(text, words)
    if (length > 0) capacities.set(length, (capacities.get(length) ?? 0) + text.symbols.length - length + 1)
  }
  return new Map([...capacities].map(([length, capacity]) => [length, createNgramIndex(length, capacity)]))
}

/** Which n-grams were found, and the training documents in which some were found first. */
function createFinds(texts: readonly TestText[], indexes: ReadonlyMap<number, NgramIndex>, words: number) {
  const numbers = texts.map((text) => indexes.get(runLength(text, words))?.add(text.symbols) ?? new Int32Array(0))
  const lengths = [...indexes.keys()]
  const found = [...indexes.values()].map((index) => new Uint8Array(index.size))
  /** By length and number; only the first few thousand finds, of which examples are made. */
  const foundIn = new Map<string, string>()
  return {
    numbers,
    hit(which: number, number: number, train: Document): void {
      if (found[which]![number] === 1) return
      found[which]![number] = 1
      if (foundIn.size < 1000 * MAX_EXAMPLES) foundIn.set(`${lengths[which]} ${number}`, train.id)
    },
    isFound: (length: number, number: number): boolean => found[lengths.indexOf(length)]![number] === 1,
    trainId: (length: number, number: number): string | undefined => foundIn.get(`${length} ${number}`),
  }
}

type Finds = ReturnType<typeof createFinds>

/** Words `[start, end)` that lie in a found run, joined where runs overlap or touch. */
function coveredRuns(
  text: TestText,
  numbers: Int32Array,
  finds: Finds,
  words: number,
): { start: number; end: number }[] {
  const length = runLength(text, words)
  const runs: { start: number; end: number }[] = []
  for (const [start, number] of numbers.entries()) {
    if (!finds.isFound(length, number)) continue
    const last = runs.at(-1)
    if (last !== undefined && start <= last.end) last.end = start + length
    else runs.push({ start, end: start + length })
  }
  return runs
}

async function summary(texts: readonly TestText[], finds: Finds, words: number): Promise<Contamination> {
  const touched: TouchedDocument[] = []
  const examples: Contamination["examples"][number][] = []
  for (const [index, text] of texts.entries()) {
    const runs = coveredRuns(text, finds.numbers[index]!, finds, words)
    if (runs.length === 0) continue
    touched.push(await touchedDocument(text, runs))
    const example = examples.length < MAX_EXAMPLES ? exampleOf(text, finds.numbers[index]!, finds, words) : undefined
    if (example !== undefined) examples.push(example)
  }
  const testWords = texts.reduce((sum, { symbols }) => sum + symbols.length, 0)
  const coveredWords = touched.reduce((sum, document) => sum + document.coveredWords, 0)
  const share = testWords === 0 ? 0 : coveredWords / testWords
  return {
    words,
    normalization: WORD_NORMALIZATION,
    testDocuments: texts.length,
    shortDocuments: texts.filter(({ symbols }) => symbols.length < words).length,
    touched,
    testWords,
    coveredWords,
    share,
    examples,
    fires: share > CONTAMINATED_SHARE,
  }
}

async function touchedDocument(
  { document, symbols, starts, ends }: TestText,
  runs: readonly { readonly start: number; readonly end: number }[],
): Promise<TouchedDocument> {
  const places = utf8Offsets(
    document.text,
    runs.flatMap(({ start, end }) => [starts[start]!, ends[end - 1]!]),
  )
  const bytes = new TextEncoder().encode(document.text)
  return {
    id: document.id,
    sha256: await platform.sha256(bytes),
    bytes: bytes.length,
    words: symbols.length,
    coveredWords: runs.reduce((sum, { start, end }) => sum + end - start, 0),
    spans: runs.map((_, i) => ({ start: places[2 * i]!, end: places[2 * i + 1]! })),
  }
}

/** The first run of this document whose finding place is known. */
function exampleOf(text: TestText, numbers: Int32Array, finds: Finds, words: number) {
  const { document } = text
  const length = runLength(text, words)
  for (const [start, number] of numbers.entries()) {
    const trainId = finds.trainId(length, number)
    if (trainId === undefined) continue
    const quoted = document.text.slice(text.starts[start], text.ends[start + length - 1])
    return { testId: document.id, trainId, text: quoted }
  }
  return undefined
}
