// How each public set is made of the files of its repository, so that the same bytes come out everywhere: which files, and
// what becomes of each. The hash of the result is the judge: patterns here need to read these files, not all XML.
import { invariant } from "../../core/index.ts"
import {
  blimpFiles,
  eltecDeuFiles,
  eltecEngFiles,
  eltecFraFiles,
  eltecSpaFiles,
  type ManifestRow,
} from "./manifests.ts"
import { publicSets } from "./public-sets.ts"

/** A file of the repository with an address of its own. */
export interface SourceFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** What has arrived. */
export interface SourceText {
  readonly path: string
  readonly text: string
}

export interface Recipe {
  /** The files in the order of the set; of an archive, which paths are read: they are taken in order. */
  readonly sources: readonly SourceFile[] | ((path: string) => boolean)
  /** The part of the set's text that source number `index` becomes. */
  textOf(source: SourceText, index: number): string
}

// Records

/** One JSON line, a space after commas and colons as Python writes it: the sets were first made there. */
function jsonLine(record: { readonly [field: string]: string }): string {
  const fields = Object.entries(record).map(([field, value]) => `${JSON.stringify(field)}: ${JSON.stringify(value)}`)
  return `{${fields.join(", ")}}\n`
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "")

const oneSpace = (text: string): string => text.replace(/\s+/g, " ").trim()

// XML

const ENTITIES: { readonly [name: string]: string } = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }

const unescapeXml = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name]!)

/** The content of the first element of that name, as it stands; empty if there is none. */
const contentOf = (element: string, text: string): string =>
  new RegExp(`<${element}(?: [^>]*)?>(.*?)</${element}>`, "s").exec(text)?.[1] ?? ""

// BLiMP

function blimpLines({ text }: SourceText): string {
  const pairs = lines(text).map((line) => JSON.parse(line) as { readonly [field: string]: string })
  return pairs
    .map((pair) =>
      jsonLine({
        uid: pair["UID"]!,
        phenomenon: pair["linguistics_term"]!,
        field: pair["field"]!,
        good: pair["sentence_good"]!,
        bad: pair["sentence_bad"]!,
        pair: pair["pairID"]!,
      }),
    )
    .join("")
}

// ELTeC: novels in TEI

/** What ends a paragraph of the plain text. */
const PARAGRAPH_ENDS = /<\/(?:p|head|l|label|trailer|opener|closer|signed|salute|dateline|quote|epigraph)>/g

/** The body of a novel, a blank line between paragraphs; page breaks leave no trace, even inside a word. */
function novelText(tei: string): string {
  const body = contentOf("body", tei)
    .replace(/<(?:pb|gap)[^>]*\/>/g, "")
    .replace(/\s+/g, " ")
    .replace(PARAGRAPH_ENDS, "\n\n")
    .replace(/<[^>]+>/g, "")
  const paragraphs = unescapeXml(body).split("\n\n")
  return paragraphs
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "")
    .join("\n\n")
}

/** What stands inside an element before any other: of marked-up names, the first part. */
const leadingText = (content: string): string => unescapeXml(/^\s*(?:<[^>]+>\s*)*([^<]*)/.exec(content)![1]!.trim())

const novelLine =
  (language: string) =>
  ({ path, text }: SourceText): string =>
    jsonLine({
      id: path.replace(/^.*\/|\.xml$/g, ""),
      language,
      author: leadingText(contentOf("author", text)).replace(/\n.*/s, ""),
      title: leadingText(contentOf("title", text)),
      text: novelText(text),
    })

// MedQuAD

/** Of the files in order, every third is taken. */
const MEDQUAD_STRIDE = 3
/** Answers that are shorter say nothing, or were removed for their copyright. */
const LEAST_ANSWER = 40

function medquadLines({ path, text }: SourceText, index: number): string {
  if (index % MEDQUAD_STRIDE !== 0) return ""
  const focus = oneSpace(unescapeXml(contentOf("Focus", text)))
  const pairs = text.matchAll(/<Question [^>]*?qtype="([^"]*)">(.*?)<\/Question>\s*<Answer>(.*?)<\/Answer>/gs)
  return Array.from(pairs, ([, type, question, answer]) => ({
    id: path,
    focus,
    type: unescapeXml(type!),
    question: oneSpace(unescapeXml(question!)),
    answer: oneSpace(unescapeXml(answer!)),
  }))
    .filter(({ answer }) => answer.length >= LEAST_ANSWER)
    .map(jsonLine)
    .join("")
}

// Tables of training runs

interface GadreRun {
  readonly name: string
  readonly dataset_name: string
  readonly results: readonly { readonly loss: number; readonly val_data: readonly string[] }[]
}

