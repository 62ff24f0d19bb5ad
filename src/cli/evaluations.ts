// The findings that a run folder keeps, in evaluations/: one file for each kind and name.

import { type FileSystem, platform } from "#platform"
import { FormatError, KINGLET_COMMIT, KINGLET_VERSION } from "../core/index.ts"
import {
  type Findings,
  parseFindings,
  parseTextFindings,
  serializeFindings,
  type TextFindings,
} from "../evaluate/index.ts"
import type { Model } from "../generate/index.ts"
import { folderName } from "./run-folders.ts"

const FOLDER = "evaluations"

/** Writes `findings` into `dir/evaluations`; returns the path. Findings of the same kind and name are replaced. */
export async function storeFindings(dir: string, name: string, findings: Findings): Promise<string> {
  const files = platform.files!
  const folder = files.join(dir, FOLDER)
  await files.makeDirectory(folder)
  const path = files.join(folder, `${findings.kind}-${folderName(name)}.json`)
  await files.writeAtomic(path, serializeFindings(findings))
  return path
}

/** What a run folder has stored, by file name; of a damaged file its complaint, since it can be measured again. */
export async function storedFindings(dir: string): Promise<{ findings: Findings[]; damaged: FormatError[] }> {
  const files = platform.files!
  const folder = files.join(dir, FOLDER)
  const names = (await files.exists(folder)) ? (await files.list(folder)).filter((name) => name.endsWith(".json")) : []
  const findings: Findings[] = []
  const damaged: FormatError[] = []
  for (const name of names.sort())
    try {
      findings.push(await readFindings(files, files.join(folder, name)))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      damaged.push(error)
    }
  return { findings, damaged }
}

const readFindings = async (files: FileSystem, path: string): Promise<Findings> =>
  parseFindings(await files.readText(path), path)

/** Findings about a text from a file that was named. @throws FormatError  if it holds none */
export const readTextFindings = async (path: string): Promise<TextFindings> =>
  parseTextFindings(await platform.files!.readText(path), path)

/** Who measured, on what, and when: the same for all findings of a command. */
export const measuredBy = ({ device }: Pick<Model, "device">) => ({
  version: 1 as const,
  kinglet: KINGLET_VERSION,
  ...(KINGLET_COMMIT === undefined ? {} : { commit: KINGLET_COMMIT }),
  machine: {
    engine: platform.engine,
    cores: platform.cores(),
    device: { kind: device.kind, lanes: device.lanes, choices: device.choices },
  },
  when: new Date(platform.wallClock()).toISOString(),
})
