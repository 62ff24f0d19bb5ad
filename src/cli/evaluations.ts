// The findings that a run folder keeps, in evaluations/: one file for each kind and name.

import { type FileSystem, platform } from "#platform"
import { FormatError, KINGLET_COMMIT, KINGLET_VERSION, KingletError } from "../core/index.ts"
import {
  type Findings,
  parseFindings,
  parseTextFindings,
  serializeFindings,
  type TextFindings,
} from "../evaluate/index.ts"
import type { Model } from "../generate/index.ts"
import type { Output } from "./output.ts"
import { folderName } from "./run-folders.ts"

const FOLDER = "evaluations"

/**
 * Writes `findings` into `dir/evaluations`; returns the path. Findings of the same kind, model, text and protocol are replaced.
 * Where the folder cannot be written to that is said, and nothing is lost but the file.
 */
export async function storeFindings(dir: string, findings: Findings, output: Output): Promise<string | undefined> {
  const files = platform.files!
  const folder = files.join(dir, FOLDER)
  try {
    await files.makeDirectory(folder)
    const path = files.join(folder, fileName(findings))
    await files.writeAtomic(path, serializeFindings(findings))
    return path
  } catch (error) {
    if (!(error instanceof KingletError)) throw error
    await output.note(`not stored: ${error.message}`)
    return undefined
  }
}

/** `text-1a2b3c4d-step-600-held-out.json`: what tells findings apart comes first, what people know them by last. */
function fileName({ kind, model, data, result }: Findings): string {
  const stride = "stride" in result && result.stride !== undefined ? [`stride-${result.stride}`] : []
  const weights = model.weights === "f32" ? [] : [model.weights]
  const step = model.step === undefined ? [] : [`step-${model.step}`]
  return `${[kind, data.sha256.slice(0, 8), ...weights, ...stride, ...step, folderName(data.name)].join("-")}.json`
}

/** What a run folder has stored, by file name; of a damaged file its complaint, since it can be measured again. */
export async function storedFindings(dir: string): Promise<{ findings: Findings[]; damaged: FormatError[] }> {
  const files = platform.files!
  const folder = files.join(dir, FOLDER)
  const isFolder = (await files.stat(folder))?.kind === "directory"
  const names = isFolder ? (await files.list(folder)).filter((name) => name.endsWith(".json")) : []
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