const GADRE_LOSSES = [
  "c4_val",
  "de-en",
  "openlm",
  "paloma_c4_en",
  "paloma_dolma_100_programing_languages",
  "paloma_falcon-refinedweb",
  "paloma_ptb",
  "paloma_redpajama",
]
const GADRE_HEAD = `D,N,Nne,bs,ds,${GADRE_LOSSES.map((name) => `loss_${name}`).join(",")},lr,mult,name,wd\r\n`

/** A row of the table; settings as they are written, `4` here and `4.0` there. */
function gadreRow({ text }: SourceText, index: number): string {
  const { name, dataset_name, results } = JSON.parse(text) as GadreRun
  const setting = (key: string): string => new RegExp(`"${key}": ([^,\\s]+)`).exec(text)?.[1] ?? ""
  const lossOn = (validation: string): number | undefined =>
    results.find(({ val_data: [path = ""] }) => path.split("/").at(-2) === validation)?.loss
  const sizes = ["tokens", "params", "params_no_embed", "global_bs"].map(setting)
  const losses = GADRE_LOSSES.map(lossOn)
  const rest = [setting("lr"), setting("chinchilla_multiplier"), name, setting("wd")]
  return `${index === 0 ? GADRE_HEAD : ""}${[...sizes, dataset_name, ...losses, ...rest].join(",")}\r\n`
}

/** A printed run: name, parameters, tokens seen, unique tokens, loss. */
const PRINTED_RUN = /^(\w+) (\d+)\.0 (\d+)\.0 (\d+)\.0 ([\d.]+)$/gm

interface Notebook {
  readonly cells: readonly { readonly outputs?: readonly { readonly text?: readonly string[] }[] }[]
}

/** The runs that the last cell with a list of them printed: those of the paper's fit. */
function muennighoffTable({ text }: SourceText): string {
  const printed = (JSON.parse(text) as Notebook).cells.map(({ outputs = [] }) =>
    outputs.flatMap((output) => output.text ?? []).join(""),
  )
  const lists = printed.map((output) => [...output.matchAll(PRINTED_RUN)]).filter((runs) => runs.length > 0)
  const rows = (lists.at(-1) ?? []).map(([, ...cells]) => `${cells.join(",")}\n`)
  return `name,N,D,U,loss\n${rows.join("")}`
}

// The recipes by the set's name

/** A set that is one file as it stands. */
function verbatim(name: string, path: string): Recipe {
  const { bytes, sha256 } = publicSets.find((set) => set.name === name)!
  return { sources: [{ path, bytes, sha256 }], textOf: ({ text }) => text }
}

const filesOf = (rows: readonly ManifestRow[], folder: string, extension: string): SourceFile[] =>
  rows.map(([name, bytes, sha256]) => ({ path: `${folder}${name}${extension}`, bytes, sha256 }))

const novels = (rows: readonly ManifestRow[], language: string): Recipe => ({
  sources: filesOf(rows, "level1/", ".xml"),
  textOf: novelLine(language),
})

const recipes: { readonly [name: string]: Recipe } = {
  "tiny-shakespeare": verbatim("tiny-shakespeare", "data/tinyshakespeare/input.txt"),
  names: verbatim("names", "names.txt"),
  blimp: { sources: filesOf(blimpFiles, "data/", ".jsonl"), textOf: blimpLines },
  "eltec-eng": novels(eltecEngFiles, "eng"),
  "eltec-fra": novels(eltecFraFiles, "fra"),
  "eltec-deu": novels(eltecDeuFiles, "deu"),
  "eltec-spa": novels(eltecSpaFiles, "spa"),
  "code-python": {
    sources: (path) => path.endsWith(".py"),
    textOf: ({ path, text }) => jsonLine({ id: path, language: "python", text }),
  },
  medquad: { sources: (path) => path.endsWith(".xml"), textOf: medquadLines },
  "chinchilla-epoch": verbatim("chinchilla-epoch", "data/svg_extracted_data.csv"),
  "gadre-104": { sources: (path) => /^exp_data\/models\/.*\.json$/.test(path), textOf: gadreRow },
  "muennighoff-182": {
    sources: [
      {
        path: "utils/parametric_fit.ipynb",
        bytes: 3_679_052,
        sha256: "6c65d270e70c944a9ac90f5f1213a4584e1ff9d6d2781cd86900663f4ab17db9",
      },
    ],
    textOf: muennighoffTable,
  },
}

/** How the set of that name is made. */
export function recipeOf(name: string): Recipe {
  const recipe = recipes[name]
  invariant(recipe !== undefined, `there is no recipe for the public set ${name}`)
  return recipe
}
