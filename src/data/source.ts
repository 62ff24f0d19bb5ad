// One interface for all text that comes in: a source names itself and gives its documents as often as asked. Strings and
// iterables are made into sources here, files in files.ts.
import { DataError } from "../core/index.ts"
import { hasLoneSurrogate } from "./read-text.ts"

/** One text with a name by which reports can speak of it. */
export interface Document {
  readonly id: string
  readonly text: string
}

/** Text to be read, once or many times. */
export interface DataSource {
  /** For run names and messages: the file's name without its extension, "text", "stdin". */
  readonly name: string
  /** All documents in a fixed order; each call starts anew. */
  documents(): AsyncIterable<Document>
  /** What a reader should know about how the text was cut into documents; complete once all was read. */
  notes?(): string[]
}

type TextItem = string | Document

/** Whatever a caller may hand in as data. A function is called anew for each pass: the form for text larger than memory. */
export type DataInput =
  | DataSource
  | string
  | Iterable<TextItem>
  | AsyncIterable<TextItem>
  | (() => Iterable<TextItem> | AsyncIterable<TextItem>)

const isSource = (input: unknown): input is DataSource =>
  typeof input === "object" && input !== null && typeof (input as DataSource).documents === "function"

/** A document as a source gives it: well-formed and named. @throws DataError  for a lone surrogate or a thing that is no text */
function toDocument(item: TextItem, index: number, name: string): Document {
  const document = typeof item === "string" ? { id: `${name}-${index + 1}`, text: item } : item
  if (typeof document?.text !== "string")
    throw new DataError(
      `a document must be a string or { id, text }, got ${JSON.stringify(item)} at number ${index + 1}`,
    )
  const { id, text } = document as { id?: string | number; text: string } // plain JavaScript may number or forget
  if (hasLoneSurrogate(text))
    throw new DataError(
      `document ${id} holds half of a surrogate pair, which is no character and has no UTF-8 form`,
      "text.toWellFormed() replaces such halves by U+FFFD",
    )
  return { id: String(id ?? `${name}-${index + 1}`), text }
}

/** A source of the given strings, one document each. */
export function text(...strings: readonly string[]): DataSource {
  return fromIterable(() => strings, "text")
}

/**
 * A source of strings or `{ id, text }` from an iterable. A generator can be read only once, so its documents are kept in
 * memory as they pass; a function that makes a new iterable for each pass keeps nothing.
 */
export function documents(
  items: Iterable<TextItem> | AsyncIterable<TextItem> | (() => Iterable<TextItem> | AsyncIterable<TextItem>),
  name = "text",
): DataSource {
  if (typeof items === "function") return fromIterable(items, name)
  const iterator = (items as AsyncIterable<TextItem>)[Symbol.asyncIterator]?.() ?? undefined
  const oneShot = iterator !== undefined || (items as Iterable<TextItem>)[Symbol.iterator]?.() === (items as unknown)
  const once = iterator ? { [Symbol.asyncIterator]: () => iterator } : (items as Iterable<TextItem>)
  return oneShot ? remembered(fromIterable(() => once, name)) : fromIterable(() => items, name)
}

function fromIterable(make: () => Iterable<TextItem> | AsyncIterable<TextItem>, name: string): DataSource {
  return {
    name,
    async *documents() {
      let index = 0
      for await (const item of make()) yield toDocument(item, index++, name)
    },
  }
}

/** `source` read at most once, its documents kept; several passes may go on at a time, and all see the same failure. */
export function remembered(source: DataSource): DataSource {
  const kept: Document[] = []
  let reading: AsyncIterator<Document> | undefined
  let queue: Promise<void> = Promise.resolve()
  const readUpTo = async (index: number): Promise<void> => {
    if (kept.length > index) return
    reading ??= source.documents()[Symbol.asyncIterator]()
    const next = await reading.next()
    if (!next.done) kept.push(next.value)
  }
  return {
    ...source,
    async *documents() {
      for (let index = 0; ; index++) {
        if (index >= kept.length) await (queue = queue.then(() => readUpTo(index))) // a failure stays in the queue
        if (index >= kept.length) return
        yield kept[index]!
      }
    },
  }
}

/** Any {@link DataInput} as a source; a string is one document of text, never a path (paths go through `files`). */
export function toSource(input: DataInput): DataSource {
  if (isSource(input)) return input
  return typeof input === "string" ? text(input) : documents(input)
}

/** All documents of `input`, for one pass over them: what can be read only once is not remembered. */
export function readOnce(input: DataInput): AsyncIterable<Document> {
  const isIterable = typeof input === "object" && !isSource(input)
  return toSource(isIterable ? () => input : input).documents()
}

/** The texts alone, as tokenizers want them; as often as `documents` can be read. */
export function textsOf(documents: AsyncIterable<Document>): AsyncIterable<string> {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const { text } of documents) yield text
    },
  }
}
