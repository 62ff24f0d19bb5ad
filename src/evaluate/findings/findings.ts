// What one evaluation found, as versioned plain JSON: what was measured, on which text, by which model and machine. A later
// comparison or report reads it instead of measuring again.
import { platform } from "#platform"
import type { BaselineResult } from "../baselines/index.ts"
import type { Evaluation } from "../evaluate.ts"
import type { GeneralizationFacts } from "../report/facts.ts"
import type { DocumentScore } from "../score/document-score.ts"
import type { Reliability } from "../score/reliability.ts"
import type { Interval } from "../statistics/index.ts"

export const FINDINGS_VERSION = 1

/** The model that was measured; `sha256` says whether another file holds the same. */
export interface MeasuredModel {
  /** The checkpoint's folder, as it was named. */
  readonly source: string
  readonly step?: number
  /** Steps its recipe asks for; a run that was still training has done fewer. */
  readonly steps?: number
  /** Of model.safetensors. */
  readonly sha256: string
  readonly parameters: number
  /** Of model.safetensors. */
  readonly bytes: number
  /** How the weights were held while measuring. */
  readonly weights: "f32" | "f16"
}

export interface MeasuringMachine {
  readonly engine: string
  readonly cores: number
  readonly device: {
    readonly kind: string
    readonly lanes: number
    readonly choices: { readonly [name: string]: string | number | boolean }
  }
}

export interface MeasuredData {
  readonly name: string
  /** {@link dataSha256} of its documents. */
  readonly sha256: string
  readonly documents: number
  /** UTF-8 bytes. */
  readonly bytes: number
}

/** Bits of a text, in all and by document. */
export interface TextResult {
  readonly bitsPerByte: number
  readonly bitsPerCharacter: number
  readonly bitsPerToken: number
  readonly natsPerToken: number
  readonly nats: number
  readonly tokens: number
  readonly bytes: number
  readonly characters: number
  /** How much context each token had. */
  readonly protocol: string
  /** Tokens by which windows moved on; absent where they did not overlap. */
  readonly stride?: number
  readonly seconds: number
  /** Of `bitsPerByte`; absent where there are too few units, and `noInterval` says so. */
  readonly interval?: Interval
  readonly noInterval?: string
  readonly reliability?: Reliability
  /** Absent where none were asked for. */
  readonly baselines?: readonly StoredBaseline[]
  /** Parsed findings know the first 16 digits of a document's hash, which is also its `id`. */
  readonly documents: readonly DocumentScore[]
}

/** A baseline without its scores by document. */
export type StoredBaseline = Omit<BaselineResult, "documents">

/** What a suite found, as far as reports read it; more fields are kept as they are. Accuracies are shares of 1. */
export interface SuiteResult {
  readonly name: string
  readonly accuracy: number
  readonly interval?: Interval
  readonly items?: number
  /** Unweighted mean over groups, where the suite has groups: its headline then. */
  readonly mean?: number
  readonly meanInterval?: Interval
  /** What guessing gives. */
  readonly chance?: number
  readonly phenomena?: readonly { readonly name: string; readonly accuracy: number; readonly interval?: Interval }[]
  readonly published?: readonly { readonly name: string; readonly accuracy: number }[]
  /** What counting the same training text gives; absent where none were asked for. */
  readonly baselines?: readonly StoredSuiteBaseline[]
  /** That a baseline wins, in one sentence; absent where none does. */
  readonly verdict?: string
}

/** A baseline of a suite without its groups. */
export interface StoredSuiteBaseline {
  readonly name: string
  readonly order?: number
  readonly accuracy: number
  /** Unweighted mean over groups, where the suite has groups. */
  readonly mean?: number
  readonly note?: string
}

/** What the generalization report found, as far as reports read it; more fields are kept as they are. */
export interface GeneralizationResult {
  /** All of it in one sentence. */
  readonly sentence: string
  readonly parts?: GeneralizationFacts["parts"]
}

/** One cell: trained on one text, tested on another. */
export interface CrossDomainCell {
  readonly bitsPerByte?: number
  readonly interval?: Interval
  /** Why it was not measured. */
  readonly unreadable?: string
  /** What must be said beside the number, such as that the model was trained on this text. */
  readonly note?: string
}

/** Trained on `rows[i]`, tested on `columns[j]`, bits per byte. */
export interface CrossDomainMatrix {
  readonly rows: readonly { readonly name: string; readonly sha256: string; readonly own?: number }[]
  readonly columns: readonly MeasuredData[]
  readonly cells: readonly (readonly CrossDomainCell[])[]
}

export interface FindingsOf<Kind extends string, Result> {
  readonly version: typeof FINDINGS_VERSION
  readonly kind: Kind
  readonly model: MeasuredModel
  /** Version of the package that measured. */
  readonly kinglet: string
  /** Its commit, where it was built in a git checkout. */
  readonly commit?: string
  readonly machine: MeasuringMachine
  readonly data: MeasuredData
  /** ISO 8601. */
  readonly when: string
  readonly result: Result
}

export type TextFindings = FindingsOf<"text", TextResult>
export type SuiteFindings = FindingsOf<"suite", SuiteResult>
export type GeneralizationFindings = FindingsOf<"generalization", GeneralizationResult>
export type CrossDomainFindings = FindingsOf<"cross-domain", CrossDomainMatrix>
export type Findings = TextFindings | SuiteFindings | GeneralizationFindings | CrossDomainFindings

/** SHA-256 over the hashes of documents in order, one a line: names a text that was measured. */
export function dataSha256(documentHashes: readonly string[]): string {
  const hash = platform.createSha256()
  const encoder = new TextEncoder()
  for (const document of documentHashes) hash.update(encoder.encode(`${document}\n`))
  return hash.digest()
}

/** An evaluation as it is stored, with the interval over its documents or blocks. */
export function textResultOf({ perDocument, ...numbers }: Evaluation, seconds: number): TextResult {
  const nats = perDocument.reduce((sum, document) => sum + document.nats, 0)
  return { ...numbers, nats, seconds, documents: perDocument }
}
