// On which text models are compared: the one the user names, or the one they all held out.

import { platform } from "#platform"
import { DataError, formatBytes } from "../core/index.ts"
import type { MeasuredData } from "../evaluate/index.ts"
import type { Entrant } from "./contestants.ts"
import { plural } from "./numbers.ts"
import { heldOutText, type NamedText, textOfFiles } from "./texts.ts"

const NAME_A_TEXT = "name a text that none of them was trained on: --data held-out.txt"

/**
 * The text that all entrants can be compared on.
 *
 * @param paths  what the user named; without, every run must have held out the same documents, and findings be about them
 * @returns      the text; only its hash and size where no model needs to read it
 * @throws DataError  if there is no such text
 */
export async function commonText(
  entrants: readonly Entrant[],
  paths: readonly string[] | undefined,
): Promise<MeasuredData | NamedText> {
  const text = paths === undefined ? await heldOutByAll(entrants) : await textOfFiles(paths)
  for (const { name, findings } of entrants)
    if (findings !== undefined && findings.data.sha256 !== text.sha256)
      throw new DataError(
        `${name} was measured on another text: expected ${describe(text)}, got ${describe(findings.data)}`,
        "give the text it was measured on: --data PATH",
      )
  return text
}

const describe = ({ name, documents, bytes, sha256 }: MeasuredData): string =>
  `${name} (${plural(documents, "document")}, ${formatBytes(bytes)}, sha256 ${sha256.slice(0, 8)})`

async function heldOutByAll(entrants: readonly Entrant[]): Promise<MeasuredData | NamedText> {
  const models = entrants.filter((one) => one.model !== undefined)
  if (models.length === 0) return entrants[0]!.findings!.data
  const texts: NamedText[] = []
  for (const { name, model } of models) {
    if (model.dir === undefined)
      throw new DataError(`${name} is apart from its run and keeps no held-out text of its own`, NAME_A_TEXT)
    texts.push(await heldOutText(platform.files!, model.dir))
  }
  const other = texts.findIndex(({ sha256 }) => sha256 !== texts[0]!.sha256)
  if (other > 0)
    throw new DataError(
      `these runs held out different texts: ${models[0]!.name} ${sizeOf(texts[0]!)}, ${models[other]!.name} ${sizeOf(texts[other]!)}`,
      NAME_A_TEXT,
    )
  return texts[0]!
}

const sizeOf = ({ documents, bytes, sha256 }: MeasuredData): string =>
  `${plural(documents, "document")} of ${formatBytes(bytes)} (sha256 ${sha256.slice(0, 8)})`
