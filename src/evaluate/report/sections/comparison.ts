// Two runs beside each other: the winner on each axis, with what chance can do.
import type { ComparisonFacts } from "../facts.ts"
import { bits, bytes, count, duration, percent, plain, power, pValue, range, shorten } from "../format.ts"
import { type Html, html } from "../html.ts"
import { tableOf } from "../table.ts"
import type { Section } from "./section.ts"

const WRITE = {
  bitsPerByte: bits,
  count,
  flops: power,
  bytes,
  tokensPerSecond: count,
  seconds: duration,
  part: percent,
} as const

/** Undefined where nothing was compared: a report of one run has no such section. */
export function comparison(facts: readonly ComparisonFacts[] | undefined): Section | undefined {
  if (facts === undefined || facts.length === 0) return undefined
  return { id: "comparison", title: "Compared", body: facts.map(comparisonOf) }
}

function comparisonOf({ a, b, text, axes, sentence }: ComparisonFacts): Html {
  const table = tableOf({
    columns: [
      { title: "axis" },
      ...[shorten(a, 28), shorten(b, 28), "difference", "95 % interval", "chance"].map((title) => ({
        title,
        number: true,
      })),
      { title: "winner" },
    ],
    rows: axes.map((axis) => {
      const write = axis.unit === undefined ? plain : WRITE[axis.unit]
      const winner = { a, b, neither: "neither", none: "" }[axis.winner ?? "none"]
      return [
        axis.name,
        write(axis.a),
        write(axis.b),
        write(axis.difference),
        range(axis.interval, write),
        pValue(axis.pValue),
        winner,
      ]
    }),
  })
  return html`<h3>${a} and ${b}${text !== undefined && ` on ${text}`}</h3>
${sentence !== undefined && html`<p class="sentence">${sentence}</p>`}
${table}`
}
