// The cross-domain matrix: each model on the held-out text of each run, or on texts that are given.

import { platform } from "#platform"
import { DataError } from "../core/index.ts"
import {
  type CrossDomainCell,
  type CrossDomainMatrix,
  dataSha256,
  type MeasuredData,
  type TextFindings,
} from "../evaluate/index.ts"
import type { Entrant } from "./contestants.ts"
import { storeFindings } from "./evaluations.ts"
import { type MeasuringOptions, measureText } from "./measure-text.ts"
import type { ModelFacts } from "./model-facts.ts"
import { heldOutText, type NamedText, textOfFiles } from "./texts.ts"
import { trainedOn } from "./trained-on.ts"

interface Trained {
  readonly name: string
  readonly model: ModelFacts
}

/**
 * Trained on i, tested on j: bits per byte of every model on every text, stored in each model's run.
 *
 * @param given  `name=path` or paths; without, what the runs themselves held out
 * @returns      the matrix and the files it was stored in
 * @throws DataError  if an entrant is findings, or no text is given for a model apart from its run
 */
export async function measureMatrix(
  entrants: readonly Entrant[],
  given: readonly string[] | undefined,
  options: MeasuringOptions,
): Promise<{ matrix: CrossDomainMatrix; stored: string[] }> {
  const trained = entrants.map(requireModel)
  const texts = given === undefined ? await heldOutTexts(trained) : await givenTexts(given)
  const lines: { cells: CrossDomainCell[]; by: TextFindings | undefined }[] = []
  for (const { model } of trained) lines.push(await lineOf(model, texts, options))
  const cells = lines.map((line) => line.cells)
  const matrix = { rows: trained.map((one) => rowOf(one, texts)), columns: texts.map(dataOf), cells }
  const data = {
    name: texts.map(({ name }) => name).join(", "),
    sha256: dataSha256(texts.map(({ sha256 }) => sha256)),
    documents: texts.reduce((sum, text) => sum + text.documents, 0),
    bytes: texts.reduce((sum, text) => sum + text.bytes, 0),
  }
  const stored: string[] = []
  for (const [at, { by }] of lines.entries()) {
    const { dir } = trained[at]!.model
    if (by === undefined || dir === undefined) continue
    const path = await storeFindings(dir, { ...by, kind: "cross-domain", data, result: matrix }, options.output)
    if (path !== undefined) stored.push(path)
  }
  return { matrix, stored }
}

function requireModel({ name, model }: Entrant): Trained {
  if (model) return { name, model }
  throw new DataError(`${name} is stored findings, and a matrix needs models that can read every text`, "name its run")
}

async function heldOutTexts(trained: readonly Trained[]): Promise<NamedText[]> {
  const texts: NamedText[] = []
  for (const { name, model } of trained) {
    if (model.dir === undefined)
      throw new DataError(`${name} is apart from its run and keeps no held-out text`, "give texts: --data name=path")
    texts.push({ ...(await heldOutText(platform.files!, model.dir)), name })
  }
  return texts
}

function givenTexts(given: readonly string[]): Promise<NamedText[]> {
  return Promise.all(
    given.map((item) => {
      const at = item.indexOf("=")
      return at > 0 ? textOfFiles([item.slice(at + 1)], item.slice(0, at)) : textOfFiles([item])
    }),
  )
}

/** One model on every text, and one of the findings that its cells are made of. */
async function lineOf(model: ModelFacts, texts: readonly NamedText[], options: MeasuringOptions) {
  const cells: CrossDomainCell[] = []
  let by: TextFindings | undefined
  for (const text of texts)
    try {
      const known = await trainedOn(model, text, options)
      by = await measureText(model, text, options)
      const { bitsPerByte, interval } = by.result
      cells.push({ bitsPerByte, ...(interval ? { interval } : {}), ...(known === undefined ? {} : { note: known }) })
    } catch (error) {
      if (!(error instanceof DataError) || options.signal.aborted) throw error
      cells.push({ unreadable: error.message })
    }
  return { cells, by }
}

/** `own`: the column that the model's own run held out. */
function rowOf({ name, model }: Trained, texts: readonly NamedText[]): CrossDomainMatrix["rows"][number] {
  const own = texts.findIndex(({ heldOutBy }) => heldOutBy !== undefined && heldOutBy === model.dir)
  return { name, sha256: model.sha256, ...(own < 0 ? {} : { own }) }
}

const dataOf = ({ name, sha256, documents, bytes }: NamedText): MeasuredData => ({ name, sha256, documents, bytes })
