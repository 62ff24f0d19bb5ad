// A comparison in words and tables: two models axis by axis, or many in a ranking with their Pareto fronts.
import { formatBytes } from "../core/index.ts"
import {
  COST_AXES,
  type ComparedAxis,
  type ComparisonOfTwo,
  type Contestant,
  type MeasuredData,
  pText,
  type Ranked,
  type Ranking,
  type SeedGroup,
} from "../evaluate/index.ts"
import { axisText } from "./axis-text.ts"
import { list } from "./comparison.ts"
import { plural } from "./numbers.ts"
import type { Output } from "./output.ts"
import { scatter } from "./scatter.ts"
import { table } from "./table.ts"
import { fit, wrap } from "./text.ts"

type Look = Pick<Output, "colors" | "width">

/** Wins an axis, or lies on a front. */
const MARK = "✓"

const indented = (text: string, width: number, style = (line: string) => line): string[] =>
  wrap(text, width - 2).map((line) => `  ${style(line)}`)

const aboutText = ({ name, documents, bytes }: MeasuredData): string =>
  `on ${name}: ${plural(documents, "document")}, ${formatBytes(bytes)}`

// Two

/** The sentence, the axes with their winners, and what the numbers do not cover. */
export function twoLines(
  { a, b, sentence, axes, difference }: ComparisonOfTwo,
  text: MeasuredData,
  look: Look,
): string[] {
  const { colors, width } = look
  const nameWidth = Math.max(8, Math.floor((width - 27) / 2))
  const marked = (axis: ComparedAxis, side: "a" | "b"): string => {
    const shown = axisText(axis.axis.unit, axis[side])
    return axis.winner === side ? `${shown} ${MARK}` : `${shown}  `
  }
  const columns = [
    { title: "" },
    { title: `${fit(a.name, nameWidth)}  `, align: "right" as const },
    { title: `${fit(b.name, nameWidth)}  `, align: "right" as const },
  ]
  const rows = axes.map((axis) => [axis.axis.name, marked(axis, "a"), marked(axis, "b")])
  return [
    ...indented(sentence, width, colors.bold),
    ...indented(aboutText(text), width, colors.dim),
    "",
    ...table(columns, rows, width).map((line) => line.replaceAll(MARK, colors.green(MARK))),
    "",
    ...indented(
      `${MARK} better on this axis; speeds and times within 5 % of each other count as equal`,
      width,
      colors.dim,
    ),
    ...notesOf(difference, a, b).flatMap((note) => indented(note, width, colors.dim)),
  ]
}

/** What must be said beside the numbers. */
function notesOf({ note, unpaired, interval }: ComparisonOfTwo["difference"], a: Contestant, b: Contestant): string[] {
  return [
    ...(interval === undefined ? [] : [note, seedNote(a, b)].filter((each) => each !== undefined)),
    ...(unpaired > 0
      ? [`${plural(unpaired, "score")} of documents that only one of them has scored are left out`]
      : []),
    ...(a.result.protocol === b.result.protocol
      ? []
      : [`their contexts differ: ${a.name} ${a.result.protocol}; ${b.name} ${b.result.protocol}`]),
  ]
}

/** An interval over documents says nothing about luck in training. */
const seedNote = (a: Contestant, b: Contestant): string =>
  a.group !== undefined && a.group === b.group && a.seed !== b.seed
    ? `they differ in their seed only (${a.seed} and ${b.seed})`
    : "the interval is about other text like this; that another seed of training gives another model is not in it"

/** The same as plain numbers; undefined becomes null. */
export const comparisonJson = ({ a, b, difference, sentence, axes }: ComparisonOfTwo) => ({
  kind: "comparison",
  sentence,
  a: contestantJson(a),
  b: contestantJson(b),
  ...differenceJson(difference),
  axes: axes.map(({ axis, a: valueA, b: valueB, winner }) => ({
    key: axis.key,
    name: axis.name,
    unit: axis.unit,
    better: axis.better,
    a: valueA ?? null,
    b: valueB ?? null,
    winner,
  })),
})

const differenceJson = ({ difference, interval, pValue, pairs, unpaired, note }: ComparisonOfTwo["difference"]) => ({
  difference,
  interval: interval ?? null,
  pValue: pValue ?? null,
  pairs,
  unpaired,
  note: note ?? null,
})

function contestantJson(contestant: Contestant) {
  const { result, group: _group, ...rest } = contestant
  const { documents, baselines: _b, reliability: _r, ...numbers } = result
  return { ...rest, result: { ...numbers, documents: documents.length } }
}

// Many

