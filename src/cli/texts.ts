// Texts to measure on: files a user names, or what runs have held out; hashed first, since a hash tells whether two runs held
// out the same and whether a text was measured before.

import { type FileSystem, platform } from "#platform"
import { DataError } from "../core/index.ts"
import { type DataSource, type Document, documents, files as filesSource, hashText, openData } from "../data/index.ts"
import { dataSha256, type MeasuredData } from "../evaluate/index.ts"
import { dataFolderOf } from "../train/index.ts"

/** A text that can be read as often as wanted. */
export interface NamedText extends MeasuredData {
  readonly source: DataSource
  /** The run that held it out. */
  readonly heldOutBy?: string
}

/** The documents of files, folders and globs, read once to be hashed and then again from the disk. */
export const textOfFiles = (paths: readonly string[], name?: string): Promise<NamedText> =>
  named(filesSource(...paths), name)

/** What the run in `dir` held out. */
export async function heldOutText(files: FileSystem, dir: string): Promise<NamedText> {
  const data = await openData(dataFolderOf(files, dir))
  await Promise.all([data.train.close(), data.valid.close()])
  const text = await named(documents(data.validDocuments, data.summary.name))
  return { ...text, name: `the held-out part of ${data.summary.name}`, heldOutBy: dir }
}

async function named(source: DataSource, name = source.name): Promise<NamedText> {
  const hashes: string[] = []
  let bytes = 0
  const encoder = new TextEncoder()
  for await (const { text } of source.documents()) {
    hashes.push(hashText(text))
    bytes += encoder.encode(text).length
    await platform.yieldToEventLoop()
  }
  if (bytes === 0) throw new DataError(`there is no text in ${name}`, "name a text file, such as --data held-out.txt")
  return { name, source, sha256: dataSha256(hashes), documents: hashes.length, bytes }
}

/** Documents of a run's training side, decoded from its tokens. */
export async function* trainingDocuments(
  files: FileSystem,
  dir: string,
  decode: (ids: Int32Array) => string,
): AsyncGenerator<Document> {
  const { train, valid } = await openData(dataFolderOf(files, dir))
  try {
    const { documentStarts: starts, length } = train
    for (let at = 0; at < starts.length; at++) {
      const [from, to] = [starts[at]!, starts[at + 1] ?? length]
      yield { id: `training document ${at + 1}`, text: decode(await train.read(from, to - from)) }
    }
  } finally {
    await Promise.all([train.close(), valid.close()])
  }
}
