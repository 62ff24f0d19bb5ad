import { describe, expect, it } from "vitest"
import { table } from "./table.ts"
import { widthOf } from "./text.ts"

const rows = [
  ["steps", "1,000", "what the budget leaves after reading, tokenizer and evaluation"],
  ["size", "2M", "as asked"],
]

describe("tables", () => {
  it("aligns columns and wraps the last one beside the others", () => {
    expect(table([{}, { align: "right" }, {}], rows, 48)).toEqual([
      "  steps  1,000  what the budget leaves after",
      "                reading, tokenizer and",
      "                evaluation",
      "  size      2M  as asked",
    ])
  })

  it.each([40, 60, 100, 200])("keeps to %i columns", (width) => {
    for (const line of table([{}, { align: "right" }, {}], rows, width))
      expect(widthOf(line)).toBeLessThanOrEqual(width)
  })

  it("moves the last column under its row where little room is left", () => {
    expect(table([{}, {}], [["a name of some length", "and a text that needs more"]], 40)).toEqual([
      "  a name of some length",
      "      and a text that needs more",
    ])
  })

  it("does not count colors as width", () => {
    const style = (text: string) => `\x1b[1m${text}\x1b[22m`
    expect(
      table(
        [{ style }, {}],
        [
          ["ab", "c"],
          ["a", "c"],
        ],
        40,
      ),
    ).toEqual(["  \x1b[1mab\x1b[22m  c", "  \x1b[1ma \x1b[22m  c"])
  })
})