/** Ranking, seeds, costs with the fronts, and the plot. */
export function rankingLines({ ranked, groups, sentence }: Ranking, text: MeasuredData, look: Look): string[] {
  const { colors, width } = look
  const letters = ranked.map((_, at) => letterOf(at))
  const isTested = ranked.some(({ behind }) => behind?.pValue !== undefined)
  const notes = [...new Set(ranked.flatMap(({ behind }) => (behind?.interval ? (behind.note ?? []) : [])))]
  return [
    ...indented(sentence, width, colors.bold),
    ...indented(aboutText(text), width, colors.dim),
    "",
    ...qualityTable(ranked, letters, look),
    ...groups.flatMap((group) => indented(seedText(group), width)),
    "",
    ...costTable(ranked, letters, look),
    "",
    ...plotLines(ranked, letters, look),
    ...indented(
      `${MARK} on the Pareto front of bits per byte and this axis: none is both better and cheaper.${isTested ? " p-values are corrected for the number of comparisons (Holm)." : ""}`,
      width,
      colors.dim,
    ),
    ...notes.flatMap((note) => indented(note, width, colors.dim)),
  ]
}

/** Cells from which tables have all their columns. */
const WIDE = 70

/** A, B, …, Z, then ·. */
const letterOf = (at: number): string => (at < 26 ? String.fromCharCode(65 + at) : "·")

function qualityTable(ranked: readonly Ranked[], letters: readonly string[], { colors, width }: Look): string[] {
  const isWide = width >= WIDE
  const nameWidth = Math.max(10, width - (isWide ? 50 : 34))
  const columns = [
    { style: colors.bold },
    { title: "" },
    { title: "bits/byte", align: "right" as const, style: colors.bold },
    ...(isWide ? [{ title: "95 % interval" }] : []),
    { title: "behind the first" },
  ]
  const rows = ranked.map(({ contestant: { name, result }, behind }, at) => [
    letters[at]!,
    fit(name, nameWidth),
    result.bitsPerByte.toFixed(3),
    ...(isWide
      ? [result.interval ? `${result.interval.low.toFixed(3)} to ${result.interval.high.toFixed(3)}` : "none"]
      : []),
    behind ? `+${behind.difference.toFixed(3)}${behind.pValue === undefined ? "" : `, ${pText(behind.pValue)}`}` : "",
  ])
  return table(columns, rows, width)
}

function seedText({ names, seeds, spread }: SeedGroup): string {
  const { mean, low, high } = spread
  return `${list(names)} differ in their seed only (${list(seeds.map(String))}): mean ${mean.toFixed(3)}, from ${low.toFixed(3)} to ${high.toFixed(3)} bits per byte`
}

function costTable(ranked: readonly Ranked[], letters: readonly string[], { colors, width }: Look): string[] {
  const titles: { readonly [key: string]: string } = { trainingFlops: "FLOPs" }
  const isWide = width >= WIDE
  const columns = [
    { style: colors.bold },
    ...COST_AXES.map(({ key, name }) => ({ title: `${titles[key] ?? name}  `, align: "right" as const })),
    ...(isWide ? [{ title: "training", align: "right" as const }] : []),
  ]
  const rows = ranked.map(({ contestant, fronts }, at) => [
    letters[at]!,
    ...COST_AXES.map(({ key, unit, of }) => `${axisText(unit, of(contestant))} ${fronts.includes(key) ? MARK : " "}`),
    ...(isWide ? [axisText("seconds", contestant.trainingSeconds)] : []),
  ])
  return table(columns, rows, width).map((line) => line.replaceAll(MARK, colors.green(MARK)))
}

/** Bits per byte over parameters, the letter of each; small where it is not on the front. */
function plotLines(ranked: readonly Ranked[], letters: readonly string[], { colors, width }: Look): string[] {
  const points = ranked.map(({ contestant, fronts }, at) => ({
    mark: fronts.includes("parameters") ? letters[at]! : letters[at]!.toLowerCase(),
    x: contestant.parameters,
    y: contestant.result.bitsPerByte,
  }))
  const known = points.filter(({ y }) => Number.isFinite(y))
  const axes = { x: (value: number) => axisText("count", value), y: (value: number) => value.toFixed(2) }
  const lines = known.length < 2 ? [] : scatter(known, axes, width - 2)
  if (lines.length === 0) return []
  const title = "bits per byte over parameters, log axis; capitals are on the front"
  return [...indented(title, width, colors.dim), ...lines.map((line) => `  ${line}`), ""]
}

/** The ranking as plain numbers. */
export const rankingJson = ({ ranked, groups, sentence }: Ranking) => ({
  kind: "ranking",
  sentence,
  ranked: ranked.map(({ contestant, behind, fronts }) => ({
    ...contestantJson(contestant),
    behind: behind ? differenceJson(behind) : null,
    fronts,
  })),
  groups,
})
