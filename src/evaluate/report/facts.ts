// What a report is made of: plain JSON, versioned, read from run folders by whoever asks for a report. Nearly everything is
// optional; a report says in one line what is absent. A number that is not finite is shown as missing.
import type { GeneralizationPart } from "../generalization/generalization-parts.ts"
import type { Interval } from "../statistics/interval.ts"

export const REPORT_VERSION = 1

/** All that a report tells. */
export interface ReportFacts {
  readonly version: typeof REPORT_VERSION
  readonly title: string
  /** The plain sentence of the headline; absent: made from the results. */
  readonly verdict?: string
  /** When it was made or measured, in words; a report has no clock. */
  readonly date?: string
  readonly runs: readonly RunFacts[]
  readonly comparisons?: readonly ComparisonFacts[]
  readonly crossDomain?: CrossDomainFacts
  /** Plain sentences that must not be overlooked: "runs/x is still training; this is its checkpoint of step 500". */
  readonly notes?: readonly string[]
}

/** One run: how it was made and what it scored. */
export interface RunFacts {
  /** Unique among the runs. */
  readonly name: string
  /** Runs of one group differ in their seed only and share a line with a band; absent: a group of its own. */
  readonly group?: string
  readonly seed?: number
  readonly recipe?: readonly RecipeFact[]
  readonly parameters?: number
  /** Of the weights as stored. */
  readonly bytes?: number
  /** Of the whole training. */
  readonly flops?: number
  /** While training. */
  readonly tokensPerSecond?: number
  readonly memoryBytes?: number
  /** Of training. */
  readonly seconds?: number
  readonly machine?: MachineFacts
  readonly dataHashes?: readonly DataHash[]
  /** Training loss. */
  readonly training?: readonly { readonly step: number; readonly tokens: number; readonly nats: number }[]
  /** Held-out loss while training. */
  readonly heldOut?: readonly {
    readonly step: number
    readonly tokens?: number
    readonly nats: number
    readonly bitsPerByte?: number
  }[]
  readonly result?: ResultFacts
  readonly suites?: readonly SuiteFacts[]
  readonly reliability?: ReliabilityFacts
  readonly generalization?: GeneralizationFacts
  readonly samples?: readonly SampleFacts[]
}

/** One entry of a recipe, with its reason where it was derived. */
export interface RecipeFact {
  /** `model.hiddenSize`. */
  readonly key: string
  readonly value: unknown
  readonly because?: string
  readonly source?: string
}

/** The machine that measured. */
export interface MachineFacts {
  /** `node v22.1.0`. */
  readonly engine?: string
  /** `linux x64`. */
  readonly system?: string
  readonly processor?: string
  readonly cores?: number
  /** Device that computed: `wasm, 2 lanes`. */
  readonly device?: string
  /** Device that trained, which may have been of another machine. */
  readonly trainedOn?: string
  /** Of Kinglet. */
  readonly version?: string
  readonly commit?: string
}

export interface DataHash {
  readonly name: string
  readonly sha256: string
  readonly bytes?: number
}

/** What a run scored on a text. */
export interface ResultFacts {
  /** Name of the text. */
  readonly text: string
  /** Of what was measured: results are of one text exactly if their hashes are one; without, if their names are. */
  readonly sha256?: string
  readonly bitsPerByte: number
  readonly interval?: Interval
  /** Why there is no interval. */
  readonly noInterval?: string
  readonly bitsPerCharacter?: number
  readonly bitsPerToken?: number
  readonly documents?: number
  readonly tokens?: number
  readonly bytes?: number
  /** Context protocol in words. */
  readonly protocol?: string
  readonly baselines?: readonly BaselineFacts[]
  /** Whether a baseline wins, in one sentence. */
  readonly verdict?: string
}

export interface BaselineFacts {
  readonly name: string
  /** Absent where it could not run; `note` says why. */
  readonly bitsPerByte?: number
  readonly interval?: Interval
  readonly note?: string
}

/** A zero-shot suite. Accuracies are parts of one. */
export interface SuiteFacts {
  readonly name: string
  readonly accuracy: number
  readonly interval?: Interval
  readonly items?: number
  /** What guessing reaches: 0.5 for pairs; absent where it means nothing, as in a cloze. */
  readonly chance?: number
  readonly phenomena?: readonly {
    readonly name: string
    readonly accuracy: number
    readonly interval?: Interval
    readonly items?: number
  }[]
  /** What others published; `phenomena` by their name, where known. */
  readonly published?: readonly {
    readonly name: string
    readonly accuracy: number
    readonly phenomena?: { readonly [name: string]: number }
    readonly source?: string
  }[]
  /** What counting the same training text gives. */
  readonly baselines?: readonly SuiteBaselineFacts[]
  /** That a baseline wins, in one sentence. */
  readonly verdict?: string
}

export interface SuiteBaselineFacts {
  readonly name: string
  readonly accuracy: number
  readonly note?: string
}

/** How well probabilities are meant: of the likeliest token at each position, as `Reliability` of a score. */
export interface ReliabilityFacts {
  readonly bins: readonly { readonly confidence: number; readonly accuracy: number; readonly count: number }[]
  readonly expectedCalibrationError: number
  readonly accuracy: number
}

export interface GeneralizationFacts {
  /** What all parts mean for this model. */
  readonly sentence: string
  readonly parts: readonly (Omit<GeneralizationPart, "because"> & Partial<Pick<GeneralizationPart, "because">>)[]
}

/** Bits per byte of the models of the rows on the texts of the columns. */
export interface CrossDomainFacts {
  /** `own`: the column that is the model's own text, held out by its run. */
  readonly rows: readonly { readonly name: string; readonly own?: number }[]
  readonly columns: readonly string[]
  /** Null: not measured; a sentence: why it cannot be. */
  readonly cells: readonly (readonly (number | string | null)[])[]
  /** What must be said beside the numbers, such as that a model was trained on a text. */
  readonly notes?: readonly string[]
}

export interface SampleFacts {
  readonly prompt: string
  /** Continuation, without the prompt. */
  readonly text: string
  readonly temperature?: number
  readonly seed?: number
  readonly step?: number
}

/** Two runs on the same text, paired by document. */
export interface ComparisonFacts {
  readonly a: string
  readonly b: string
  readonly text?: string
  readonly axes: readonly {
    /** "bits per byte", "parameters". */
    readonly name: string
    readonly a?: number
    readonly b?: number
    readonly unit?: "bitsPerByte" | "count" | "flops" | "bytes" | "tokensPerSecond" | "seconds" | "part"
    readonly difference?: number
    readonly interval?: Interval
    readonly pValue?: number
    readonly winner?: "a" | "b" | "neither"
  }[]
  readonly sentence?: string
}
