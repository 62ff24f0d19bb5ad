// A difference in one plain sentence: who predicts better, by how much, how sure that is, and over how many documents.
import type { PairedDifference } from "../statistics/index.ts"

/** A difference with a smaller p-value counts as told. */
export const SIGNIFICANT = 0.05

/** `0.031`; what would be zeros is given one digit. */
const bits = (value: number): string => {
  const size = Math.abs(value)
  return size === 0 || size >= 0.0005 ? size.toFixed(3) : size.toPrecision(1)
}

/** `p < 0.001`, `p = 0.43`. */
export function pText(pValue: number): string {
  if (pValue < 0.001) return "p < 0.001"
  return `p = ${pValue < 0.1 ? pValue.toFixed(3) : pValue.toFixed(2)}`
}

/** "36 documents", "1 block of about 10 kB". */
function unitsText({ unit, units }: { readonly unit: string; readonly units: number }): string {
  if (unit === "block") return `${units} blocks of about 10 kB`
  return `${units} ${unit}${units === 1 ? "" : "s"}`
}

/** Why there is no interval, to end a sentence with. */
export const reasonText = ({ note }: Pick<PairedDifference, "note">): string =>
  note === undefined ? "" : `: ${note.replace(/^no interval: /, "")}`

/**
 * "A predicts this text better by 0.031 bits per byte (95 % interval 0.022 to 0.040, p < 0.001, 36 documents)."
 *
 * @param difference  of `a` minus `b`: negative where `a` predicts better
 */
export function differenceSentence(a: string, b: string, difference: PairedDifference): string {
  const { difference: delta, interval, pValue } = difference
  const [better, worse] = delta <= 0 ? [a, b] : [b, a]
  if (interval === undefined || pValue === undefined) {
    if (delta === 0) return `${a} and ${b} have the same bits per byte on this text.`
    return `${better} has ${bits(delta)} bits per byte less than ${worse}; whether that is more than chance cannot be told${reasonText(difference)}.`
  }
  const ends = [interval.low, interval.high].map((end) => (delta <= 0 ? -end : end)).sort((x, y) => x - y)
  const signed = (end: number) => `${end < 0 ? "-" : ""}${bits(end)}`
  const range = `95 % interval ${signed(ends[0]!)} to ${signed(ends[1]!)}, ${pText(pValue)}, ${unitsText(interval)}`
  if (pValue >= SIGNIFICANT)
    return `No difference can be told between ${a} and ${b}: ${bits(delta)} bits per byte${delta === 0 ? "" : ` in favor of ${better}`} (${range}).`
  return `${better} predicts this text better by ${bits(delta)} bits per byte (${range}).`
}
